//! From a service's error code, words and HTTP status to our kind of failure.
//!
//! Codes: the common errors of each service's API reference, EC2's list
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>) and S3's
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).

use super::super::ErrorKind;

/// The kind of a failure that a service reported.
pub(super) fn kind(code: &str, message: &str, status: u16) -> ErrorKind {
    by_code(code).or_else(|| by_words(code, message)).unwrap_or_else(|| by_status(status))
}

type Test = fn(&str) -> bool;

/// The order matters: `RequestLimitExceeded` is throttling, `VcpuLimitExceeded` a quota.
fn by_code(code: &str) -> Option<ErrorKind> {
    let tests: [(ErrorKind, Test); 10] = [
        (ErrorKind::Credentials, is_credentials),
        (ErrorKind::AccessDenied, is_denied),
        (ErrorKind::Throttled, is_throttled),
        (ErrorKind::PreconditionFailed, |c| matches!(c, "PreconditionFailed" | "ConditionalRequestConflict")),
        (ErrorKind::Capacity, is_capacity),
        (ErrorKind::Quota, is_quota),
        (ErrorKind::AlreadyExists, is_existing),
        (ErrorKind::NotFound, is_missing),
        (ErrorKind::Busy, is_busy),
        (ErrorKind::Unavailable, is_unavailable),
    ];
    tests.into_iter().find(|(_, test)| test(code)).map(|(kind, _)| kind)
}

fn is_credentials(code: &str) -> bool {
    matches!(
        code,
        "AuthFailure"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "InvalidToken"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "TokenRefreshRequired"
            | "UnrecognizedClientException"
    )
}

fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AllAccessDisabled"
            | "NotAuthorized"
            | "OptInRequired"
            | "UnauthorizedAccess"
            | "UnauthorizedOperation"
    )
}

fn is_throttled(code: &str) -> bool {
    code.starts_with("Throttl")
        || matches!(
            code,
            "BandwidthLimitExceeded"
                | "EC2ThrottledException"
                | "PriorRequestNotComplete"
                | "RequestLimitExceeded"
                | "RequestThrottled"
                | "RequestThrottledException"
                | "SlowDown"
                | "TooManyRequestsException"
        )
}

fn is_capacity(code: &str) -> bool {
    code.starts_with("Insufficient") && code.contains("Capacity")
        || matches!(code, "InsufficientFreeAddressesInSubnet" | "UnfulfillableCapacity")
}

fn is_quota(code: &str) -> bool {
    code.contains("LimitExceeded")
        || code.contains("QuotaExceeded")
        || matches!(code, "MaxSpotInstanceCountExceeded" | "TooManyBuckets")
}

fn is_existing(code: &str) -> bool {
    code.contains("AlreadyExist") || code == "BucketAlreadyOwnedByYou" || code.ends_with(".Duplicate")
}

fn is_missing(code: &str) -> bool {
    code.starts_with("NoSuch")
        || ["NotFound", "NotFoundException", "NotFoundFault"].iter().any(|end| code.ends_with(end))
}

fn is_busy(code: &str) -> bool {
    code.trim_end_matches("Exception").ends_with("InProgress")
        || matches!(
            code,
            "ConcurrentModification"
                | "ConcurrentModificationException"
                | "DataRepositoryTaskExecuting"
                | "IncorrectInstanceState"
                | "IncorrectState"
                | "OperationAborted"
                | "ResourceInUse"
                | "VolumeInUse"
        )
}

fn is_unavailable(code: &str) -> bool {
    matches!(
        code,
        "InternalError"
            | "InternalFailure"
            | "InternalServerError"
            | "InternalServiceError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "Unavailable"
    )
}

/// CloudFormation says nearly everything with `ValidationError`: the words tell.
fn by_words(code: &str, message: &str) -> Option<ErrorKind> {
    if code != "ValidationError" {
        return None;
    }
    let about = |noun: &str| message.starts_with(noun) && message.contains("does not exist");
    if about("Stack") || about("ChangeSet") {
        Some(ErrorKind::NotFound)
    } else if message.contains("_IN_PROGRESS state") || message.contains("already in progress") {
        Some(ErrorKind::Busy)
    } else {
        Some(ErrorKind::Invalid)
    }
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Credentials,
        403 => ErrorKind::AccessDenied,
        404 => ErrorKind::NotFound,
        412 => ErrorKind::PreconditionFailed,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Invalid,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_all_services_have_their_kind() {
        for (code, expected) in [
            ("ExpiredToken", ErrorKind::Credentials),
            ("AuthFailure", ErrorKind::Credentials),
            ("UnauthorizedOperation", ErrorKind::AccessDenied),
            ("RequestLimitExceeded", ErrorKind::Throttled),
            ("VcpuLimitExceeded", ErrorKind::Quota),
            ("ServiceLimitExceeded", ErrorKind::Quota),
            ("LimitExceededException", ErrorKind::Quota),
            ("InsufficientInstanceCapacity", ErrorKind::Capacity),
            ("InsufficientCapabilitiesException", ErrorKind::Invalid),
            ("EntityAlreadyExists", ErrorKind::AlreadyExists),
            ("AlreadyExistsException", ErrorKind::AlreadyExists),
            ("InvalidInstanceID.NotFound", ErrorKind::NotFound),
            ("ChangeSetNotFound", ErrorKind::NotFound),
            ("FileSystemNotFound", ErrorKind::NotFound),
            ("NoSuchEntity", ErrorKind::NotFound),
            ("ConditionalRequestConflict", ErrorKind::PreconditionFailed),
            ("DataRepositoryTaskExecuting", ErrorKind::Busy),
            ("OperationInProgressException", ErrorKind::Busy),
            ("InternalFailure", ErrorKind::Unavailable),
            ("InvalidParameterValue", ErrorKind::Invalid),
        ] {
            assert_eq!(kind(code, "", 400), expected, "{code}");
        }
    }

    #[test]
    fn words_and_status_decide_where_codes_do_not() {
        let of = |message| kind("ValidationError", message, 400);
        assert_eq!(of("Stack with id fds-head does not exist"), ErrorKind::NotFound);
        assert_eq!(of("Stack:arn:x is in UPDATE_IN_PROGRESS state and can not be updated."), ErrorKind::Busy);
        assert_eq!(of("Template error: resource Bucket does not exist"), ErrorKind::Invalid);
        assert_eq!(kind("", "", 503), ErrorKind::Unavailable);
        assert_eq!(kind("", "", 412), ErrorKind::PreconditionFailed);
        assert_eq!(kind("", "", 301), ErrorKind::Other);
    }
}
