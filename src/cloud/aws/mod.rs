//! AWS: the ports, spoken through the AWS SDK.
//!
//! In: a profile, a region, a CA file, and what the SDK reads by itself (environment, `~/.aws`, SSO, roles).
//!
//! Out: [`open`] gives a [`Cloud`]. Every failure is a [`CloudError`](super::CloudError) with a kind, the
//! service's own code and words, and the request's id.
//!
//! Calls are retried in the SDK's standard mode; where a retry could be mistaken for a second wish (a stack,
//! a conditional write) the adapter finds out whether its own first attempt had come through.
//!
//! Never: a type of the SDK outside this folder, a decision, a word on stdout or stderr.

mod answers;
mod ca_bundle;
mod change_sets;
mod clock;
mod compute;
mod config;
mod drift;
mod endpoints;
mod error_kinds;
mod errors;
mod events;
mod existence;
mod experiment_role;
mod experiments;
mod file_systems;
mod fleet;
mod health;
mod holdings;
mod http;
mod identity;
mod instance_types;
mod inventory;
mod logs;
mod metadata;
mod objects;
mod profile;
mod retry;
mod stack_state;
mod stacks;
mod tasks;
mod template_url;
mod values;
mod versions;
mod volumes;

use super::{Cloud, CloudKind, Result};
use std::{path::PathBuf, sync::Arc};

/// How to reach AWS; what is not given is found as the AWS CLI finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsOptions {
    /// A profile of `~/.aws/config`; none: `AWS_PROFILE`, else `default`.
    pub profile: Option<String>,
    /// The region; none: `AWS_REGION`, else the profile's, else that of the machine.
    pub region: Option<String>,
    /// Certificates to trust instead of the system's (PEM); none: `AWS_CA_BUNDLE`.
    pub ca_file: Option<PathBuf>,
}

/// Opens AWS. With a region given this calls nothing yet: missing credentials show at the first call.
///
/// # Errors
/// When there is no region, or when the CA file cannot be used.
pub async fn open(options: AwsOptions) -> Result<Cloud> {
    let settings = config::load(&options).await?;
    Ok(Cloud {
        kind: CloudKind::Aws,
        region: settings.region.clone(),
        stacks: Arc::new(stacks::CloudFormation::new(&settings)),
        objects: Arc::new(objects::S3::new(&settings)),
        file_systems: Arc::new(file_systems::Fsx::new(&settings)),
        compute: Arc::new(compute::Ec2::new(&settings)),
        identity: Arc::new(identity::Accounts::new(&settings)),
        inventory: Arc::new(inventory::Ground::new(&settings)),
        experiments: Arc::new(experiments::Fis::new(&settings)),
        logs: Arc::new(logs::CloudWatchLogs::new(&settings)),
        metadata: Arc::new(metadata::Imds::new()),
        clock: Arc::new(clock::SystemClock),
    })
}
