//! The accounting stack: the database in which Slurm keeps its history.

use super::{DataHolding, DeletionPolicy, Resource, Stack, StackKey, Val, props::Props, site::Site, tags};
use crate::spec::{OnDestroyDatabase, Path, Rds, RdsEngine};

/// RDS for MySQL's long-term support release; 8.0 left standard support in July 2026.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.VersionMgmt.html>
const MYSQL: (&str, &str) = ("8.4.8", "mysql8.4");
/// Aurora MySQL's long-term support release.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraMySQLReleaseNotes/AuroraMySQL.release-calendars.html>
const AURORA: (&str, &str) = ("8.0.mysql_aurora.3.10.3", "aurora-mysql8.0");
/// The administrator, whose password RDS keeps in a secret and changes every seven days.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html>
const ADMINISTRATOR: &str = "hpcctl";
/// The user that slurmdbd connects as: the head node makes it, with rights on its own database alone.
const USER: &str = "slurm";

/// The accounting stack, when a database is to be created.
pub(super) fn accounting(site: Site<'_>) -> Option<Stack> {
    let rds = site.cluster.accounting.as_ref()?.rds.as_ref()?;
    let cause = Path::from("accounting.rds");
    let description = format!("hpcctl cluster {}: Slurm accounting database", site.cluster.name);
    let stack = Stack::new(StackKey::Accounting, description, cause.clone());
    let mut builder = Builder { site, rds, cause, stack };
    builder.subnets();
    builder.user();
    match rds.engine {
        RdsEngine::Mysql => builder.mysql(),
        RdsEngine::AuroraMysqlServerless => builder.aurora(),
    }
    Some(builder.stack)
}

struct Builder<'c> {
    site: Site<'c>,
    rds: &'c Rds,
    cause: Path,
    stack: Stack,
}

impl Builder<'_> {
    fn resource(&self, kind: &'static str, name: &str) -> Resource {
        let tags = tags::named(self.site.cluster, "accounting", &format!("accounting-{}", name.replace('_', "-")));
        Resource::new(kind, format!("accounting.{name}"), self.cause.clone()).set("Tags", tags)
    }

    fn subnets(&mut self) {
        let own: Vec<Val> = self.rds.subnets.iter().map(|subnet| subnet.as_str().into()).collect();
        let subnets = if own.is_empty() { self.site.compute_subnets(&mut self.stack) } else { own };
        let group = self
            .resource("AWS::RDS::DBSubnetGroup", "subnet_group")
            .set("DBSubnetGroupDescription", "Subnets of the Slurm accounting database")
            .set("SubnetIds", subnets)
            .because("SubnetIds", self.cause.key("subnets"));
        self.stack.add("SubnetGroup", group);
    }

    /// The password of slurmdbd's user: letters and digits, so that it is the same word in SQL and slurmdbd.conf.
    fn user(&mut self) {
        let generate = Props::new()
            .set("SecretStringTemplate", format!(r#"{{"username": "{USER}"}}"#))
            .set("GenerateStringKey", "password")
            .set("PasswordLength", 40_u32)
            .set("ExcludePunctuation", true);
        let secret = self
            .resource("AWS::SecretsManager::Secret", "user_secret")
            .set("Description", format!("Database user of slurmdbd of {}", self.site.cluster.name))
            .set("GenerateSecretString", generate);
        let secret = self.stack.add("UserSecret", secret);
        self.stack.output("DatabaseSecretArn", secret);
        self.stack.output("DatabaseUser", USER);
    }

    /// What slurmdbd wants of InnoDB. To this comes, in each engine's own words, no connection in the clear.
    /// <https://slurm.schedmd.com/accounting.html#slurm-accounting-configuration-before-build>
    fn parameters(&self) -> Props {
        Props::new().set("innodb_lock_wait_timeout", "900").set("max_allowed_packet", "16777216")
    }

    fn mysql(&mut self) {
        let parameters = self
            .parameters()
            .set("innodb_buffer_pool_size", "{DBInstanceClassMemory/2}")
            .set("require_secure_transport", "1");
        let group = self
            .resource("AWS::RDS::DBParameterGroup", "parameter_group")
            .set("Family", MYSQL.1)
            .set("Description", "What slurmdbd wants of MySQL")
            .set("Parameters", parameters);
        let group = self.stack.add("ParameterGroup", group);
        let security = self.site.group(&mut self.stack, "DatabaseSecurityGroup");
        let class = self.rds.instance_class.as_ref().map_or("db.t4g.medium", |class| class.as_str());
        let instance = self
            .protected(self.resource("AWS::RDS::DBInstance", "database"))
            .set("Engine", "mysql")
            .set("EngineVersion", MYSQL.0)
            .set("DBInstanceClass", class)
            .set("AllocatedStorage", self.rds.storage_gib.unwrap_or(20).to_string())
            .set("StorageType", "gp3")
            .set("MultiAZ", self.rds.multi_az)
            .set("PubliclyAccessible", false)
            .set("AutoMinorVersionUpgrade", true)
            .set("CACertificateIdentifier", "rds-ca-rsa2048-g1")
            .set("DBParameterGroupName", group)
            .set("VPCSecurityGroups", vec![security])
            .set("BackupRetentionPeriod", self.rds.backup_days)
            .set("EnableCloudwatchLogsExports", Val::list(["error"]))
            .because("DBInstanceClass", self.cause.key("instance_class"))
            .because("AllocatedStorage", self.cause.key("storage_gib"))
            .because("MultiAZ", self.cause.key("multi_az"))
            .because("Engine", self.cause.key("engine"));
        self.stack.add("Database", instance);
        self.outputs("Database");
    }

    /// CloudFormation keeps the type of a logical id, so none of these is one of MySQL's.
    fn aurora(&mut self) {
        let group = self
            .resource("AWS::RDS::DBClusterParameterGroup", "parameter_group")
            .set("Family", AURORA.1)
            .set("Description", "What slurmdbd wants of Aurora MySQL")
            .set("Parameters", self.parameters().set("require_secure_transport", "ON"));
        let group = self.stack.add("ClusterParameterGroup", group);
        let security = self.site.group(&mut self.stack, "DatabaseSecurityGroup");
        let capacity = Props::new()
            .set("MinCapacity", self.rds.min_acu.unwrap_or(0.5))
            .set("MaxCapacity", self.rds.max_acu.unwrap_or(4.0));
        let cluster = self
            .protected(self.resource("AWS::RDS::DBCluster", "database"))
            .set("Engine", "aurora-mysql")
            .set("EngineVersion", AURORA.0)
            .set("DBClusterParameterGroupName", group)
            .set("VpcSecurityGroupIds", vec![security])
            .set("ServerlessV2ScalingConfiguration", capacity)
            .set("BackupRetentionPeriod", self.rds.backup_days)
            .set("EnableCloudwatchLogsExports", Val::list(["error"]))
            .because("ServerlessV2ScalingConfiguration/MinCapacity", self.cause.key("min_acu"))
            .because("ServerlessV2ScalingConfiguration/MaxCapacity", self.cause.key("max_acu"))
            .because("Engine", self.cause.key("engine"));
        self.stack.add("DatabaseCluster", cluster);
        let instance = self
            .resource("AWS::RDS::DBInstance", "instance")
            .set("Engine", "aurora-mysql")
            .set("DBClusterIdentifier", Val::reference("DatabaseCluster"))
            .set("DBInstanceClass", "db.serverless")
            .set("DBSubnetGroupName", Val::reference("SubnetGroup"))
            .set("PubliclyAccessible", false)
            .set("AutoMinorVersionUpgrade", true);
        self.stack.add("DatabaseClusterInstance", instance);
        self.outputs("DatabaseCluster");
    }

    /// What both engines share: encryption, a password that only Secrets Manager knows, and what becomes
    /// of the data.
    fn protected(&self, resource: Resource) -> Resource {
        let deletion = match self.rds.on_destroy {
            OnDestroyDatabase::Snapshot => DeletionPolicy::Snapshot,
            OnDestroyDatabase::Keep => DeletionPolicy::Retain,
            OnDestroyDatabase::Discard => DeletionPolicy::Delete,
        };
        resource
            .set("MasterUsername", ADMINISTRATOR)
            .set("ManageMasterUserPassword", true)
            .set("StorageEncrypted", true)
            .set("CopyTagsToSnapshot", true)
            .set("DeletionProtection", self.rds.deletion_protection)
            .set("DBSubnetGroupName", Val::reference("SubnetGroup"))
            .because("DeletionProtection", self.cause.key("deletion_protection"))
            .because("BackupRetentionPeriod", self.cause.key("backup_days"))
            .holding(DataHolding::Database, deletion)
    }

    fn outputs(&mut self, database: &str) {
        self.stack.output("DatabaseHost", Val::att(database, "Endpoint.Address"));
        self.stack.output("DatabasePort", Val::att(database, "Endpoint.Port"));
        self.stack.output("DatabaseAdministratorSecretArn", Val::att(database, "MasterUserSecret.SecretArn"));
    }
}

/// The secrets that the head node reads: that of slurmdbd's user, and of the administrator who makes it.
pub(super) fn secrets(site: Site<'_>, stack: &mut Stack) -> Vec<Val> {
    let Some(accounting) = &site.cluster.accounting else { return Vec::new() };
    if accounting.rds.is_some() {
        let names = ["DatabaseSecretArn", "DatabaseAdministratorSecretArn"];
        return names.map(|name| stack.take(&StackKey::Accounting, name, "String")).to_vec();
    }
    accounting.external.iter().map(|external| external.password_secret.as_str().into()).collect()
}
