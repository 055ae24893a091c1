//! What the programs on nodes read that others have written. `tests/fuzz.rs` feeds them.

use super::{HeadAddress, Launch, Rest, hostlist, parse_resume_file, slurm, slurm_jobs, sync};
use crate::render::{NodeConfig, PoolConfig};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] = &[
    ("host-list", host_list),
    ("resume-file", resume_file),
    ("ledger", document::<Launch>),
    ("sync-memory", document::<sync::Memory>),
    ("pools-memory", document::<BTreeMap<String, Rest>>),
    ("head-address", document::<HeadAddress>),
    ("node-config", document::<NodeConfig>),
    ("pool-config", document::<PoolConfig>),
    ("order", order),
    ("scontrol-node", |text| slurm::node(&String::from_utf8_lossy(text)).is_some()),
    ("scontrol-partition", |text| slurm::partition(&String::from_utf8_lossy(text)).is_some()),
    ("squeue", |text| slurm::job(&String::from_utf8_lossy(text)).is_ok_and(|job| job.is_some())),
    ("squeue-node", |text| slurm_jobs::job(&String::from_utf8_lossy(text)).is_some()),
];

fn document<T: DeserializeOwned>(text: &[u8]) -> bool {
    serde_json::from_slice::<T>(text).is_ok()
}

fn order(text: &[u8]) -> bool {
    sync::orders::parse(text, "clusters/c/orders/20260101T000000Z-0a1b.json").is_ok()
}

/// What was expanded is compressed again, and that says the same.
fn host_list(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Ok(names) = hostlist::expand(&text) else { return false };
    let short = hostlist::compress(names.iter().map(String::as_str));
    let plain = names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    if let Some(mut again) = hostlist::expand(&short).ok().filter(|_| plain) {
        let mut names = names;
        for list in [&mut names, &mut again] {
            list.sort();
            list.dedup();
        }
        assert!(names == again, "{text} is not {short}");
    }
    true
}

fn resume_file(text: &[u8]) -> bool {
    let nodes = ["q-od-1".to_owned(), "q-od-2".to_owned()];
    let text = String::from_utf8_lossy(text);
    let jobs = parse_resume_file(Some(&text), &nodes, &mut |_| {});
    assert!(nodes.iter().all(|node| jobs.iter().filter(|job| job.nodes.contains(node)).count() == 1));
    jobs.iter().any(|job| job.id > 0)
}
