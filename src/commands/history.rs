//! `history`: the revisions of a cluster, and going back to one.

use super::{
    cli::Global,
    cloud::on_cloud,
    load::{self, Loaded, target},
    output::Output,
};
use crate::{
    cloud::Cloud,
    observe::{self, Past, PastState, keys},
    report::{
        errors::{Failure, exit},
        words,
    },
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Options of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The cluster file, or the cluster's name with --region
    file: PathBuf,
    /// How to show the list
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    format: HistoryFormat,
    /// Show the cluster file of this revision
    #[arg(long, value_name = "REVISION", conflicts_with = "compare")]
    show: Option<u64>,
    /// Show what the cluster file says other than this revision did; `3..5` compares two revisions
    #[arg(long, value_name = "REVISION")]
    compare: Option<Range>,
}

/// How to show a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A revision, or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: u64,
    to: Option<u64>,
}

impl std::str::FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no revision: give 3 or 3..5"));
        match text.split_once("..") {
            Some((from, to)) => Ok(Self { from: number(from)?, to: Some(number(to)?) }),
            None => Ok(Self { from: number(text)?, to: None }),
        }
    }
}

/// Lists the revisions of a cluster, the newest first; shows or compares their cluster files.
pub fn history(args: &HistoryArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let load::Target { name, region, file } = target(&args.file, global, output)?;
    on_cloud(global, Some(&region.clone()), |cloud, _| async move {
        let bucket = bucket(&cloud).await?;
        match (args.show, args.compare) {
            (Some(number), _) => output.data(&file_of(&cloud, &bucket, &name, number).await?),
            (_, Some(Range { from, to })) => {
                let before = file_of(&cloud, &bucket, &name, from).await?;
                let (after, label) = match to {
                    Some(to) => (file_of(&cloud, &bucket, &name, to).await?, format!("revision {to}")),
                    None => match file {
                        Some((document, _)) => (document.text, document.name),
                        // There is one: `before` was read.
                        None => newest_file(&cloud, &bucket, &name).await?.unwrap_or_default(),
                    },
                };
                output.data(&words::difference(&before, &after, &format!("revision {from}"), &label));
            }
            (None, None) => {
                let mut past = observe::history(&cloud, &bucket, &name).await?;
                past.reverse();
                if past.is_empty() {
                    output.note(&format!("{name} has no revisions in {region}"));
                }
                output.data(&listed(&name, &past, args.format));
            }
        }
        Ok(exit::OK)
    })
}

fn listed(cluster: &str, past: &[Past], format: HistoryFormat) -> String {
    if format == HistoryFormat::Json {
        let value = json!({"kind": "hpcctl.history", "format_version": "1.0", "cluster": cluster, "revisions": past});
        return format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default());
    }
    let line = |past: &Past| match past.state {
        PastState::Applied => {
            let at = past.at.map(|at| at.to_string()).unwrap_or_default();
            format!("{:>5}  {at}  plan {}  {}\n", past.number, past.plan, past.by.as_deref().unwrap_or_default())
        }
        PastState::Begun => {
            format!("{:>5}  {:20}  plan {}  begun, and not brought to its end\n", past.number, "", past.plan)
        }
    };
    past.iter().map(line).collect()
}

/// The cluster file of a revision in the place of the one at hand, for a plan that goes back to it.
pub async fn back_to(cloud: &Cloud, loaded: &Loaded, number: u64, output: &Output) -> Result<Loaded, Failure> {
    let cluster = &loaded.graph.cluster;
    let text = file_of(cloud, &bucket(cloud).await?, cluster, number).await?;
    let called = format!("{}@{number}", loaded.document.name);
    let back = load::from_text(&called, text, output)?;
    of_this_cluster(&back, &called, cluster, &loaded.graph.region)?;
    Ok(back)
}

/// Whether a file from a cluster's archive is that cluster's: nobody asked for another one.
pub fn of_this_cluster(found: &Loaded, called: &str, cluster: &str, region: &str) -> Result<(), Failure> {
    if found.graph.cluster == cluster && found.graph.region == region {
        return Ok(());
    }
    let message = format!("{called} in the archive of {cluster} is of another cluster or region");
    Err(Failure::new("HPC2008", message, "somebody changed the archive: look at it in S3", exit::ERROR))
}

/// What somebody must know who went back: the file at hand says something else.
pub fn told(loaded: &Loaded, number: u64, output: &Output) {
    let file = loaded.document.name.rsplit_once('@').map_or(loaded.document.name.as_str(), |(file, _)| file);
    output.note(&format!(
        "{file} is not what the cluster is now: `hpcctl history {file} --show {number}` prints what is"
    ));
}

pub async fn bucket(cloud: &Cloud) -> Result<String, Failure> {
    Ok(keys::bucket_name(&cloud.identity.caller().await?.account, &cloud.region))
}

/// The cluster file of the newest revision, and what it is called; `None`: there is no revision.
pub async fn newest_file(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Option<(String, String)>, Failure> {
    let past = observe::history(cloud, bucket, cluster).await?;
    let newest = past.iter().filter(|one| one.state == PastState::Applied).map(|one| one.number).max();
    let Some(number) = newest.or(past.iter().map(|one| one.number).max()) else { return Ok(None) };
    Ok(Some((file_of(cloud, bucket, cluster, number).await?, format!("{cluster}@{number}"))))
}

async fn file_of(cloud: &Cloud, bucket: &str, cluster: &str, number: u64) -> Result<String, Failure> {
    if let Some(text) = observe::revision_file(cloud, bucket, cluster, number).await? {
        return Ok(text);
    }
    let there = observe::history(cloud, bucket, cluster).await?;
    let numbers: Vec<String> = there.iter().map(|past| past.number.to_string()).collect();
    let remedy =
        if numbers.is_empty() { "there is none".to_owned() } else { format!("there is {}", numbers.join(", ")) };
    Err(Failure::new("HPC2008", format!("{cluster} has no revision {number}"), remedy, exit::ERROR))
}
