//! Where Slurm keeps its job accounting.

use super::{Arn, DbInstanceClass, HostName, SubnetId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The accounting database: one to create (`rds`), or one that exists (`external`, `external_slurmdbd`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Create a database in Amazon RDS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rds: Option<Rds>,
    /// Use a MySQL or MariaDB database that exists. Several clusters can share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalDatabase>,
    /// Use a slurmdbd that runs elsewhere (not supported yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_slurmdbd: Option<ExternalSlurmdbd>,
    /// The database's name; default: `slurm_acct_db`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "a database name: a letter, then up to 63 letters, digits or underscores",
        regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,63}$")
    )]
    pub database: Option<String>,
    /// Months after which job records are removed; default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1200))]
    pub purge_after_months: Option<u32>,
}

/// A database in Amazon RDS, encrypted, with a master password that RDS keeps in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rds {
    /// The engine.
    #[serde(default)]
    pub engine: RdsEngine,
    /// The instance class (`engine: mysql`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_class: Option<DbInstanceClass>,
    /// Storage in GiB (`engine: mysql`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 65536))]
    pub storage_gib: Option<u32>,
    /// A standby in a second zone (`engine: mysql`).
    #[serde(default)]
    pub multi_az: bool,
    /// The least capacity in Aurora capacity units (`engine: aurora-mysql-serverless`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 256.0))]
    pub min_acu: Option<f64>,
    /// The most capacity in Aurora capacity units (`engine: aurora-mysql-serverless`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 256.0))]
    pub max_acu: Option<f64>,
    /// Days that automatic backups are kept.
    #[serde(default = "backup_days")]
    #[schemars(range(min = 1, max = 35))]
    pub backup_days: u32,
    /// The subnets of the database, in two zones at least; default: the network's compute subnets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<SubnetId>,
    /// Refuse to delete the database.
    #[serde(default)]
    pub deletion_protection: bool,
    /// What `destroy` does with the accounting history.
    #[serde(default)]
    pub on_destroy: OnDestroyDatabase,
}

/// Database engines for accounting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RdsEngine {
    /// RDS for MySQL.
    #[default]
    Mysql,
    /// Aurora MySQL, serverless v2.
    AuroraMysqlServerless,
}

/// What happens to the accounting history when the database must go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDestroyDatabase {
    /// Make a snapshot first.
    #[default]
    Snapshot,
    /// Keep the database outside the cluster.
    Keep,
    /// Delete it.
    Discard,
}

/// A database that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalDatabase {
    /// Its host.
    pub host: HostName,
    /// Its port.
    #[serde(default = "mysql_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u32,
    /// The user.
    #[schemars(length(min = 1, max = 32))]
    pub user: String,
    /// The secret in Secrets Manager that holds the password. Never the password itself.
    pub password_secret: Arn,
}

/// A slurmdbd that runs elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalSlurmdbd {
    /// Its host.
    pub host: HostName,
    /// Its port.
    #[serde(default = "slurmdbd_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u32,
}

fn backup_days() -> u32 {
    7
}

fn mysql_port() -> u32 {
    3306
}

fn slurmdbd_port() -> u32 {
    6819
}
