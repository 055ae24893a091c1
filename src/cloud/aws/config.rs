//! The SDK's configuration: region, profile, HTTP client, retries, names.

use super::super::{ErrorKind, Result};
use super::{AwsOptions, ca_bundle, endpoints, errors::configuration, http, retry};
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::tls::TrustStore;
use std::path::PathBuf;

/// What the services are opened with.
pub(super) struct Settings {
    /// For all clients.
    pub(super) sdk: SdkConfig,
    /// The region.
    pub(super) region: String,
    /// Where S3 is, when it is not AWS's.
    pub(super) foreign_s3: Option<String>,
}

/// Reads the configuration.
pub(super) async fn load(options: &AwsOptions) -> Result<Settings> {
    let trust = trust(options)?;
    let sdk = loader(options, trust.clone()).load().await;
    let sdk = if endpoints::any_on_loopback(&sdk) {
        sdk.into_builder().http_client(http::client(trust, http::Proxies::None)).build()
    } else {
        sdk
    };
    let region = sdk.region().map(ToString::to_string).ok_or_else(no_region)?;
    let foreign_s3 = endpoints::of(&sdk, "S3").filter(|url| endpoints::is_foreign(url));
    Ok(Settings { sdk, region, foreign_s3 })
}

/// The behaviour version is written down: a newer SDK must not change retries or time-outs behind our back.
fn loader(options: &AwsOptions, trust: Option<TrustStore>) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http::client(trust, http::Proxies::FromEnvironment))
        .retry_config(retry::retries())
        .timeout_config(retry::timeouts());
    // A slash is not allowed in the name: `app/hpcctl-0.1.0` in the user agent.
    if let Ok(name) = AppName::new(concat!("hpcctl-", env!("CARGO_PKG_VERSION"))) {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader
}

fn trust(options: &AwsOptions) -> Result<Option<TrustStore>> {
    let variable = || std::env::var_os(ca_bundle::VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let file = options.ca_file.clone().or_else(variable);
    file.map(|file| ca_bundle::trust(&file)).transpose()
}

fn no_region() -> super::super::CloudError {
    let message = "no region: give `region` in the cluster file, `--region`, or `AWS_REGION`";
    configuration(ErrorKind::Invalid, message.to_owned())
}
