//! `unlock`.

use super::{cli::Global, cloud::on_cloud, load::checked, output::Output};
use crate::{
    apply,
    observe::keys,
    report::errors::{Failure, exit},
};
use clap::Args;
use std::path::PathBuf;

/// Options of `unlock`.
#[derive(Debug, Args)]
pub struct UnlockArgs {
    /// The cluster file
    file: PathBuf,
}

/// Takes a cluster's lock away and says whose it was.
pub fn unlock(args: &UnlockArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let (name, region) = (cluster.name.as_str().to_owned(), cluster.region.as_str().to_owned());
    on_cloud(global, Some(&region.clone()), |cloud, _| async move {
        let bucket = keys::bucket_name(&cloud.identity.caller().await?.account, &region);
        let there = cloud.objects.bucket_exists(&bucket).await?;
        let lock = if there { apply::read_lock(&cloud, &bucket, &name).await? } else { None };
        match lock {
            None => output.data(&format!("{name} is not locked\n")),
            Some(lock) => {
                apply::unlock(&cloud, &bucket, &name).await?;
                let owner = &lock.owner;
                output.data(&format!("unlocked {name}: {} on {} had it since {}\n", owner.arn, owner.host, lock.since));
            }
        }
        Ok(exit::OK)
    })
}
