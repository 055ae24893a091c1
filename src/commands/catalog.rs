//! `catalog`.

use super::{cli::Global, cloud::on_cloud, load::write, output::Output};
use crate::{
    catalog::{self, InstanceCatalog},
    cloud::{MOST_TEXT, read_text},
    report::errors::{Failure, exit},
};
use clap::{Args, Subcommand};
use std::{borrow::Cow, path::PathBuf};

/// Options of `catalog`.
#[derive(Debug, Args)]
pub struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Ask EC2 for the facts of every instance type of the region
    Refresh,
    /// Show the facts of instance types
    Show {
        /// Instance types
        #[arg(required = true)]
        types: Vec<String>,
    },
}

/// Where refreshed facts are kept: `HPCCTL_CATALOG`, else the user's data folder.
fn overlay() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("HPCCTL_CATALOG") {
        return Some(path.into());
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))?;
    Some(data.join("hpcctl/instance-types.txt"))
}

/// The facts: refreshed ones where there are any, else those of the program.
pub fn instance_catalog() -> Result<Cow<'static, InstanceCatalog>, Failure> {
    let Some(path) = overlay().filter(|path| path.exists()) else {
        return Ok(Cow::Borrowed(InstanceCatalog::embedded()));
    };
    let text = read_text(&path, MOST_TEXT).map_err(|error| Failure::file(&path, &error))?;
    InstanceCatalog::from_text(&text).map(Cow::Owned).map_err(|error| {
        let message = format!("failed to read `{}`: {error}", path.display());
        Failure::new("HPC2005", message, "remove it, or run `hpcctl catalog refresh`", exit::ERROR)
    })
}

/// Refreshes or shows facts.
pub fn catalog(args: &CatalogArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    match &args.command {
        CatalogCommand::Refresh => refresh(global, output),
        CatalogCommand::Show { types } => show(types, output),
    }
}

fn refresh(global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let Some(path) = overlay() else {
        return Err(Failure::new("HPC2005", "there is no home folder to write to", "set HPCCTL_CATALOG", exit::ERROR));
    };
    let types = on_cloud(global, None, |cloud, _| async move { Ok(cloud.compute.instance_types().await?) })?;
    write(&path, &catalog::to_text(&types))?;
    output.data(&format!("{} instance types in {}\n", types.len(), path.display()));
    Ok(exit::OK)
}

fn show(types: &[String], output: &mut Output) -> Result<u8, Failure> {
    let catalog = instance_catalog()?;
    for name in types {
        let Some(facts) = catalog.get(name) else {
            let remedy = match catalog.closest(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`hpcctl catalog refresh` asks EC2 for new types".to_owned(),
            };
            return Err(Failure::new("HPC2007", format!("instance type `{name}` is not known"), remedy, exit::ERROR));
        };
        let arch = format!("{:?}", facts.arch).to_lowercase();
        let efa = facts.efa.as_ref().map_or_else(
            || "no EFA".to_owned(),
            |efa| format!("EFA on {} of {} cards", efa.max_interfaces, facts.network_cards),
        );
        let gpus: Vec<String> = facts.gpus.iter().map(|gpu| format!("{} {}", gpu.count, gpu.name)).collect();
        output.data(&format!(
            "{name}  {arch}  {} vCPUs, {} cores  {} GiB  {}  {efa}  {}\n",
            facts.vcpus,
            facts.cores,
            facts.memory_mib / 1024,
            facts.network.performance,
            if gpus.is_empty() { "no GPUs".to_owned() } else { gpus.join(", ") },
        ));
    }
    Ok(exit::OK)
}
