//! The SDK's configuration: region, profile, HTTP client, retries, names.

use super::super::{ErrorKind, Result};
use super::{AwsOptions, ca_bundle, endpoints, errors::configuration, http, profile, retry};
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::tls::TrustStore;
use std::path::PathBuf;

/// The builder of a service's configuration, with what holds for all services: `configured!(aws_sdk_ec2, settings)`.
macro_rules! configured {
    ($sdk:ident, $settings:expr) => {
        $sdk::config::Builder::from(&$settings.sdk)
            .retry_classifier($crate::cloud::aws::retry::UntrustedForGood)
            .interceptor($crate::cloud::aws::answers::WholeAnswers)
    };
}
pub(super) use configured;

/// A service's client.
macro_rules! client {
    ($sdk:ident, $settings:expr) => {
        $sdk::Client::from_conf($crate::cloud::aws::config::configured!($sdk, $settings).build())
    };
}
pub(super) use client;

/// What the services are opened with.
pub(super) struct Settings {
    /// For all clients.
    pub(super) sdk: SdkConfig,
    /// The region.
    pub(super) region: String,
    /// Whether S3 is somebody else's: then buckets are addressed by path.
    pub(super) foreign_s3: bool,
}

/// Reads the configuration.
pub(super) async fn load(options: &AwsOptions) -> Result<Settings> {
    let trust = trust(options)?;
    let http = http::client(trust.clone(), http::Proxies::FromEnvironment);
    let sdk = loader(options, http.clone()).load().await;
    let sdk = match &options.profile {
        Some(profile) => profile::only(sdk, http, profile),
        None => sdk,
    };
    let sdk = if endpoints::any_on_loopback(&sdk) {
        sdk.into_builder().http_client(http::client(trust, http::Proxies::None)).build()
    } else {
        sdk
    };
    let region = sdk.region().map(ToString::to_string).ok_or_else(no_region)?;
    let foreign_s3 = endpoints::of(&sdk, "S3").is_some_and(|url| endpoints::is_foreign(&url));
    Ok(Settings { sdk, region, foreign_s3 })
}

/// The behaviour version is written down: a newer SDK must not change retries or time-outs behind our back.
fn loader(options: &AwsOptions, http: SharedHttpClient) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
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
