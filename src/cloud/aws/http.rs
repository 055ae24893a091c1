//! The HTTP client of all services: rustls with ring, the system's or the user's certificates, proxies.

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

/// Whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxies {
    /// They do, as with the AWS CLI.
    FromEnvironment,
    /// They do not: a service is on this machine.
    None,
}

/// A client. It is built by hand because the SDK's default one brings a second crypto library and a C compiler.
pub(super) fn client(trust: Option<TrustStore>, proxies: Proxies) -> SharedHttpClient {
    let trust = trust.unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Ok(context) = TlsContext::builder().with_trust_store(trust.clone()).build() {
            connector = connector.tls_context(context);
        }
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(match proxies {
            Proxies::FromEnvironment => ProxyConfig::from_env(),
            Proxies::None => ProxyConfig::disabled(),
        }));
        connector.build()
    })
}
