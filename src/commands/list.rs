//! `list`.

use super::{cli::Global, cloud::on_cloud, output::Output};
use crate::{
    cloud::CLUSTER_TAG,
    report::errors::{Failure, exit},
};
use clap::Args;
use std::{collections::BTreeMap, fmt::Write};

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Lists the clusters of account and region.
pub fn list(_: &ListArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let told = global.region.clone();
    on_cloud(global, None, |cloud, _| async move {
        let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for stack in cloud.stacks.all_stacks().await? {
            if let Some(cluster) = stack.tags.get(CLUSTER_TAG) {
                let word = if stack.status.can_update() {
                    None
                } else {
                    Some(format!("{} {}", stack.name, stack.status.as_str()))
                };
                clusters.entry(cluster.clone()).or_default().extend(word);
            }
        }
        let mut text = String::new();
        for (cluster, trouble) in &clusters {
            let words = if trouble.is_empty() { "in order".to_owned() } else { trouble.join(", ") };
            let _ = writeln!(text, "{cluster:<42} {}  {words}", cloud.region);
        }
        if told.is_none() {
            let region = &cloud.region;
            output.note(&format!("no region was named: this is {region}; `--region` or AWS_REGION names another"));
        }
        if clusters.is_empty() {
            output.note(&format!("no clusters in {}", cloud.region));
        }
        output.data(&text);
        Ok(exit::OK)
    })
}
