//! The instance metadata service, version 2, through the SDK's own client: it keeps the token and renews it.
//!
//! `AWS_EC2_METADATA_SERVICE_ENDPOINT` names another server. `AWS_EC2_METADATA_DISABLED` keeps the SDK from looking for
//! credentials there; this port is asked on purpose, and asks.

use super::super::{CloudError, ErrorKind, Interruption, Metadata, Result, Timestamp};
use super::{
    errors::{chain, own},
    http::{self, Proxies},
};
use async_trait::async_trait;
use aws_config::{
    imds::client::{Client, error::ImdsError},
    provider_config::ProviderConfig,
};
use aws_smithy_types::{DateTime, date_time::Format};
use serde_json::Value;
use std::time::Duration;

/// The service answers within milliseconds or not at all, and two minutes are too short for long time-outs.
const ATTEMPT: Duration = Duration::from_secs(1);
const IN_ALL: Duration = Duration::from_secs(3);

/// The instance metadata service.
pub(super) struct Imds(Client);

impl Imds {
    /// Calls nothing yet. A proxy never sees these requests: the address is link-local.
    pub(super) fn new() -> Self {
        let config = ProviderConfig::without_region().with_http_client(http::client(None, Proxies::None));
        let client = Client::builder().configure(&config).max_attempts(2);
        let client = client.connect_timeout(ATTEMPT).read_timeout(ATTEMPT);
        Self(client.operation_attempt_timeout(ATTEMPT).operation_timeout(IN_ALL).build())
    }

    /// A document; `None` when the service has none.
    async fn get(&self, operation: &'static str, path: &str) -> Result<Option<String>> {
        match self.0.get(format!("/latest/meta-data/{path}")).await {
            Ok(text) => Ok(Some(text.as_ref().to_owned())),
            Err(ImdsError::ErrorResponse(context)) => match context.response().status().as_u16() {
                404 => Ok(None),
                status => Err(failed(operation, ErrorKind::Unavailable, format!("HTTP {status}"))),
            },
            Err(error) => Err(failed(operation, ErrorKind::Network, chain(&error))),
        }
    }

    /// A JSON document and the time in one of its fields.
    async fn timed(&self, operation: &'static str, path: &str, field: &str) -> Result<Option<(Value, Timestamp)>> {
        let Some(text) = self.get(operation, path).await? else { return Ok(None) };
        let parsed = serde_json::from_str::<Value>(&text).ok().and_then(|value| {
            let time = DateTime::from_str(value.get(field)?.as_str()?, Format::DateTime).ok()?;
            Some((value, Timestamp(time.secs())))
        });
        let strange = || failed(operation, ErrorKind::Other, format!("`{field}` is no time in `{}`", text.trim()));
        parsed.map(Some).ok_or_else(strange)
    }
}

fn failed(operation: &'static str, kind: ErrorKind, message: String) -> CloudError {
    own("imds", operation, kind, message)
}

#[async_trait]
impl Metadata for Imds {
    async fn instance_id(&self) -> Result<String> {
        let id = self.get("instance-id", "instance-id").await?;
        id.ok_or_else(|| failed("instance-id", ErrorKind::NotFound, "there is none".to_owned()))
    }

    async fn tag(&self, key: &str) -> Result<Option<String>> {
        self.get("tags", &format!("tags/instance/{key}")).await
    }

    async fn interruption(&self) -> Result<Option<Interruption>> {
        let found = self.timed("spot/instance-action", "spot/instance-action", "time").await?;
        Ok(found.map(|(notice, at)| {
            let action = notice.get("action").and_then(Value::as_str).unwrap_or("terminate");
            Interruption { action: action.to_owned(), at }
        }))
    }

    async fn rebalance(&self) -> Result<Option<Timestamp>> {
        let path = "events/recommendations/rebalance";
        Ok(self.timed(path, path, "noticeTime").await?.map(|(_, at)| at))
    }
}
