//! Settings of Slurm itself.

use super::{
    options::{breaks, twice},
    rules::{names, slurm as rule, unsupported},
    sheet::{Sheet, args},
    slurm_words,
};
use crate::spec::{Cluster, Path, walk::closest};
use std::collections::{BTreeMap, HashMap};

/// Options that hpcctl writes, and the key of this file that sets them.
const OWNED: &[(&str, Option<&str>)] = &[
    ("ClusterName", Some("name")),
    ("SlurmctldHost", None),
    ("SlurmctldAddr", None),
    ("ControlMachine", None),
    ("ControlAddr", None),
    ("BackupController", None),
    ("BackupAddr", None),
    ("SlurmctldPort", None),
    ("SlurmdPort", None),
    ("SlurmUser", None),
    ("SlurmdUser", None),
    ("AuthType", None),
    ("AuthInfo", None),
    ("CredType", None),
    ("StateSaveLocation", None),
    ("SlurmdSpoolDir", None),
    ("SlurmctldPidFile", None),
    ("SlurmdPidFile", None),
    ("NodeName", Some("queues")),
    ("NodeSet", None),
    ("PartitionName", Some("queues")),
    ("DownNodes", None),
    ("FrontendName", None),
    ("Include", None),
    ("ResumeProgram", None),
    ("ResumeFailProgram", None),
    ("SuspendProgram", None),
    ("ResumeRate", None),
    ("SuspendRate", None),
    ("SuspendTime", Some("slurm.idle_seconds")),
    ("ResumeTimeout", Some("slurm.resume_timeout_seconds")),
    ("SuspendTimeout", None),
    ("PrologSlurmctld", None),
    ("Licenses", Some("slurm.licenses")),
    ("GresTypes", None),
    ("SelectType", None),
    ("SelectTypeParameters", Some("slurm.memory_scheduling")),
    ("PreemptType", Some("preempt_mode` of a queue, with `priority_tier")),
    ("PreemptMode", Some("preempt_mode` of a queue, with `priority_tier")),
    ("TopologyPlugin", None),
    ("AccountingStorageType", Some("accounting")),
    ("AccountingStorageHost", Some("accounting")),
    ("AccountingStorageBackupHost", Some("accounting")),
    ("AccountingStoragePort", Some("accounting")),
    ("AccountingStorageUser", Some("accounting")),
    ("AccountingStoragePass", Some("accounting")),
];

/// Options whose value is a whole number.
const NUMBERS: &str = "BatchStartTimeout CompleteWait EioTimeout EpilogMsgTime FirstJobId GetEnvTimeout \
    GroupUpdateForce GroupUpdateTime HealthCheckInterval InactiveLimit JobFileAppend JobRequeue KillOnBadExit \
    KillWait MaxArraySize MaxDBDMsgs MaxJobCount MaxJobId MaxStepCount MaxTasksPerNode MessageTimeout MinJobAge \
    PrologEpilogTimeout PriorityWeightAge PriorityWeightAssoc PriorityWeightFairshare PriorityWeightJobSize \
    PriorityWeightPartition PriorityWeightQOS ReturnToService SchedulerTimeSlice SlurmctldTimeout SlurmdTimeout \
    TCPTimeout UnkillableStepTimeout VSizeFactor WaitTime FairShareDampeningFactor";

/// Options whose value comes from a closed list, of which several may be given.
const CHOICES: &[(&str, &str)] = &[
    ("TaskPlugin", "task/affinity task/cgroup task/none"),
    ("ProctrackType", "proctrack/cgroup proctrack/linuxproc proctrack/pgid"),
    ("JobAcctGatherType", "jobacct_gather/cgroup jobacct_gather/linux jobacct_gather/none"),
    ("SchedulerType", "sched/backfill sched/builtin"),
    ("PriorityType", "priority/basic priority/multifactor"),
    ("EnforcePartLimits", "ALL ANY NO YES"),
    ("DisableRootJobs", "YES NO"),
    ("TrackWCKey", "yes no"),
];

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let at = Path::from("slurm");
    licenses(sheet, cluster, &at.key("licenses"));
    if cluster.slurm.rest {
        sheet.add(&unsupported::REST, at.key("rest"), args! {});
    }
    if cluster.slurm.include.is_some() {
        sheet.add_key(&unsupported::INCLUDE, at.key("include"), args! {});
    }
    let mut seen = BTreeMap::new();
    for (option, value) in cluster.slurm.options.iter().take(1000) {
        let at = at.key("options").key(option);
        if one(sheet, option, value, &at) {
            twice(sheet, &mut seen, option, &at);
            breaks(sheet, value, at, None);
        }
    }
}

fn licenses(sheet: &mut Sheet, cluster: &Cluster, at: &Path) {
    let mut seen: HashMap<&str, Path> = HashMap::new();
    for (i, license) in cluster.slurm.licenses.iter().enumerate() {
        let at = at.index(i).key("name");
        if let Some(first) = seen.get(license.name.as_str()) {
            let args = args! { name: license.name, line: sheet.line(first) };
            sheet.add_with(&names::DUPLICATE_LICENSE, at, vec![(first.clone(), "counted here")], args);
        } else if sheet.is_given(&at) {
            seen.insert(&license.name, at);
        }
    }
}

/// Checks one option; true when it is known and the user's to set.
fn one(sheet: &mut Sheet, option: &str, value: &str, at: &Path) -> bool {
    let same = |name: &&str| name.eq_ignore_ascii_case(option);
    if let Some((name, instead)) = OWNED.iter().find(|(name, _)| same(name)) {
        let mut args = args! { option: name };
        args.extend(instead.map(|key| ("instead", key.to_owned())));
        sheet.add_key(&rule::OWNED_OPTION, at.clone(), args);
        return false;
    }
    let Some(name) = slurm_words::OPTIONS.split_whitespace().find(same) else {
        let mut args = args! { option: option };
        args.extend(
            closest(option, slurm_words::OPTIONS.split_whitespace()).map(|near| ("suggestion", near.to_owned())),
        );
        sheet.add_key(&rule::UNKNOWN_OPTION, at.clone(), args);
        return false;
    };
    if let Some(expected) = expected(name, value) {
        sheet.add(&rule::OPTION_VALUE, at.clone(), args! { option: name, value: value, expected: expected });
    }
    if let Some((_, words)) = slurm_words::LISTS.iter().find(|(list, _)| *list == name) {
        parameters(sheet, name, value, words, at);
    }
    true
}

/// What the value should have been, when it is none that Slurm understands.
fn expected(name: &str, value: &str) -> Option<String> {
    if NUMBERS.split_whitespace().any(|number| number == name) {
        return value.trim().parse::<u64>().is_err().then(|| "a whole number".to_owned());
    }
    if matches!(name, "RequeueExit" | "RequeueExitHold") {
        return (!value.split(',').all(is_exit_code))
            .then(|| "exit codes from 0 to 255, such as `200` or `1-10,200`".to_owned());
    }
    let (_, allowed) = CHOICES.iter().find(|(choice, _)| *choice == name)?;
    let known = |word: &str| allowed.split_whitespace().any(|name| name.eq_ignore_ascii_case(word.trim()));
    (!value.split(',').all(known)).then(|| format!("`{}`", allowed.replace(' ', "`, `")))
}

fn is_exit_code(text: &str) -> bool {
    let code = |text: &str| text.trim().parse::<u8>().is_ok();
    text.split_once('-').map_or_else(|| code(text), |(from, to)| code(from) && code(to))
}

fn parameters(sheet: &mut Sheet, name: &str, value: &str, words: &'static str, at: &Path) {
    for parameter in value.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let word = parameter.split('=').next().unwrap_or(parameter);
        if words.split_whitespace().any(|known| known.eq_ignore_ascii_case(word)) {
            continue;
        }
        let mut args = args! { parameter: word, option: name };
        args.extend(closest(word, words.split_whitespace()).map(|near| ("suggestion", near.to_owned())));
        sheet.add(&rule::UNKNOWN_PARAMETER, at.clone(), args);
    }
}
