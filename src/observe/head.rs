//! What the head node says of the revision that it runs: its report, and the log of a set-up that failed.

use super::{Live, SlurmReport, keys};
use crate::{
    cloud::{Cloud, CloudError, Timestamp},
    model::StackKey,
};

/// The output of the head stack with the instance's id.
const INSTANCE_OUTPUT: &str = "HeadInstanceId";
/// What the log of a failed set-up begins with; `templates/shell/head.sh` writes it.
const SET_UP_MARK: &str = "hpcctl set-up failed:";
/// What the node's own scripts say begins so, after the time.
const OWN_WORDS: &str = "hpcctl: ";

/// The log of a set-up that failed: `clusters/NAME/status/set-up.log`, which the head node writes when its set-up fails
/// and nobody takes away. It counts for its revision on its instance, until a report says that this revision runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpLog {
    /// The revision.
    pub revision: u64,
    /// The instance.
    pub instance: String,
    /// Whether it was the first boot, after which nothing tries again by itself.
    pub first_boot: bool,
    /// When, in the node's words.
    pub at: String,
    /// The end of the log.
    pub lines: Vec<String>,
}

impl SetUpLog {
    /// Reads a log; `None` when it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let head = lines.next()?.strip_prefix(SET_UP_MARK)?;
        let of = |name: &str| head.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        Some(Self {
            revision: of("revision")?.parse().ok()?,
            instance: of("instance")?.to_owned(),
            first_boot: of("mode") == Some("start"),
            at: of("at").unwrap_or_default().to_owned(),
            lines: lines.map(str::to_owned).collect(),
        })
    }

    /// The line that says what failed.
    pub fn line(&self) -> String {
        failing_line(&self.lines).unwrap_or_else(|| "the log says nothing".to_owned())
    }
}

/// The line of a log that says what failed: the last one that the node's own scripts wrote, without its time; else the
/// last one.
pub fn failing_line(lines: &[String]) -> Option<String> {
    let own = lines.iter().rev().find_map(|line| line.split_once(OWN_WORDS).map(|(_, words)| words));
    let last = || lines.iter().rev().map(String::as_str).find(|line| !line.trim().is_empty());
    own.or_else(last).map(|line| line.trim().to_owned())
}

/// The head node, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadNode {
    /// Its instance.
    pub instance: String,
    /// When the instance was launched, when EC2 shows it.
    pub launched: Option<Timestamp>,
    /// The revision that it reports; none: it has not reported yet.
    pub reported: Option<u64>,
    /// The set-up of a newer revision that failed, or of the reported one.
    pub failed: Option<HeadFailure>,
}

/// A set-up that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadFailure {
    /// The revision.
    pub revision: u64,
    /// What failed, in one line.
    pub line: String,
    /// The end of the log, when there is one.
    pub log: Vec<String>,
    /// Whether the head node tries again by itself.
    pub tries_again: bool,
}

impl HeadNode {
    /// The head node of a cluster; `None` when it has none.
    pub fn of(live: &Live) -> Option<Self> {
        let head = live.stacks.get(&StackKey::Head)?;
        let instance = head.state.outputs.get(INSTANCE_OUTPUT)?;
        let shown = live.instances.iter().find(|one| one.id == *instance);
        let said = HeadSays { report: live.slurm.clone(), log: live.set_up.clone() };
        Some(said.of_instance(instance, shown.map(|one| one.launched)))
    }

    /// Whether it runs this revision, or a newer one, and nothing of it failed.
    pub fn runs(&self, revision: u64) -> bool {
        self.failed.is_none() && self.reported.is_some_and(|reported| reported >= revision)
    }

    /// What failed of this revision or a newer one.
    pub fn failure_of(&self, revision: u64) -> Option<&HeadFailure> {
        self.failed.as_ref().filter(|failed| failed.revision >= revision)
    }
}

/// Report and log, as they are in the artifact bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadSays {
    /// The report.
    pub report: Option<SlurmReport>,
    /// The log of the set-up that failed last.
    pub log: Option<SetUpLog>,
}

impl HeadSays {
    /// Reads both.
    ///
    /// # Errors
    /// When S3 does not answer or refuses.
    pub async fn read(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Self, CloudError> {
        let report = cloud.objects.get(bucket, &keys::slurm_report(cluster)).await?;
        let log = cloud.objects.get(bucket, &keys::set_up_log(cluster)).await?;
        Ok(Self {
            report: report.and_then(|(text, _)| SlurmReport::parse(&text)),
            log: log.and_then(|(text, _)| SetUpLog::parse(&text)),
        })
    }

    /// What of it is of this instance: what an instance said that is no more counts for nothing.
    pub fn of_instance(&self, instance: &str, launched: Option<Timestamp>) -> HeadNode {
        // An hpcctl before format 1.1 did not say which instance reports.
        let own = |report: &&SlurmReport| report.instance.as_deref().is_none_or(|id| id == instance);
        let report = self.report.as_ref().filter(own);
        let reported = report.map(|report| report.revision);
        let said = report.and_then(|report| Some((report.revision, report.set_up_failed.clone()?)));
        let fine = report.filter(|report| report.set_up_failed.is_none()).map(|report| report.revision);
        let log =
            self.log.as_ref().filter(|log| log.instance == instance && fine.is_none_or(|fine| fine < log.revision));
        let failed = match (log, said) {
            (Some(log), _) => Some(HeadFailure {
                revision: log.revision,
                line: log.line(),
                log: log.lines.clone(),
                tries_again: !log.first_boot,
            }),
            (None, Some((revision, line))) => Some(HeadFailure { revision, line, log: Vec::new(), tries_again: true }),
            (None, None) => None,
        };
        HeadNode { instance: instance.to_owned(), launched, reported, failed }
    }
}

/// The head node's instance as its stack names it; `None`: there is no head node.
///
/// # Errors
/// When CloudFormation does not answer.
pub async fn head_instance(cloud: &Cloud, cluster: &str) -> Result<Option<String>, CloudError> {
    let stack = cloud.stacks.stack(&StackKey::Head.stack_name(cluster)).await?;
    Ok(stack.and_then(|stack| stack.outputs.get(INSTANCE_OUTPUT).cloned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn log(revision: u64, instance: &str) -> SetUpLog {
        let text = format!(
            "hpcctl set-up failed: revision={revision} instance={instance} mode=start at=2026-01-01T00:09:00Z\n\
             mount.lustre: no such host\n2026-01-01T00:09:00Z hpcctl: set-up failed in line 7: mount_all\n\n"
        );
        SetUpLog::parse(text.as_bytes()).unwrap()
    }

    fn report(revision: u64, instance: Option<&str>) -> SlurmReport {
        SlurmReport {
            kind: super::super::SLURM_REPORT_KIND.to_owned(),
            format_version: super::super::SLURM_REPORT_FORMAT.to_owned(),
            cluster: "c".to_owned(),
            revision,
            instance: instance.map(str::to_owned),
            at: Timestamp(0),
            set_up_failed: None,
            queues: Vec::new(),
        }
    }

    #[test]
    fn a_log_says_which_line_failed() {
        let log = log(4, "i-1");
        assert_eq!((log.revision, log.first_boot, log.at.as_str()), (4, true, "2026-01-01T00:09:00Z"));
        assert_eq!(log.line(), "set-up failed in line 7: mount_all");
        assert_eq!(SetUpLog::parse(b"something else"), None);
        assert_eq!(failing_line(&["a".to_owned(), "b ".to_owned(), String::new()]).as_deref(), Some("b"));
        assert_eq!(failing_line(&[]), None);
    }

    #[test]
    fn what_another_instance_said_does_not_count() {
        let of = |report, log| HeadSays { report: Some(report), log }.of_instance("i-2", None);
        assert!(of(report(4, Some("i-2")), None).runs(4));
        assert!(!of(report(4, Some("i-1")), None).runs(4));
        assert!(of(report(4, None), None).runs(4));
        assert!(!of(report(3, Some("i-2")), None).runs(4));
        assert!(of(report(4, Some("i-2")), Some(log(4, "i-1"))).runs(4));
        let failed = of(report(3, Some("i-2")), Some(log(4, "i-2")));
        assert_eq!(failed.failure_of(4).map(|failure| failure.tries_again), Some(false));
        assert_eq!(failed.failure_of(5), None);
        // A later report that it runs takes an older failure back.
        assert!(of(report(4, Some("i-2")), Some(log(4, "i-2"))).runs(4));
    }
}
