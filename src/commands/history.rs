//! `history`.

use super::{cli::Global, cloud::on_cloud, load::checked, output::Output};
use crate::{
    observe::{Revision, keys},
    report::errors::{Failure, exit},
};
use clap::Args;
use std::path::PathBuf;

/// Options of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The cluster file
    file: PathBuf,
}

/// Lists the revisions of a cluster, the newest first.
pub fn history(args: &HistoryArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let (name, region) = (cluster.name.as_str().to_owned(), cluster.region.as_str().to_owned());
    on_cloud(global, Some(&region.clone()), |cloud, _| async move {
        let account = cloud.identity.caller().await?.account;
        let bucket = keys::bucket_name(&account, &region);
        let prefix = keys::prefix(&name) + "revisions/";
        let mut lines = Vec::new();
        if cloud.objects.bucket_exists(&bucket).await? {
            for object in cloud.objects.list(&bucket, &prefix).await? {
                if !object.key.ends_with("/revision.json") {
                    continue;
                }
                let Some((body, _)) = cloud.objects.get(&bucket, &object.key).await? else { continue };
                if let Ok(revision) = serde_json::from_slice::<Revision>(&body) {
                    lines.push(format!(
                        "{:>5}  {}  plan {}  {}\n",
                        revision.number, revision.at, revision.plan, revision.by
                    ));
                }
            }
        }
        if lines.is_empty() {
            output.note(&format!("{name} has no revisions in {region}"));
        }
        lines.reverse();
        output.data(&lines.concat());
        Ok(exit::OK)
    })
}
