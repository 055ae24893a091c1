//! What nodes may do: the profile of a node, and the statements that all kinds of nodes share.

use super::{
    Stack, StackKey, Val, iam, names,
    policy::{self, Statement},
    site::Site,
};
use crate::spec::{CustomActions, Dcv, NodeIam, Path, S3Access, S3Uri};

/// What the agent of Session Manager calls, so that nobody needs a key or an open port. Amazon's managed policy for it
/// reads every parameter of the account besides.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html>
const SESSION_MANAGER: [&str; 5] = [
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// A node's rights, as the cluster file and its kind want them.
pub(super) struct NodeRole<'c> {
    /// The first part of logical ids, such as `Head`.
    pub(super) id: String,
    /// The first part of addresses, such as `head` or `queue.cfd`.
    pub(super) address: String,
    /// The block of the cluster file.
    pub(super) cause: Path,
    /// What the user adds or replaces.
    pub(super) iam: Option<&'c NodeIam>,
    /// The user's scripts.
    pub(super) actions: Option<&'c CustomActions>,
    /// What this kind of node may do.
    pub(super) statements: Vec<Statement>,
}

/// An instance profile by name (instances) and by ARN (launch templates).
pub(super) struct Profile {
    pub(super) name: Val,
    pub(super) arn: Val,
}

impl NodeRole<'_> {
    /// Adds role and profile to the stack, unless the user has their own.
    pub(super) fn build(self, site: Site<'_>, stack: &mut Stack) -> Profile {
        let user = |key: &str| self.cause.key("iam").key(key);
        if let Some(own) = self.iam.and_then(|iam| iam.instance_profile.as_ref()) {
            return Profile { name: iam::name_of(own).into(), arn: own.as_str().into() };
        }
        let (profile_id, profile_address) =
            (format!("{}Profile", self.id), format!("{}.instance_profile", self.address));
        let role = match self.iam.and_then(|iam| iam.role.as_ref()) {
            Some(own) => Val::from(iam::name_of(own)),
            None => self.role(site, stack),
        };
        let profile = iam::profile(site, profile_address, self.cause.clone(), role).because("Roles", user("role"));
        let name = stack.add(profile_id.clone(), profile);
        Profile { name, arn: Val::att(profile_id, "Arn") }
    }

    fn role(&self, site: Site<'_>, stack: &mut Stack) -> Val {
        let mut statements = self.statements.clone();
        statements.push(session_manager());
        statements.extend(user_access(self.iam, self.actions));
        let users = self.iam.map(|iam| &iam.policies[..]).unwrap_or_default();
        let managed: Vec<Val> = users.iter().map(|policy| Val::from(policy.as_str())).collect();
        // In China EC2 goes by its name there.
        let service = format!("ec2.{}", names::dns_suffix(site.cluster));
        let role = iam::role(site, format!("{}.role", self.address), self.cause.clone(), &service)
            .some("ManagedPolicyArns", managed)
            .set("Policies", iam::inline("node", policy::document(statements)))
            .because("ManagedPolicyArns", self.cause.key("iam").key("policies"))
            .because("Policies", self.cause.key("iam").key("s3_access"));
        stack.add(format!("{}Role", self.id), role)
    }
}

/// None of the agent's calls knows resources.
fn session_manager() -> Statement {
    let region = Val::reference("AWS::Region");
    Statement::allow("SessionManager", &SESSION_MANAGER).on("*").when("StringEquals", "aws:RequestedRegion", region)
}

/// A compute node learns its name from the object of the launch that it came from.
pub(super) fn read_launches(site: Site<'_>) -> Statement {
    let prefix = names::prefix(site.cluster);
    Statement::allow("ReadLaunches", &["s3:GetObject"])
        .on(format!("arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{prefix}/launches/*"))
}

/// A login node learns the head node's address from the object that the head node writes.
pub(super) fn read_head_address(site: Site<'_>) -> Statement {
    let (prefix, name) = (names::prefix(site.cluster), names::HEAD_ADDRESS);
    Statement::allow("ReadHeadAddress", &["s3:GetObject"])
        .on(format!("arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{prefix}/launches/{name}.json"))
}

/// Reading the files of a kind of node (`None`: everything of the cluster) and hpcctl itself.
pub(super) fn read_artifacts(site: Site<'_>, kind: Option<&str>) -> Vec<Statement> {
    let prefix = names::prefix(site.cluster);
    let (folder, more) = match kind {
        Some(kind) => (format!("{prefix}/current/{kind}/*"), Some(format!("{prefix}/current/cluster.json"))),
        None => (format!("{prefix}/*"), None),
    };
    let object = |key: &str| format!("arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{key}");
    let read = Statement::allow("ReadArtifacts", &["s3:GetObject", "s3:GetObjectVersion"]).on(object(&folder));
    let read = more.iter().fold(read, |all, key| all.on(object(key))).on(object("bin/*"));
    let list = Statement::allow("ListArtifacts", &["s3:ListBucket"])
        .on("arn:${AWS::Partition}:s3:::${ArtifactBucket}")
        .when("StringLike", "s3:prefix", folder);
    vec![read, list]
}

/// Writing to the cluster's log group.
pub(super) fn write_logs(site: Site<'_>) -> Option<Statement> {
    let arn = site.log_group_arn();
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"];
    let write = Statement::allow("WriteLogs", &actions).on(format!("{arn}:*"));
    site.cluster.monitoring.logs.enabled.then_some(write)
}

/// Reading the munge key, the user's or the one that the storage stack makes: for the head node alone, which hands it
/// on to the others.
pub(super) fn read_munge_key(site: Site<'_>, stack: &mut Stack) -> Statement {
    let secret = match &site.cluster.slurm.munge_key_secret {
        Some(own) => own.as_str().into(),
        None => stack.take(&StackKey::Storage, "MungeSecretArn", "String"),
    };
    Statement::allow("ReadMungeKey", &["secretsmanager:GetSecretValue"]).on_val(secret)
}

/// A compute node's launch is a tag; instances on Xen cannot read it in their metadata.
pub(super) fn read_tags() -> Statement {
    let region = Val::reference("AWS::Region");
    Statement::allow("ReadTags", &["ec2:DescribeTags"]).on("*").when("StringEquals", "aws:RequestedRegion", region)
}

/// The licence of DCV, which Amazon keeps in a bucket of its own for instances in EC2.
/// <https://docs.aws.amazon.com/dcv/latest/adminguide/setting-up-license.html>
pub(super) fn dcv_licence(dcv: Option<&Dcv>) -> Option<Statement> {
    let read = Statement::allow("DcvLicence", &["s3:GetObject"]);
    dcv.map(|_| read.on("arn:${AWS::Partition}:s3:::dcv-license.${AWS::Region}/*"))
}

/// What the user's access to S3 and scripts need.
fn user_access(iam: Option<&NodeIam>, actions: Option<&CustomActions>) -> Vec<Statement> {
    let mut statements = Vec::new();
    let access = iam.map(|iam| &iam.s3_access[..]).unwrap_or_default();
    let writable: Vec<&S3Access> = access.iter().filter(|access| access.write).collect();
    if !access.is_empty() {
        let read = Statement::allow("UserRead", &["s3:GetObject", "s3:GetObjectVersion"]);
        statements.push(access.iter().fold(read, |all, access| all.on(objects(&access.uri))));
        statements.push(list(access));
    }
    if !writable.is_empty() {
        let actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
        let write = Statement::allow("UserWrite", &actions);
        statements.push(writable.iter().fold(write, |all, access| all.on(objects(&access.uri))));
    }
    statements.extend(actions.and_then(read_scripts));
    statements
}

fn read_scripts(actions: &CustomActions) -> Option<Statement> {
    let all = actions.on_start.iter().chain(&actions.on_configured).chain(&actions.on_updated);
    let mut arns: Vec<String> = all.map(|action| object(&action.script)).collect();
    arns.sort();
    arns.dedup();
    let read = Statement::allow("UserScripts", &["s3:GetObject"]);
    (!arns.is_empty()).then(|| arns.iter().fold(read, |all, arn| all.on(arn)))
}

/// Listing the buckets: whole ones, as a condition on prefixes would have to be a statement for each.
fn list(access: &[S3Access]) -> Statement {
    let mut buckets: Vec<&str> = access.iter().map(|access| access.uri.bucket()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let all = Statement::allow("UserList", &["s3:ListBucket", "s3:GetBucketLocation"]);
    buckets.iter().fold(all, |all, bucket| all.on(format!("arn:${{AWS::Partition}}:s3:::{bucket}")))
}

fn object(uri: &S3Uri) -> String {
    format!("arn:${{AWS::Partition}}:s3:::{}/{}", uri.bucket(), uri.prefix())
}

fn objects(uri: &S3Uri) -> String {
    match uri.prefix() {
        "" => format!("arn:${{AWS::Partition}}:s3:::{}/*", uri.bucket()),
        prefix => format!("arn:${{AWS::Partition}}:s3:::{}/{prefix}/*", uri.bucket()),
    }
}
