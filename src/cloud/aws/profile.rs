//! The credentials of a profile that the user named.

use aws_config::{SdkConfig, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig};
use aws_credential_types::provider::{
    self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};
use aws_sdk_s3::config::SharedHttpClient;

/// A configuration that takes credentials from this profile only. The SDK's own chain would look at
/// `AWS_ACCESS_KEY_ID` first and so work in another account than `--profile` says; the AWS CLI does not.
pub(super) fn only(sdk: SdkConfig, http: SharedHttpClient, profile: &str) -> SdkConfig {
    let mut config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_behavior_version(sdk.behavior_version())
        .with_http_client(http);
    if let Some(sleep) = sdk.sleep_impl() {
        config = config.with_sleep_impl(sleep);
    }
    let files = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
    let named = Named { files, profile: profile.to_owned() };
    sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(named)).build()
}

/// The profile's provider, which tells its name when there is nothing.
#[derive(Debug)]
struct Named {
    files: ProfileFileCredentialsProvider,
    profile: String,
}

impl Named {
    async fn credentials(&self) -> provider::Result {
        match self.files.provide_credentials().await {
            Err(CredentialsError::CredentialsNotLoaded(_)) => {
                let message = format!("profile `{}` does not exist or has no credentials", self.profile);
                Err(CredentialsError::not_loaded(message))
            }
            other => other,
        }
    }
}

impl ProvideCredentials for Named {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
