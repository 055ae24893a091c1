//! `slurm.options`: the user's options of slurm.conf over the ones that the template writes.
//!
//! Slurm complains of an option that comes twice and takes the last, so ours give way: an option with one
//! value is commented out, one that is a list (`SlurmctldParameters`) keeps what the cluster needs to work and
//! gets the user's items added.

use super::conf_line::{quoted, same};
use std::collections::BTreeMap;

/// Options whose value is a list.
const LISTS: &[&str] = &[
    "AccountingStorageTRES",
    "AuthInfo",
    "CommunicationParameters",
    "DebugFlags",
    "GresTypes",
    "JobSubmitPlugins",
    "LaunchParameters",
    "Licenses",
    "PrivateData",
    "PrologFlags",
    "PropagateResourceLimitsExcept",
    "SchedulerParameters",
    "SlurmctldParameters",
    "SlurmdParameters",
    "SuspendExcNodes",
];

/// The text with the user's options in it; those that it does not know come last.
pub(super) fn overlay(text: &str, options: &BTreeMap<String, String>) -> String {
    let mut rest: BTreeMap<&String, String> = options.iter().map(|(key, value)| (key, value.clone())).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(&with_options(line, &mut rest));
        out.push('\n');
    }
    if !rest.is_empty() {
        out.push_str("\n# --- From `slurm.options` of the cluster file\n");
        for (key, value) in rest {
            out.push_str(&format!("{key}={}\n", quoted(&value)));
        }
    }
    out
}

/// A line of ours after the user's options had their say.
fn with_options(line: &str, rest: &mut BTreeMap<&String, String>) -> String {
    let Some((key, ours)) = line.split_once('=').filter(|(key, _)| is_option(key)) else { return line.to_owned() };
    let Some(theirs) = rest.keys().find(|theirs| same(theirs, key)).copied() else {
        return line.to_owned();
    };
    if !LISTS.iter().any(|list| list.eq_ignore_ascii_case(key)) {
        return format!("# {line}  (slurm.options has another)");
    }
    let added = rest.remove(theirs).unwrap_or_default();
    format!("{key}={}", joined(ours, &added))
}

/// Whether the word before `=` begins a line that sets one global option.
fn is_option(key: &str) -> bool {
    let many = ["NodeName", "NodeSet", "PartitionName", "SlurmctldHost", "DownNodes"];
    !key.is_empty() && key.chars().all(|char| char.is_ascii_alphanumeric()) && !many.contains(&key)
}

/// Two lists as one; an item such as `power_save_interval=5` gives way to its like.
fn joined(ours: &str, theirs: &str) -> String {
    let name = |item: &str| item.split(['=', ':']).next().unwrap_or(item).to_ascii_lowercase();
    let items = |list: &str| -> Vec<String> {
        list.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    };
    let theirs = items(theirs);
    let mut all = items(ours);
    // Node lists hold commas in brackets: they are joined as they are.
    if all.iter().chain(&theirs).any(|item| item.contains(['[', ']'])) {
        all.extend(theirs);
        return all.join(",");
    }
    all.retain(|item| !theirs.iter().any(|other| name(other) == name(item)));
    all.extend(theirs);
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaid(text: &str, pairs: &[(&str, &str)]) -> String {
        overlay(text, &pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn ours_gives_way_and_stays_readable() {
        let text = "# SlurmdTimeout is short\nSlurmdTimeout=180\nMessageTimeout=60\n";
        let out = overlaid(text, &[("slurmdtimeout", "300")]);
        assert!(out.contains("\n# SlurmdTimeout=180  (slurm.options has another)\nMessageTimeout=60\n"), "{out}");
        assert!(out.ends_with("\nslurmdtimeout=300\n"), "{out}");
    }

    #[test]
    fn lists_keep_what_the_cluster_needs() {
        let text = "SlurmctldParameters=enable_configless,power_save_interval=5\n";
        let out = overlaid(text, &[("SlurmctldParameters", "power_save_interval=30,preempt_send_user_signal")]);
        assert_eq!(out, "SlurmctldParameters=enable_configless,power_save_interval=30,preempt_send_user_signal\n");
        assert_eq!(joined("a-b-[1-2,4]", "c-[1-2]"), "a-b-[1-2,4],c-[1-2]");
    }

    #[test]
    fn nothing_changes_without_options_and_nodes_are_no_option() {
        assert_eq!(overlaid("A=1\n", &[]), "A=1\n");
        assert!(overlaid("NodeName=a CPUs=2\n", &[("NodeName", "x")]).starts_with("NodeName=a CPUs=2\n"));
    }
}
