//! From a cluster file to everything that it is turned into.

use super::{output::Output, validate};
use crate::{
    check::Facts,
    model::{self, Graph},
    render::{self, Rendered},
    report::{
        errors::{Failure, exit},
        findings,
    },
    spec::{Cluster, Document},
};
use std::{io::Read, path::Path};

/// A cluster file and everything that it is turned into.
pub struct Loaded {
    /// The file.
    pub document: Document,
    /// The stacks.
    pub graph: Graph,
    /// Templates and node files.
    pub rendered: Rendered,
}

/// The largest cluster file, in bytes.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Reads, checks and renders a cluster file. Findings go to stderr; an error among them is a failure.
pub fn load(path: &Path, output: &Output) -> Result<Loaded, Failure> {
    let (document, cluster) = checked(path, output)?;
    let catalog = super::catalog::instance_catalog()?;
    let graph = model::build(&cluster, &catalog);
    let files = render::node_files(&cluster, &catalog).map_err(internal)?;
    let rendered = render::render(&graph, files);
    Ok(Loaded { document, graph, rendered })
}

/// Reads and checks a cluster file, for commands that need no more than its name and region.
pub fn checked(path: &Path, output: &Output) -> Result<(Document, Cluster), Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let checked = validate::check_file(path, &Facts { catalog: Some(&catalog) });
    let errors = checked.has_errors();
    if errors || (!checked.findings.is_empty() && !output.quiet) {
        output.warn(&findings::text(&checked.view(), output.paint_err.color));
    }
    let cluster = checked.document.as_ref().and_then(|document| document.cluster.clone());
    match (checked.document, cluster) {
        (Some(document), Some(cluster)) if !errors => Ok((document, cluster)),
        _ => Err(Failure::new("HPC1000", "the cluster file has mistakes", "mend what is listed above", exit::ERROR)),
    }
}

/// A file's text, or that of stdin for `-`.
pub fn read(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().take(MAX_FILE).read_to_string(&mut text).map_err(|error| Failure::file(path, &error))?;
        return Ok(text);
    }
    let size = std::fs::metadata(path).map_err(|error| Failure::file(path, &error))?.len();
    if size > MAX_FILE {
        let message = format!("`{}` has {size} bytes; a cluster file has at most {MAX_FILE}", path.display());
        return Err(Failure::new("HPC2005", message, "is it the right file?", exit::ERROR));
    }
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

/// Writes a file, making its folder.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

fn internal(error: render::RenderError) -> Failure {
    Failure::new("HPC2005", format!("failed to render node files: {error}"), "please report this", exit::ERROR)
}
