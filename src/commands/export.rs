//! `export-fsx` and `import-fsx`.

use super::{
    cli::Global,
    cloud::on_cloud,
    load::checked,
    output::{Output, Progress, ProgressFormat},
};
use crate::{
    apply::{self, ApplyError, ExportRequest, ExportResult, Stop, TransferKind},
    cloud::{CLUSTER_TAG, Cloud},
    model::file_system_id,
    observe::{self, Live, Wanted},
    report::{
        errors::{Failure, exit},
        events,
    },
    spec::Cluster,
};
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf};

/// Options of `export-fsx` and `import-fsx`.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// The cluster file
    file: PathBuf,
    /// The file system's name in the cluster file; default: all that are linked with S3
    #[arg(long, value_name = "NAME")]
    file_system: Vec<String>,
    /// A directory or file, relative to the mount; default: everything that is linked with S3
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = ProgressFormat::Text)]
    progress: ProgressFormat,
}

/// Exports file systems to S3.
pub fn export(args: &TransferArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    transfer(args, global, output, TransferKind::Export)
}

/// Imports names and attributes from S3.
pub fn import(args: &TransferArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    transfer(args, global, output, TransferKind::Import)
}

fn transfer(args: &TransferArgs, global: &Global, output: &mut Output, kind: TransferKind) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let region = cluster.region.as_str().to_owned();
    on_cloud(global, Some(&region), |cloud, stop| run(args, cloud, stop, cluster, kind, output))
}

async fn run(
    args: &TransferArgs,
    cloud: Cloud,
    stop: Stop,
    cluster: Cluster,
    kind: TransferKind,
    output: &mut Output,
) -> Result<u8, Failure> {
    let live = observe::observe(&cloud, cluster.name.as_str(), &Wanted { no_files: true, ..Wanted::default() }).await?;
    let progress = Progress::new(output, args.progress);
    let mut code = exit::OK;
    for (storage, file_system) in targets(args, &cluster, &live)? {
        let request = ExportRequest {
            token: cloud.clock.unique(),
            file_system,
            kind,
            paths: args.paths.clone(),
            may_join: true,
            tags: BTreeMap::from([(CLUSTER_TAG.to_owned(), cluster.name.as_str().to_owned())]),
            storage,
        };
        match apply::transfer(&cloud, &request, &progress, &stop).await {
            Ok(result) => output.data(&result_text(&request.storage, &result)),
            // Nobody asked for it by name, and there is nothing to do.
            Err(ApplyError::ExportsItself { storage, paths }) if !args.file_system.contains(&storage) => {
                output.data(&format!("{storage}  exports {} by itself: no task\n", paths.join(", ")));
            }
            Err(error) => {
                let failure: Failure = error.into();
                output.failure(&failure);
                code = failure.exit;
            }
        }
    }
    Ok(code)
}

fn result_text(storage: &str, result: &ExportResult) -> String {
    let mut text = events::task_text(storage, &result.task);
    if let Some(ended) = result.task.ended {
        text.push_str(&format!("  in {}", events::duration(ended.0 - result.task.created.0)));
    }
    if let Some(report) = &result.task.report {
        text.push_str(&format!("\nreport: {report} (written when files fail)"));
    }
    if result.linked != ["/"] {
        text.push_str(&format!("\noutside {} nothing is exported or imported", result.linked.join(", ")));
    }
    if result.joined {
        text.push_str("\nthe task ran already; this command followed it to its end");
    }
    text + "\n"
}

/// The file systems to treat: name in the cluster file and id.
fn targets(args: &TransferArgs, cluster: &Cluster, live: &Live) -> Result<Vec<(String, String)>, Failure> {
    let mut known: Vec<(String, Option<String>)> = Vec::new();
    for storage in &cluster.storage {
        let Some(lustre) = &storage.fsx_lustre else { continue };
        let name = storage.name.as_str().to_owned();
        let made = live.file_systems.get(&file_system_id(&name));
        let id = lustre
            .file_system_id
            .as_ref()
            .map(|id| id.as_str().to_owned())
            .or(made.map(|found| found.state.id.clone()));
        let linked = lustre.data_repository.is_some() || !lustre.data_repository_associations.is_empty();
        if args.file_system.contains(&name) || (args.file_system.is_empty() && linked) {
            known.push((name, id));
        }
    }
    let names: Vec<String> = cluster.storage.iter().map(|storage| format!("`{}`", storage.name)).collect();
    if let Some(unknown) = args.file_system.iter().find(|name| known.iter().all(|(known, _)| known != *name)) {
        let message = format!("there is no Lustre file system `{unknown}` in the cluster file");
        return Err(Failure::new("HPC2007", message, format!("there is {}", names.join(", ")), exit::ERROR));
    }
    if known.is_empty() {
        let message = "no file system of the cluster file is linked with S3";
        return Err(Failure::new(
            "HPC2051",
            message,
            "give one `data_repository` or `data_repository_associations`",
            exit::ERROR,
        ));
    }
    let exists = |(name, id): (String, Option<String>)| match id {
        Some(id) => Ok((name, id)),
        None => Err(Failure::new(
            "HPC2052",
            format!("file system `{name}` does not exist yet"),
            "apply the cluster file first",
            exit::ERROR,
        )),
    };
    known.into_iter().map(exists).collect()
}
