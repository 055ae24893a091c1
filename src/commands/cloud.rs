//! Opening a cloud and running something on it.

use super::{
    cli::{CloudChoice, Global},
    signals,
};
use crate::{
    apply::Stop,
    cloud::Cloud,
    report::errors::{Failure, exit},
};
use std::future::Future;

/// Opens the chosen cloud in a region and runs `work` with it to its end.
pub fn on_cloud<T, F, W>(global: &Global, region: Option<&str>, work: W) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
    W: FnOnce(Cloud, Stop) -> F,
{
    match global.cloud {
        CloudChoice::Sandbox => {
            let region = region.or(global.region.as_deref()).unwrap_or("us-east-1").to_owned();
            let runtime = runtime()?;
            runtime.block_on(async {
                let sandbox = super::rehearsal::account(global, &region)?;
                with_signals(global, sandbox.cloud(), work).await
            })
        }
        CloudChoice::Aws => on_aws(global, region, work),
    }
}

#[cfg(feature = "aws")]
fn on_aws<T, F, W>(global: &Global, region: Option<&str>, work: W) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
    W: FnOnce(Cloud, Stop) -> F,
{
    let options = crate::cloud::aws::AwsOptions {
        profile: global.profile.clone(),
        region: region.map(str::to_owned).or_else(|| global.region.clone()),
        ca_file: global.ca_file.clone(),
    };
    let runtime = runtime()?;
    runtime.block_on(async {
        let cloud = crate::cloud::aws::open(options).await?;
        with_signals(global, cloud, work).await
    })
}

#[cfg(not(feature = "aws"))]
fn on_aws<T, F, W>(_: &Global, _: Option<&str>, _: W) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
    W: FnOnce(Cloud, Stop) -> F,
{
    Err(Failure::new(
        "HPC2002",
        "this hpcctl was built without AWS (cargo feature `aws`)",
        "use --cloud sandbox, or build with default features",
        exit::ERROR,
    ))
}

async fn with_signals<T, F, W>(global: &Global, cloud: Cloud, work: W) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
    W: FnOnce(Cloud, Stop) -> F,
{
    let stop = Stop::default();
    let done = global.signals.during(stop.clone(), work(cloud, stop)).await;
    done.unwrap_or_else(|signals::Interrupted| Err(crate::report::errors::interrupted()))
}

/// The runtime of all commands: one thread.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("HPC2005", format!("failed to start: {error}"), "", exit::ERROR))
}
