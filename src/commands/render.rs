//! `render`.

use super::{
    load::{load, write},
    output::Output,
};
use crate::report::errors::{Failure, exit};
use clap::Args;
use std::path::PathBuf;

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The cluster file
    file: PathBuf,
    /// Where to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes every template (YAML) and node file below a folder.
pub fn render(args: &RenderArgs, output: &mut Output) -> Result<u8, Failure> {
    let loaded = load(&args.file, output)?;
    for (key, template) in &loaded.rendered.templates {
        let name = key.stack_name(&loaded.graph.cluster);
        write(&args.out.join("templates").join(format!("{name}.yaml")), &template.to_yaml())?;
    }
    for (path, file) in &loaded.rendered.files {
        write(&args.out.join("nodes").join(path), &file.content)?;
    }
    let (templates, files) = (loaded.rendered.templates.len(), loaded.rendered.files.len());
    output.note(&format!("{templates} templates and {files} node files in {}", args.out.display()));
    output.data(&format!("{}\n", loaded.rendered.digest));
    Ok(exit::OK)
}
