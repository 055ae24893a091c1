//! The rights that hpcctl's own commands need: a table of every call that the ports make, and the policies that follow.
//!
//! A call stands in the table under the name by which the service logs it, with the actions that IAM knows it by. What
//! CloudFormation does with the caller's rights comes from the providers' own lists
//! ([`crate::catalog::handler_actions`]), narrowed to calls that come through CloudFormation.

use super::RightsQuestion;
use crate::catalog::{handler_actions, region};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// `plan`, `status`, `list`, `history`: to look.
    Plan,
    /// `apply`, `destroy`: to build; with all that a plan looks at.
    Apply,
    /// `export-fsx`, `logs`, `ssh`, `queue`, `fleet`, `interrupt`: to use a cluster.
    Operate,
}

/// On what a call works, as narrow as IAM lets it be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    /// The action takes no resource, or nobody knows which.
    Any,
    /// The cluster's stacks and that of the account.
    Stacks,
    /// The artifact bucket itself.
    Bucket,
    /// What is in the artifact bucket.
    Objects,
    /// Buckets that the file names.
    Buckets,
    /// What is in them: reports of data-repository tasks.
    Reports,
    /// Instances that carry the cluster's tag.
    Instances,
    /// Volumes that carry the cluster's tag, and instances that have them.
    Volumes,
    /// File systems and their tasks.
    FileSystems,
    /// The cluster's log group.
    Logs,
    /// Roles and instance profiles of the cluster.
    Roles,
    /// The cluster's roles, whoever asks.
    RoleTags,
    /// Instance profiles that the file may name.
    Profiles,
    /// The role whose session calls, below whatever path.
    CallersRole,
    /// The role of experiments.
    ExperimentRole,
    /// Experiments, their templates and what these may do.
    Experiments,
    /// KMS keys that the file names.
    Keys,
    /// Secrets that the file names.
    Secrets,
    /// Capacity reservations, which may be another account's.
    Reservations,
}

/// A call: service and operation as they are logged, IAM's actions, on what, and who makes it.
type Call = (&'static str, &'static str, &'static [&'static str], On, &'static [Purpose]);

use Purpose::{Apply, Operate, Plan};
const LOOK: &[Purpose] = &[Plan, Apply];
const ALL: &[Purpose] = &[Plan, Apply, Operate];
const BUILD: &[Purpose] = &[Apply];
const USE: &[Purpose] = &[Operate];
const BOTH: &[Purpose] = &[Apply, Operate];

/// Every call that the ports make off the nodes.
#[rustfmt::skip]
const CALLS: &[Call] = &[
    ("sts", "GetCallerIdentity", &["sts:GetCallerIdentity"], On::Any, ALL),
    ("cloudformation", "DescribeStacks", &["cloudformation:DescribeStacks"], On::Any, ALL),
    ("cloudformation", "GetTemplate", &["cloudformation:GetTemplate"], On::Stacks, ALL),
    ("cloudformation", "ListStackResources", &["cloudformation:ListStackResources"], On::Stacks, ALL),
    ("cloudformation", "DescribeStackEvents", &["cloudformation:DescribeStackEvents"], On::Stacks, BUILD),
    ("cloudformation", "CreateChangeSet", &["cloudformation:CreateChangeSet"], On::Stacks, LOOK),
    ("cloudformation", "DescribeChangeSet", &["cloudformation:DescribeChangeSet"], On::Stacks, LOOK),
    ("cloudformation", "DeleteChangeSet", &["cloudformation:DeleteChangeSet"], On::Stacks, LOOK),
    ("cloudformation", "DetectStackDrift", &["cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"], On::Stacks, LOOK),
    ("cloudformation", "DetectStackResourceDrift", &["cloudformation:DetectStackResourceDrift"], On::Stacks, LOOK),
    ("cloudformation", "DescribeStackDriftDetectionStatus", &["cloudformation:DescribeStackDriftDetectionStatus"], On::Any, LOOK),
    ("cloudformation", "DescribeStackResourceDrifts", &["cloudformation:DescribeStackResourceDrifts"], On::Stacks, LOOK),
    ("cloudformation", "CreateStack", &["cloudformation:CreateStack", "cloudformation:TagResource"], On::Stacks, BUILD),
    ("cloudformation", "UpdateStack", &["cloudformation:UpdateStack", "cloudformation:UntagResource"], On::Stacks, BUILD),
    ("cloudformation", "DeleteStack", &["cloudformation:DeleteStack"], On::Stacks, BUILD),
    ("cloudformation", "ContinueUpdateRollback", &["cloudformation:ContinueUpdateRollback"], On::Stacks, BUILD),
    ("cloudformation", "UpdateTerminationProtection", &["cloudformation:UpdateTerminationProtection"], On::Stacks, BUILD),
    ("s3", "HeadBucket", &["s3:ListBucket"], On::Buckets, LOOK),
    ("s3", "ListObjectsV2", &["s3:ListBucket"], On::Bucket, ALL),
    ("s3", "ListObjectVersions", &["s3:ListBucketVersions"], On::Bucket, BUILD),
    ("s3", "GetObject", &["s3:GetObject"], On::Objects, ALL),
    ("s3", "PutObject", &["s3:PutObject"], On::Objects, BOTH),
    ("s3", "HeadObject", &["s3:GetObject"], On::Objects, BUILD),
    ("s3", "DeleteObject", &["s3:DeleteObject"], On::Objects, BOTH),
    ("s3", "DeleteObjects", &["s3:DeleteObject", "s3:DeleteObjectVersion"], On::Objects, BUILD),
    ("ec2", "DescribeInstances", &["ec2:DescribeInstances"], On::Any, ALL),
    ("ec2", "DescribeSubnets", &["ec2:DescribeSubnets"], On::Any, LOOK),
    ("ec2", "DescribeImages", &["ec2:DescribeImages"], On::Any, LOOK),
    ("ec2", "DescribeVpcs", &["ec2:DescribeVpcs"], On::Any, LOOK),
    ("ec2", "DescribeSecurityGroups", &["ec2:DescribeSecurityGroups"], On::Any, LOOK),
    ("ec2", "DescribeKeyPairs", &["ec2:DescribeKeyPairs"], On::Any, LOOK),
    ("ec2", "DescribeInstanceTypeOfferings", &["ec2:DescribeInstanceTypeOfferings"], On::Any, LOOK),
    ("ec2", "DescribeInstanceTypes", &["ec2:DescribeInstanceTypes"], On::Any, LOOK),
    ("ec2", "DescribeCapacityReservations", &["ec2:DescribeCapacityReservations"], On::Any, LOOK),
    ("ec2", "DescribeAddresses", &["ec2:DescribeAddresses"], On::Any, LOOK),
    ("ec2", "DescribeTags", &["ec2:DescribeTags"], On::Any, ALL),
    ("ec2", "DescribeLaunchTemplates", &["ec2:DescribeLaunchTemplates"], On::Any, LOOK),
    ("ec2", "DescribePlacementGroups", &["ec2:DescribePlacementGroups"], On::Any, LOOK),
    ("ec2", "DescribeVolumes", &["ec2:DescribeVolumes"], On::Any, ALL),
    ("ec2", "DescribeSnapshots", &["ec2:DescribeSnapshots"], On::Any, LOOK),
    ("ec2", "DescribeVolumesModifications", &["ec2:DescribeVolumesModifications"], On::Any, LOOK),
    ("ec2", "DetachVolume", &["ec2:DetachVolume"], On::Volumes, BUILD),
    ("ec2", "StopInstances", &["ec2:StopInstances"], On::Instances, BUILD),
    ("ec2", "StartInstances", &["ec2:StartInstances"], On::Instances, BUILD),
    ("ec2", "ModifyInstanceAttribute", &["ec2:ModifyInstanceAttribute"], On::Instances, BUILD),
    ("ec2", "TerminateInstances", &["ec2:TerminateInstances"], On::Instances, BUILD),
    ("ec2", "DescribeInstanceAttribute", &["ec2:DescribeInstanceAttribute"], On::Instances, LOOK),
    ("ec2", "GetConsoleOutput", &["ec2:GetConsoleOutput"], On::Instances, ALL),
    ("kms", "DescribeKey", &["kms:DescribeKey"], On::Keys, LOOK),
    ("secretsmanager", "DescribeSecret", &["secretsmanager:DescribeSecret"], On::Secrets, LOOK),
    ("ec2", "GetGroupsForCapacityReservation", &["ec2:GetGroupsForCapacityReservation"], On::Reservations, LOOK),
    ("servicequotas", "GetServiceQuota", &["servicequotas:GetServiceQuota"], On::Any, LOOK),
    ("iam", "SimulatePrincipalPolicy", &["iam:SimulatePrincipalPolicy"], On::Any, LOOK),
    ("iam", "GetRole", &["iam:GetRole"], On::CallersRole, LOOK),
    ("iam", "ListRoles", &["iam:ListRoles"], On::Any, LOOK),
    ("iam", "ListRoleTags", &["iam:ListRoleTags"], On::RoleTags, LOOK),
    ("iam", "GetInstanceProfile", &["iam:GetInstanceProfile"], On::Profiles, LOOK),
    ("fsx", "DescribeFileSystems", &["fsx:DescribeFileSystems"], On::Any, ALL),
    ("fsx", "DescribeDataRepositoryAssociations", &["fsx:DescribeDataRepositoryAssociations"], On::Any, ALL),
    ("fsx", "DescribeDataRepositoryTasks", &["fsx:DescribeDataRepositoryTasks"], On::Any, ALL),
    ("fsx", "UpdateDataRepositoryAssociation", &["fsx:UpdateDataRepositoryAssociation"], On::FileSystems, BOTH),
    ("fsx", "CreateDataRepositoryTask", &["fsx:CreateDataRepositoryTask", "fsx:TagResource"], On::FileSystems, BOTH),
    ("fsx", "CancelDataRepositoryTask", &["fsx:CancelDataRepositoryTask"], On::FileSystems, BOTH),
    ("s3", "GetObject", &["s3:GetObject"], On::Reports, BOTH),
    ("logs", "DescribeLogGroups", &["logs:DescribeLogGroups"], On::Any, LOOK),
    ("logs", "FilterLogEvents", &["logs:FilterLogEvents"], On::Logs, USE),
    ("fis", "CreateExperimentTemplate", &["fis:CreateExperimentTemplate", "fis:TagResource"], On::Experiments, USE),
    ("fis", "StartExperiment", &["fis:StartExperiment"], On::Experiments, USE),
    ("fis", "GetExperiment", &["fis:GetExperiment"], On::Experiments, USE),
    ("fis", "DeleteExperimentTemplate", &["fis:DeleteExperimentTemplate"], On::Experiments, USE),
    ("iam", "GetRole", &["iam:GetRole"], On::ExperimentRole, USE),
    ("iam", "CreateRole", &["iam:CreateRole", "iam:TagRole"], On::ExperimentRole, USE),
    ("iam", "PutRolePolicy", &["iam:PutRolePolicy", "iam:PassRole"], On::ExperimentRole, USE),
    ("iam", "DeleteRolePolicy", &["iam:DeleteRolePolicy"], On::ExperimentRole, BOTH),
    ("iam", "DeleteRole", &["iam:DeleteRole"], On::ExperimentRole, BOTH),
];

/// The types of everything that some cluster file makes, without `AWS::`.
#[rustfmt::skip]
const MADE: &[&str] = &[
    "AutoScaling::AutoScalingGroup", "Budgets::Budget", "CloudWatch::Alarm", "CloudWatch::Dashboard", "EC2::EIP",
    "EC2::FlowLog", "EC2::Instance", "EC2::InternetGateway", "EC2::LaunchTemplate", "EC2::NatGateway",
    "EC2::PlacementGroup", "EC2::Route", "EC2::RouteTable", "EC2::SecurityGroup", "EC2::SecurityGroupEgress",
    "EC2::SecurityGroupIngress", "EC2::Subnet", "EC2::SubnetRouteTableAssociation", "EC2::VPC", "EC2::VPCEndpoint",
    "EC2::VPCGatewayAttachment", "EC2::Volume", "EFS::FileSystem", "EFS::MountTarget", "ElasticLoadBalancingV2::Listener",
    "ElasticLoadBalancingV2::LoadBalancer", "ElasticLoadBalancingV2::TargetGroup", "FSx::DataRepositoryAssociation",
    "FSx::FileSystem", "IAM::InstanceProfile", "IAM::Role", "Logs::LogGroup", "RDS::DBCluster",
    "RDS::DBClusterParameterGroup", "RDS::DBInstance", "RDS::DBParameterGroup", "RDS::DBSubnetGroup", "S3::Bucket",
    "S3::BucketPolicy", "SNS::Subscription", "SNS::Topic", "SecretsManager::Secret",
];

/// Where a policy holds; what nobody knows is a star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The cluster's name.
    pub cluster: String,
    /// The IAM path of the cluster's roles, such as `/hpcctl/fds-smv/`.
    pub iam_path: String,
    /// Buckets that the file names.
    pub buckets: BTreeSet<String>,
    /// ARNs of KMS keys that the file names.
    pub keys: BTreeSet<String>,
    /// ARNs of secrets that the file names.
    pub secrets: BTreeSet<String>,
    /// ARNs of roles that somebody else made and the file gives to nodes.
    pub passed: BTreeSet<String>,
    /// CloudFormation's types of what the file makes.
    pub types: BTreeSet<String>,
}

/// A statement of a policy that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub sid: String,
    /// What it allows.
    pub actions: BTreeSet<String>,
    /// On what.
    pub resources: Vec<String>,
    /// Only under these conditions.
    pub condition: Option<Value>,
}

/// Every call of the table, as the services log it.
pub fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
    CALLS.iter().map(|(service, operation, ..)| (*service, *operation))
}

/// The actions that IAM knows a call by, such as `s3:ListBucket` for `HeadBucket`; where the two have one name, that.
pub fn actions_of(service: &str, operation: &str) -> Vec<String> {
    let known = CALLS.iter().find(|call| (call.0, call.1) == (service, operation));
    let same = || vec![format!("{service}:{operation}")];
    known.map_or_else(same, |call| call.2.iter().map(ToString::to_string).collect())
}

/// The statements of the least policy for a purpose.
pub fn statements(purpose: Purpose, scope: &Scope) -> Vec<Statement> {
    let mut on: BTreeMap<On, BTreeSet<String>> = BTreeMap::new();
    for (_, _, actions, what, _) in CALLS.iter().filter(|call| call.4.contains(&purpose)) {
        on.entry(*what).or_default().extend(actions.iter().map(ToString::to_string));
    }
    let mut found: Vec<Statement> =
        on.into_iter().filter_map(|(what, actions)| scope.statement(what, actions)).collect();
    if purpose == Apply {
        found.extend(scope.through_cloudformation());
    }
    found
}

/// What to ask IAM's simulator: whether each statement of the policy is allowed as it stands.
pub fn questions(purpose: Purpose, scope: &Scope) -> Vec<RightsQuestion> {
    let context = vec![
        ("aws:CalledVia".to_owned(), "cloudformation.amazonaws.com".to_owned()),
        ("aws:ResourceTag/hpcctl:cluster".to_owned(), scope.cluster.clone()),
        ("iam:PassedToService".to_owned(), "ec2.amazonaws.com".to_owned()),
    ];
    let ask = |statement: Statement| {
        let resource = statement.resources.into_iter().next().unwrap_or_else(|| "*".to_owned());
        let actions: Vec<String> = statement.actions.into_iter().filter(|action| !action.contains('*')).collect();
        let context = context.clone();
        let batch = move |batch: &[String]| RightsQuestion {
            resource: resource.clone(),
            actions: batch.to_vec(),
            context: context.clone(),
        };
        actions.chunks(ACTIONS).map(batch).collect::<Vec<_>>()
    };
    statements(purpose, scope).into_iter().flat_map(ask).collect()
}

/// Actions in one question, so that the answer is one page.
const ACTIONS: usize = 100;

/// The policy as one document, to read. IAM may not take it as one: see [`documents`].
pub fn policy(purpose: Purpose, scope: &Scope) -> Value {
    document(&statements(purpose, scope))
}

/// The characters that a managed policy may have; white space does not count.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const MANAGED_POLICY: usize = 6144;

/// The policy as documents of which each fits into a managed policy; a role takes ten of them.
pub fn documents(purpose: Purpose, scope: &Scope) -> Vec<Value> {
    let mut rest: Vec<Statement> = statements(purpose, scope).into_iter().flat_map(halves).collect();
    rest.reverse();
    let (mut found, mut current) = (Vec::new(), Vec::new());
    while let Some(next) = rest.pop() {
        current.push(next);
        if characters(&document(&current)) > MANAGED_POLICY && current.len() > 1 {
            rest.extend(current.pop());
            found.push(document(&current));
            current.clear();
        }
    }
    found.push(document(&current));
    found
}

/// A statement that is too long for a document of its own is cut in two by its actions, each again where it must be.
fn halves(statement: Statement) -> Vec<Statement> {
    if characters(&document(std::slice::from_ref(&statement))) <= MANAGED_POLICY || statement.actions.len() < 2 {
        return vec![statement];
    }
    let mut first = statement.clone();
    let mut second = Statement { sid: format!("{}More", statement.sid), ..statement };
    second.actions = first.actions.iter().skip(first.actions.len() / 2).cloned().collect();
    first.actions.retain(|action| !second.actions.contains(action));
    [first, second].into_iter().flat_map(halves).collect()
}

/// How many characters IAM counts.
pub fn characters(document: &Value) -> usize {
    document.to_string().chars().filter(|letter| !letter.is_whitespace()).count()
}

fn document(statements: &[Statement]) -> Value {
    let one = |statement: &Statement| {
        let Statement { sid, actions, resources, condition } = statement;
        let mut value = json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources});
        if let Some(condition) = condition {
            value["Condition"] = condition.clone();
        }
        value
    };
    json!({ "Version": "2012-10-17", "Statement": statements.iter().map(one).collect::<Vec<_>>() })
}

impl Scope {
    /// Every cluster and region.
    pub fn everywhere(account: &str) -> Self {
        let star = || "*".to_owned();
        Self {
            account: account.to_owned(),
            region: star(),
            cluster: star(),
            iam_path: "/hpcctl/".to_owned(),
            buckets: BTreeSet::from([star()]),
            keys: BTreeSet::from([format!("arn:*:kms:*:{account}:key/*")]),
            secrets: BTreeSet::from([format!("arn:*:secretsmanager:*:{account}:secret:*")]),
            passed: BTreeSet::new(),
            types: MADE.iter().map(|kind| format!("AWS::{kind}")).collect(),
        }
    }

    /// What the bootstrap stack of account and region makes.
    pub fn bootstrap_types() -> impl Iterator<Item = String> {
        ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"].into_iter().map(str::to_owned)
    }

    fn arn(&self, rest: &str) -> String {
        let partition = region(&self.region).map_or("aws", |region| region.partition.name());
        format!("arn:{partition}:{rest}")
    }

    fn statement(&self, on: On, actions: BTreeSet<String>) -> Option<Statement> {
        let Self { account, region, cluster, iam_path, buckets, keys, secrets, passed: _, types: _ } = self;
        let named = |arns: &BTreeSet<String>| arns.iter().cloned().collect::<Vec<String>>();
        let artifacts = format!("hpcctl-{account}-{region}");
        let (sid, resources, condition) = match on {
            On::Any => ("Anything", vec!["*".to_owned()], None),
            On::Stacks => {
                let stack = |name: &str| self.arn(&format!("cloudformation:{region}:{account}:stack/{name}/*"));
                ("Stacks", vec![stack(&format!("{cluster}-*")), stack("hpcctl-*")], None)
            }
            On::Bucket => ("ArtifactBucket", vec![self.arn(&format!("s3:::{artifacts}"))], None),
            On::Objects => ("Artifacts", vec![self.arn(&format!("s3:::{artifacts}/*"))], None),
            On::Buckets => {
                let named = buckets.iter().map(|bucket| self.arn(&format!("s3:::{bucket}")));
                ("Buckets", named.chain([self.arn(&format!("s3:::{artifacts}"))]).collect(), None)
            }
            On::Reports if buckets.is_empty() => return None,
            On::Reports => {
                ("Reports", buckets.iter().map(|bucket| self.arn(&format!("s3:::{bucket}/*"))).collect(), None)
            }
            On::Instances => {
                let tag = json!({"StringLike": {"aws:ResourceTag/hpcctl:cluster": cluster}});
                ("Instances", vec![self.arn(&format!("ec2:{region}:{account}:instance/*"))], Some(tag))
            }
            On::Volumes => {
                let tag = json!({"StringLike": {"aws:ResourceTag/hpcctl:cluster": cluster}});
                let of = |kind: &str| self.arn(&format!("ec2:{region}:{account}:{kind}/*"));
                ("Volumes", vec![of("volume"), of("instance")], Some(tag))
            }
            On::FileSystems => {
                let fsx = |kind: &str| self.arn(&format!("fsx:{region}:{account}:{kind}/*"));
                ("FileSystems", vec![fsx("file-system"), fsx("association"), fsx("task")], None)
            }
            On::Logs => {
                ("Logs", vec![self.arn(&format!("logs:{region}:{account}:log-group:/hpcctl/{cluster}:*"))], None)
            }
            On::Roles => {
                let of = |kind: &str| self.arn(&format!("iam::{account}:{kind}{iam_path}*"));
                let through = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}});
                ("Roles", vec![of("role"), of("instance-profile")], Some(through))
            }
            On::RoleTags => ("RoleTags", vec![self.arn(&format!("iam::{account}:role{iam_path}*"))], None),
            On::Profiles => ("Profiles", vec![self.arn(&format!("iam::{account}:instance-profile/*"))], None),
            On::CallersRole => ("CallersRole", vec![self.arn(&format!("iam::{account}:role/*"))], None),
            On::Experiments => {
                let of = |kind: &str| self.arn(&format!("fis:{region}:{account}:{kind}/*"));
                ("Experiments", ["experiment-template", "experiment", "action"].map(of).into(), None)
            }
            On::Keys if keys.is_empty() => return None,
            On::Keys => ("Keys", named(keys), None),
            On::Secrets if secrets.is_empty() => return None,
            On::Secrets => ("Secrets", named(secrets), None),
            On::Reservations => {
                ("Reservations", vec![self.arn(&format!("ec2:{region}:*:capacity-reservation/*"))], None)
            }
            On::ExperimentRole => ("ExperimentRole", vec![self.arn(&format!("iam::{account}:role/hpcctl-*"))], None),
        };
        Some(Statement { sid: sid.to_owned(), actions, resources, condition })
    }

    /// What CloudFormation calls for the cluster's resources, with the caller's rights: only when it is CloudFormation
    /// that calls, and roles only on the cluster's path.
    fn through_cloudformation(&self) -> Vec<Statement> {
        let all: BTreeSet<String> =
            self.types.iter().flat_map(|kind| handler_actions(kind)).map(str::to_owned).collect();
        let (mut roles, mut rest) = (BTreeSet::new(), BTreeSet::new());
        let (mut passed, mut linked) = (false, false);
        for action in all {
            match action.as_str() {
                "iam:PassRole" => passed = true,
                "iam:CreateServiceLinkedRole" => linked = true,
                // It takes no resource.
                "iam:ListRoles" => {
                    rest.insert(action);
                }
                _ if action.starts_with("iam:") => {
                    roles.insert(action);
                }
                _ => {
                    rest.insert(action);
                }
            }
        }
        // What `Fn::GetAZs` asks:
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html
        rest.extend(["ec2:DescribeAccountAttributes", "ec2:DescribeAvailabilityZones"].map(str::to_owned));
        let through = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}});
        let mut found = vec![Statement {
            sid: "ThroughCloudFormation".to_owned(),
            actions: rest,
            resources: vec!["*".to_owned()],
            condition: Some(through),
        }];
        found.extend(self.statement(On::Roles, roles).filter(|statement| !statement.actions.is_empty()));
        let own = self.arn(&format!("iam::{}:role{}*", self.account, self.iam_path));
        let services = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn", "vpc-flow-logs.amazonaws.com"];
        let to = json!({"StringEquals": {"iam:PassedToService": services}});
        let lone = |sid: &str, action: &str, resource: String, condition: Option<Value>| Statement {
            sid: sid.to_owned(),
            actions: BTreeSet::from([action.to_owned()]),
            resources: vec![resource],
            condition,
        };
        if passed || !self.passed.is_empty() {
            let others = self.passed.iter().cloned();
            found.push(Statement {
                resources: std::iter::once(own).chain(others).collect(),
                ..lone("PassRoles", "iam:PassRole", String::new(), Some(to))
            });
        }
        // What EC2 does with a key for encrypted volumes is done with the caller's rights; the providers do not list all:
        // https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
        if !self.keys.is_empty() {
            let through = json!({"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com*"}});
            found.push(Statement {
                sid: "EncryptedVolumes".to_owned(),
                actions: [
                    "CreateGrant",
                    "Decrypt",
                    "DescribeKey",
                    "GenerateDataKeyWithoutPlaintext",
                    "ReEncryptFrom",
                    "ReEncryptTo",
                ]
                .map(|action| format!("kms:{action}"))
                .into(),
                resources: self.keys.iter().cloned().collect(),
                condition: Some(through),
            });
        }
        // FSx makes itself a role for each link with S3, in the caller's name:
        // https://github.com/kubernetes-sigs/aws-fsx-csi-driver/blob/master/docs/install.md
        if self.types.iter().any(|kind| kind.starts_with("AWS::FSx::")) {
            let role = "role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/*";
            found.push(Statement {
                sid: "LinkWithS3".to_owned(),
                actions: ["AttachRolePolicy", "CreateServiceLinkedRole", "PutRolePolicy"]
                    .map(|action| format!("iam:{action}"))
                    .into(),
                resources: vec![self.arn(&format!("iam::{}:{role}", self.account))],
                condition: None,
            });
        }
        let service = self.arn(&format!("iam::{}:role/aws-service-role/*", self.account));
        found.extend(linked.then(|| lone("ServiceLinkedRoles", "iam:CreateServiceLinkedRole", service, None)));
        found
    }
}
