//! What can go wrong between hpcctl and a cloud.

use std::fmt;

/// A result of a port.
pub type Result<T> = std::result::Result<T, CloudError>;

/// A call that failed, after the retries that its kind deserves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    /// What kind of failure it is; this is what callers decide by.
    pub kind: ErrorKind,
    /// The service, such as `cloudformation`.
    pub service: &'static str,
    /// The operation, such as `CreateStack`.
    pub operation: &'static str,
    /// The service's own error code, such as `AlreadyExistsException`.
    pub code: Option<String>,
    /// The service's own words.
    pub message: String,
    /// The request's id, for a support case.
    pub request_id: Option<String>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There are no credentials, or they have expired.
    Credentials,
    /// The credentials do not allow the call.
    AccessDenied,
    /// The thing does not exist.
    NotFound,
    /// The thing exists already.
    AlreadyExists,
    /// A condition on the call does not hold (S3 `If-Match`, `If-None-Match`).
    PreconditionFailed,
    /// The thing is busy with something else.
    Busy,
    /// The request is wrong.
    Invalid,
    /// A quota is used up.
    Quota,
    /// The service has no capacity.
    Capacity,
    /// Too many calls; retries were used up.
    Throttled,
    /// The service failed; retries were used up.
    Unavailable,
    /// No answer: network, DNS, TLS, time-out.
    Network,
    /// An answer that is not the service's: cut off, empty, or a web page.
    Unreadable,
    /// Not called at all: the cluster's lock is somebody else's now.
    LockLost,
    /// Not called at all: the lock could not be renewed in time, for the reason that the message gives.
    LeaseEnded,
    /// The sandbox was told to crash here.
    Crash,
    /// Anything else.
    Other,
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.operation)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for CloudError {}
