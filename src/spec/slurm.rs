//! Settings of Slurm itself.

use super::{Arn, S3Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of Slurm itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slurm {
    /// Seconds without work after which a node is given back (SuspendTime).
    #[schemars(range(min = 1, max = 86400))]
    pub idle_seconds: u32,
    /// Seconds that a node may take from launch to work (ResumeTimeout).
    #[schemars(range(min = 60, max = 7200))]
    pub resume_timeout_seconds: u32,
    /// What happens when EC2 cannot give all the nodes of a job.
    pub scaling: Scaling,
    /// Seconds that a pool rests after EC2 had no capacity for it.
    #[schemars(range(min = 0, max = 86400))]
    pub capacity_cooldown_seconds: u32,
    /// Failed node starts in a row after which a queue stops launching.
    #[schemars(range(min = 0, max = 1000))]
    pub protected_failure_count: u32,
    /// Let jobs reserve memory, so that they cannot use more (SelectTypeParameters=CR_CPU_Memory).
    pub memory_scheduling: bool,
    /// Licences that Slurm counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<License>,
    /// The munge key in Secrets Manager, base64; default: one that CloudFormation makes up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub munge_key_secret: Option<Arn>,
    /// The REST interface (slurmrestd) on the head node (not supported yet).
    pub rest: bool,
    /// Any other option of slurm.conf.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"DebugFlags": "NO_CONF_HASH"}]))]
    pub options: BTreeMap<String, String>,
    /// A file in S3 that slurm.conf includes (not supported yet).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<S3Uri>,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            idle_seconds: 600,
            resume_timeout_seconds: 1800,
            scaling: Scaling::default(),
            capacity_cooldown_seconds: 600,
            protected_failure_count: 10,
            memory_scheduling: true,
            licenses: Vec::new(),
            munge_key_secret: None,
            rest: false,
            options: BTreeMap::new(),
            include: None,
        }
    }
}

/// What happens when EC2 cannot give all the nodes of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Give none, and try the next pool.
    #[default]
    AllOrNothing,
    /// Give what there is to the jobs that fit.
    BestEffort,
}

/// A licence that Slurm counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// The name that jobs ask for with `--licenses`.
    #[schemars(
        title = "a licence name: a letter, then letters, digits, dots, hyphens or underscores",
        regex(pattern = "^[A-Za-z][A-Za-z0-9_.-]*$")
    )]
    pub name: String,
    /// How many there are.
    #[schemars(range(min = 1, max = 1000000))]
    pub count: u32,
}
