//! From a cluster file to everything that it is turned into.

use super::{
    cli::Global,
    output::Output,
    validate::{self, CheckedFile},
};
use crate::{
    catalog::{Ground, InstanceCatalog},
    check::{self, Facts, Finding, Severity},
    cloud::{all_of, read_bounded},
    model::{self, Graph},
    render::{self, Rendered},
    report::{
        errors::{Failure, exit},
        findings::{self, Checked},
    },
    spec::{Cluster, Document},
};
use std::{
    borrow::Cow,
    io::Write,
    path::{Path, PathBuf},
};

/// A cluster file and everything that it is turned into.
pub struct Loaded {
    /// The file.
    pub document: Document,
    /// What it says.
    pub cluster: Cluster,
    /// What was found in it before any cloud was asked, and not shown yet.
    pub warnings: Vec<Finding>,
    catalog: Cow<'static, InstanceCatalog>,
    /// The stacks.
    pub graph: Graph,
    /// Templates and node files.
    pub rendered: Rendered,
}

/// The largest plan, in bytes. A cluster file has its own limit.
pub const MAX_PLAN: u64 = 64 * 1024 * 1024;

/// Reads, checks and renders a cluster file. Findings go to stderr; an error among them is a failure.
pub fn load(path: &Path, output: &Output) -> Result<Loaded, Failure> {
    let loaded = load_for_cloud(path, output)?;
    loaded.show(&loaded.warnings, output);
    Ok(loaded)
}

/// Checks and renders the text of a cluster file that comes from elsewhere under this name.
pub fn from_text(name: &str, text: String, output: &Output) -> Result<Loaded, Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let facts = Facts { catalog: Some(&catalog), ..Facts::default() };
    let (document, cluster, warnings) = sound_of(validate::check_bytes(name, text.into_bytes(), &facts), output)?;
    let (graph, rendered) = built(&cluster, &catalog, Ground::nowhere())?;
    Ok(Loaded { document, cluster, warnings, catalog, graph, rendered })
}

/// The same for what asks a cloud next: warnings wait, since the cloud may answer them.
pub fn load_for_cloud(path: &Path, output: &Output) -> Result<Loaded, Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let (document, cluster, warnings) = sound(path, &catalog, output)?;
    let (graph, rendered) = built(&cluster, &catalog, Ground::nowhere())?;
    Ok(Loaded { document, cluster, warnings, catalog, graph, rendered })
}

impl Loaded {
    /// The same on the ground of an account: what the file leaves to AWS is filled in.
    pub fn on(&mut self, ground: &Ground) -> Result<(), Failure> {
        let cluster = model::completed(&self.cluster, ground);
        (self.graph, self.rendered) = built(&cluster, &self.catalog, ground)?;
        Ok(())
    }

    /// Every mistake in the file, held against an account as well.
    pub fn findings(&self, ground: &Ground) -> Vec<Finding> {
        check::check(&self.document, &Facts { catalog: Some(&self.catalog), ground: Some(ground), ..Facts::default() })
    }

    /// Shows what was found. Warnings alone are not shown to who wants to hear nothing.
    pub fn show(&self, found: &[Finding], output: &Output) {
        let errors = found.iter().any(|finding| finding.rule.severity == Severity::Error);
        if errors || (!found.is_empty() && !output.quiet) {
            let view = Checked { file: &self.document.name, text: &self.document.text, findings: found };
            output.warn(&findings::text(&view, output.paint_err.color));
        }
    }
}

fn built(cluster: &Cluster, catalog: &InstanceCatalog, ground: &Ground) -> Result<(Graph, Rendered), Failure> {
    let graph = model::build_on(cluster, catalog, ground);
    let files = render::node_files(cluster, catalog).map_err(internal)?;
    let rendered = render::render(&graph, files);
    Ok((graph, rendered))
}

/// Reads and checks a cluster file, for commands that need no more than its name and region. Warnings are for `validate`,
/// `plan` and `apply` to tell: who looks at a cluster, or uses it, has read them.
pub fn checked(path: &Path, output: &Output) -> Result<(Document, Cluster), Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let (document, cluster, _) = sound(path, &catalog, output)?;
    Ok((document, cluster))
}

/// Which cluster a command is about.
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its file; `None`: it was named alone.
    pub file: Option<(Document, Cluster)>,
}

/// A cluster by its file, or by its name and `--region` where the file is not at hand.
pub fn target(path: &Path, global: &Global, output: &Output) -> Result<Target, Failure> {
    let name = path.to_string_lossy().into_owned();
    if path.exists() || !is_name(&name) {
        let (document, cluster) = checked(path, output)?;
        let (name, region) = (cluster.name.to_string(), cluster.region.to_string());
        return Ok(Target { name, region, file: Some((document, cluster)) });
    }
    match &global.region {
        Some(region) => Ok(Target { name, region: region.clone(), file: None }),
        None => Err(Failure::new(
            "HPC2192",
            format!("there is no file `{name}`, and no region to look for a cluster of this name in"),
            "name the cluster file, or add `--region`",
            exit::ERROR,
        )),
    }
}

/// Whether it can be a cluster's name, and is no path.
fn is_name(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    text.starts_with(|letter: char| letter.is_ascii_lowercase()) && text.chars().all(plain)
}

/// Reads and checks a cluster file; gives it with its warnings, or shows its errors.
fn sound(
    path: &Path,
    catalog: &InstanceCatalog,
    output: &Output,
) -> Result<(Document, Cluster, Vec<Finding>), Failure> {
    sound_of(validate::check_file(path, &Facts { catalog: Some(catalog), ..Facts::default() }), output)
}

fn sound_of(checked: CheckedFile, output: &Output) -> Result<(Document, Cluster, Vec<Finding>), Failure> {
    let errors = checked.has_errors();
    if errors {
        output.warn(&findings::text(&checked.view(), output.paint_err.color));
    }
    let cluster = checked.document.as_ref().and_then(|document| document.cluster.clone());
    match (checked.document, cluster) {
        (Some(document), Some(cluster)) if !errors => Ok((document, cluster, checked.findings)),
        _ => Err(Failure::new("HPC1000", "the cluster file has mistakes", "mend what is listed above", exit::ERROR)),
    }
}

/// A cluster file or a saved plan, as it is.
pub struct Given {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Given {
    /// Its text without a byte order mark; `None`: it is no UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The same; no text is an error.
    pub fn as_text(&self) -> Result<&str, Failure> {
        self.text().ok_or_else(|| {
            let message = format!("`{}` is not UTF-8 text", self.path.display());
            Failure::new("HPC2014", message, "make a plan with `hpcctl plan FILE --out PLAN`", exit::ERROR)
        })
    }
}

/// Reads a cluster file or a saved plan; `-` is standard input.
pub fn read(path: &Path) -> Result<Given, Failure> {
    let bytes = match path.as_os_str() == "-" {
        true => all_of(std::io::stdin().lock(), MAX_PLAN),
        false => read_bounded(path, MAX_PLAN),
    };
    let bytes = bytes.map_err(|error| Failure::file(path, &error))?;
    Ok(Given { path: path.to_owned(), bytes })
}

/// Checks and renders what was read, for what asks a cloud next: warnings wait, since the cloud may answer them.
pub fn from_bytes(given: Given, output: &Output) -> Result<Loaded, Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let facts = Facts { catalog: Some(&catalog), ..Facts::default() };
    let checked = validate::check_bytes(&validate::name(&given.path), given.bytes, &facts);
    let (document, cluster, warnings) = sound_of(checked, output)?;
    let (graph, rendered) = built(&cluster, &catalog, Ground::nowhere())?;
    Ok(Loaded { document, cluster, warnings, catalog, graph, rendered })
}

/// Writes a file, making its folder. What was there before stays until all of the new text is on the disk.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    // A device or a pipe, such as /dev/stdout, is written to as it is; a link keeps leading where it leads.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&target).is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, text).map_err(|error| Failure::file(path, &error));
    }
    let mut beside = target.clone().into_os_string();
    beside.push(format!(".{}.next", std::process::id()));
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, &target));
    written.map_err(|error| {
        std::fs::remove_file(&beside).ok();
        Failure::file(path, &error)
    })
}

fn internal(error: render::RenderError) -> Failure {
    Failure::new("HPC2005", format!("failed to render node files: {error}"), "please report this", exit::ERROR)
}
