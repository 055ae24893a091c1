//! Waiting for the head node outside a plan: `status --wait`, and `apply` where machines run in real time.

use super::{
    cli::Global,
    cloud::on_cloud,
    output::{Output, Progress, ProgressFormat},
};
use crate::{
    apply::{self, HeadWait, Stop},
    cloud::Cloud,
    observe::{self, Revision},
    plan::HEAD_BOOT_LIMIT,
    report::errors::{Failure, exit},
};

/// Waits until the head node reports the newest revision; gives its number.
pub async fn newest(
    cloud: &Cloud,
    stop: &Stop,
    cluster: &str,
    format: ProgressFormat,
    output: &Output,
) -> Result<u64, Failure> {
    let account = cloud.identity.caller().await?.account;
    let bucket = observe::keys::bucket_name(&account, &cloud.region);
    let there = cloud.objects.bucket_exists(&bucket).await?;
    let head = if there { cloud.objects.get(&bucket, &observe::keys::head(cluster)).await? } else { None };
    let published = head.and_then(|(body, _)| serde_json::from_slice::<Revision>(&body).ok());
    let Some(Revision { number: revision, .. }) = published else {
        let message = format!("cluster {cluster} was never applied to its end here");
        return Err(Failure::new("HPC2007", message, "apply it first, or check account and region", exit::ERROR));
    };
    let wait = HeadWait { bucket, cluster: cluster.to_owned(), revision, limit: HEAD_BOOT_LIMIT, again: true };
    apply::await_head(cloud, &wait, &Progress::new(output, format), stop).await?;
    Ok(revision)
}

/// The same, after an apply, in the cloud's own time.
pub fn after_apply(
    global: &Global,
    region: &str,
    cluster: &str,
    format: ProgressFormat,
    output: &Output,
) -> Result<u8, Failure> {
    on_cloud(global, Some(region), |cloud, stop| async move {
        let revision = newest(&cloud, &stop, cluster, format, output).await?;
        output.note(&format!("the head node runs revision {revision}"));
        Ok(exit::OK)
    })
}
