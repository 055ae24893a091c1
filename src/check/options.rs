//! Options of node and partition lines.

use super::{
    rules::{capacity as rule, slurm},
    sheet::{Sheet, args},
    slurm_words,
};
use crate::spec::{Path, walk::closest};
use std::collections::BTreeMap;

/// Options of a node line that hpcctl writes, and the key of this file that sets them.
const OWNED_NODE: &[(&str, Option<&str>)] = &[
    ("NodeName", None),
    ("NodeHostname", None),
    ("NodeAddr", None),
    ("Port", None),
    ("State", None),
    ("Boards", None),
    ("CPUs", None),
    ("Procs", None),
    ("Sockets", None),
    ("SocketsPerBoard", None),
    ("CoresPerSocket", None),
    ("ThreadsPerCore", Some("hyperthreading")),
    ("RealMemory", Some("schedulable_memory_mib")),
    ("Gres", None),
    ("Feature", Some("features")),
    ("Features", Some("features")),
    ("Weight", Some("weight")),
    ("InstanceId", None),
    ("InstanceType", None),
];

/// Options of a partition line that hpcctl writes, and the key of this file that sets them.
const OWNED_PARTITION: &[(&str, Option<&str>)] = &[
    ("PartitionName", Some("name")),
    ("Nodes", None),
    ("Default", Some("default")),
    ("MaxTime", Some("max_time")),
    ("DefaultTime", Some("default_time")),
    ("MinNodes", Some("min_nodes_per_job")),
    ("MaxNodes", Some("max_nodes_per_job")),
    ("PriorityTier", Some("priority_tier")),
    ("PreemptMode", Some("preempt_mode")),
    ("AllowAccounts", Some("allow_accounts")),
    ("AllowGroups", Some("allow_groups")),
    ("State", None),
    ("SuspendTime", Some("idle_seconds")),
    ("ResumeTimeout", Some("slurm.resume_timeout_seconds")),
    ("SuspendTimeout", None),
];

pub(super) fn node(sheet: &mut Sheet, options: &BTreeMap<String, String>, at: &Path) {
    line(sheet, options, at, OWNED_NODE, slurm_words::NODE_OPTIONS);
}

pub(super) fn partition(sheet: &mut Sheet, options: &BTreeMap<String, String>, at: &Path) {
    line(sheet, options, at, OWNED_PARTITION, slurm_words::PARTITION_OPTIONS);
}

fn line(
    sheet: &mut Sheet,
    options: &BTreeMap<String, String>,
    at: &Path,
    owned: &[(&str, Option<&str>)],
    known: &'static str,
) {
    let mut seen = BTreeMap::new();
    for (option, value) in options.iter().take(1000) {
        let at = at.key(option);
        if let Some((name, instead)) = owned.iter().find(|(name, _)| name.eq_ignore_ascii_case(option)) {
            let mut args = args! { option: name };
            args.extend(instead.map(|key| ("instead", key.to_owned())));
            sheet.add_key(&rule::OWNED_LINE_OPTION, at, args);
            continue;
        }
        if !known.split_whitespace().any(|name| name.eq_ignore_ascii_case(option)) {
            let mut args = args! { option: option };
            args.extend(closest(option, known.split_whitespace()).map(|near| ("suggestion", near.to_owned())));
            sheet.add_key(&rule::UNKNOWN_LINE_OPTION, at, args);
            continue;
        }
        twice(sheet, &mut seen, option, &at);
        let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
        let space = value.contains(char::is_whitespace) && !quoted;
        breaks(sheet, value, at, if space { Some("space") } else { None });
    }
}

/// Slurm reads options without regard to case.
pub(super) fn twice(sheet: &mut Sheet, seen: &mut BTreeMap<String, String>, option: &str, at: &Path) {
    if let Some(other) = seen.insert(option.to_ascii_lowercase(), option.to_owned()) {
        sheet.add_key(&slurm::OPTION_TWICE, at.clone(), args! { option: option, other: other });
    }
}

/// Characters that would end a value early.
pub(super) fn breaks(sheet: &mut Sheet, value: &str, at: Path, also: Option<&str>) {
    let what = if value.contains(['\n', '\r']) {
        Some("line break")
    } else if value.contains('#') {
        Some("`#`")
    } else {
        also
    };
    if let Some(what) = what {
        sheet.add(&slurm::OPTION_LINE, at, args! { what: what });
    }
}
