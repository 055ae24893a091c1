//! What a call to a service failed with.

use super::{Failure, exit};
use crate::{
    apply::ApplyError,
    cloud::{CloudError, ErrorKind, rights},
};

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        if matches!(error.kind, ErrorKind::LockLost | ErrorKind::LeaseEnded) {
            return ApplyError::from(error).into();
        }
        let request = error.request_id.iter().map(|id| format!("request id {id}")).collect();
        let (code, remedy) = code_and_remedy(&error);
        Failure::new(code, format!("failed to call {error}"), remedy, exit::ERROR).with(request)
    }
}

fn code_and_remedy(error: &CloudError) -> (&'static str, String) {
    let (code, remedy) = match error.kind {
        ErrorKind::AccessDenied if error.operation == "HeadBucket" => (
            "HPC2170",
            "ask for `s3:ListBucket` on the artifact bucket; if you have it, the bucket belongs to another account: \
             do not use it, and tell AWS",
        ),
        ErrorKind::Credentials => {
            ("HPC2002", "set AWS_PROFILE or --profile, or log in; `--cloud sandbox` needs no account")
        }
        ErrorKind::AccessDenied => {
            let actions = rights::actions_of(error.service, error.operation);
            return ("HPC2004", format!("ask for {}; `hpcctl iam policy` prints all that is needed", listed(&actions)));
        }
        ErrorKind::Network => {
            ("HPC2001", "check the network, the region and AWS_ENDPOINT_URL, then run the same command again")
        }
        ErrorKind::Unreadable => (
            "HPC2001",
            "a proxy or a log-in page stands between here and AWS: check HTTPS_PROXY and AWS_ENDPOINT_URL, log in \
             there, then run the same command again",
        ),
        ErrorKind::Throttled | ErrorKind::Unavailable => ("HPC2001", "run the same command again in a few minutes"),
        ErrorKind::Quota => ("HPC2001", "ask AWS for a higher quota"),
        ErrorKind::Invalid if error.service == "sandbox" => ("HPC2001", "mend what it names"),
        ErrorKind::Invalid if error.service == "cloudformation" => (
            "HPC2001",
            "running it again changes nothing: see the template with `hpcctl render FILE`, and please report this",
        ),
        ErrorKind::Invalid => ("HPC2001", "running it again changes nothing: mend what the service names"),
        ErrorKind::NotFound => ("HPC2001", "somebody else may have deleted it: look with `hpcctl status FILE`"),
        ErrorKind::Busy | ErrorKind::AlreadyExists | ErrorKind::PreconditionFailed => {
            ("HPC2001", "somebody else works on it: look with `hpcctl status FILE`, then run the same command again")
        }
        ErrorKind::Capacity | ErrorKind::Crash | ErrorKind::LockLost | ErrorKind::LeaseEnded | ErrorKind::Other => {
            ("HPC2001", "every command can be run again")
        }
    };
    (code, remedy.to_owned())
}

/// Actions as words: `` `a` and `b` ``.
fn listed(actions: &[String]) -> String {
    let quoted: Vec<String> = actions.iter().map(|action| format!("`{action}`")).collect();
    quoted.join(" and ")
}
