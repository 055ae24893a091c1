//! What is read of a cluster's bucket. `tests/fuzz.rs` feeds it.

use super::{Answer, Kept, LockInfo, OrderDocument, Revision, SetUpLog, SlurmReport, failing_line};
use crate::cloud::Timestamp;
use serde::de::DeserializeOwned;

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] = &[
    ("lock", lock),
    ("revision", document::<Revision>),
    ("kept", document::<Vec<Kept>>),
    ("order-document", document::<OrderDocument>),
    ("answer", document::<Answer>),
    ("head-report", |text| SlurmReport::parse(text).is_some()),
    ("set-up-log", set_up_log),
];

fn document<T: DeserializeOwned>(text: &[u8]) -> bool {
    serde_json::from_slice::<T>(text).is_ok()
}

fn lock(text: &[u8]) -> bool {
    serde_json::from_slice::<LockInfo>(text).is_ok_and(|lock| lock.is_fresh(Timestamp(1_767_225_600)))
}

fn set_up_log(text: &[u8]) -> bool {
    SetUpLog::parse(text).is_some_and(|log| !log.line().is_empty() || failing_line(&log.lines).is_some())
}
