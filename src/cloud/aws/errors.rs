//! From the SDK's errors to ours.

use super::super::{CloudError, ErrorKind};
use super::{ca_bundle, error_kinds};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use std::error::Error;

/// What turns an operation's failure into ours; for `map_err`.
pub(super) fn failed<E>(
    service: &'static str,
    operation: &'static str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| {
        let (kind, message) = kind_and_message(&error);
        let code = error.meta().code().map(str::to_owned);
        let request_id = error.request_id().or_else(|| error.meta().request_id()).map(str::to_owned);
        CloudError { kind, service, operation, code, message, request_id }
    }
}

/// A failure that no call to a service reported.
pub(super) fn own(service: &'static str, operation: &'static str, kind: ErrorKind, message: String) -> CloudError {
    CloudError { kind, service, operation, code: None, message, request_id: None }
}

/// A failure before any call.
pub(super) fn configuration(kind: ErrorKind, message: String) -> CloudError {
    own("aws", "configuration", kind, message)
}

fn kind_and_message<E>(error: &SdkError<E, HttpResponse>) -> (ErrorKind, String)
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(error) = credentials_error(error) {
        return (ErrorKind::Credentials, credentials_message(error));
    }
    match error {
        SdkError::ServiceError(failure) => service_failure(failure.err(), failure.raw().status().as_u16()),
        SdkError::ResponseError(failure) => unreadable(failure.raw().status().as_u16()),
        SdkError::ConstructionFailure(_) => (ErrorKind::Invalid, chain(error)),
        _ => (ErrorKind::Network, network_message(error)),
    }
}

fn service_failure<E: ProvideErrorMetadata>(error: &E, status: u16) -> (ErrorKind, String) {
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    if code.is_empty() && (200..300).contains(&status) {
        return unreadable(status);
    }
    let kind = error_kinds::kind(code, message, status);
    let message = if message.is_empty() { format!("HTTP {status}") } else { message.to_owned() };
    (kind, if kind == ErrorKind::Credentials { format!("{message}; {REMEDY}") } else { message })
}

/// What an operation always says, such as the id of what it made; an answer without it is none.
pub(super) fn said(service: &'static str, operation: &'static str, value: Option<&str>) -> Result<String, CloudError> {
    let value = value.filter(|value| !value.is_empty()).map(str::to_owned);
    value.ok_or_else(|| own(service, operation, ErrorKind::Unreadable, unreadable(200).1))
}

/// What came is no answer of AWS: a proxy cut it off, or a log-in page stands in its place.
pub(super) fn unreadable(status: u16) -> (ErrorKind, String) {
    let kind = if (200..300).contains(&status) { ErrorKind::Unreadable } else { error_kinds::kind("", "", status) };
    (kind, format!("an answer that is not the service's (HTTP {status})"))
}

const SOURCES: &str = "set `--profile` or `AWS_PROFILE`, run `aws configure` or `aws sso login`, or set \
     `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`";
const REMEDY: &str =
    "run `aws sso login` or `aws configure`, choose another profile with `--profile`, or renew `AWS_SESSION_TOKEN`";

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    sources(error).find_map(|cause| cause.downcast_ref())
}

fn credentials_message(error: &CredentialsError) -> String {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => format!("no credentials found ({}); {SOURCES}", chain(error)),
        _ => format!("failed to obtain credentials: {}; {REMEDY}", chain(error)),
    }
}

fn network_message(error: &(dyn Error + 'static)) -> String {
    let causes = chain(error);
    if causes.contains("UnknownIssuer") {
        return format!("{causes}; name the CA's certificates in `{}`", ca_bundle::VARIABLE);
    }
    causes
}

/// What the SDK says where the cause says it better.
const EMPTY: [&str; 6] = [
    "",
    "dispatch failure",
    "failed to construct request",
    "io error",
    "other",
    "the credential provider was not enabled",
];

/// An error and its causes, without the SDK's empty words and without telling the same twice.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in sources(error).map(ToString::to_string) {
        if !EMPTY.contains(&cause.as_str()) && !told.iter().any(|before| before.contains(&cause)) {
            told.push(cause);
        }
    }
    if told.is_empty() { error.to_string() } else { told.join(": ") }
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|inner| inner as _)
        }
    }

    fn layers(words: &[&'static str]) -> Layer {
        let (first, rest) = words.split_first().unwrap();
        Layer(first, (!rest.is_empty()).then(|| Box::new(layers(rest))))
    }

    #[test]
    fn causes_are_told_once() {
        let error = layers(&["dispatch failure", "io error", "connect: refused", "refused", "refused"]);
        assert_eq!(chain(&error), "connect: refused");
        assert_eq!(chain(&layers(&["dispatch failure"])), "dispatch failure");
    }

    #[test]
    fn an_unknown_issuer_names_the_remedy() {
        assert!(network_message(&layers(&["invalid peer certificate: UnknownIssuer"])).contains("AWS_CA_BUNDLE"));
    }
}
