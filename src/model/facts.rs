//! What nodes must know of the stacks: which outputs go where in `cluster.json`.

use super::{
    StackKey,
    ebs::{HEAD_DATA, volume_id},
    names::camel,
};
use crate::spec::{Cluster, Storage};
use serde::{Deserialize, Serialize};

/// A fact for the nodes that only a stack knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NodeFact {
    /// Where it goes in `cluster.json`, such as `storage`, `scratch`, `dns`.
    pub path: Vec<String>,
    /// The stack that knows it.
    pub stack: StackKey,
    /// The output, or the outputs of a list.
    pub from: FactSource,
}

/// How a fact is made of outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    /// One value.
    Output(String),
    /// A list.
    Outputs(Vec<String>),
    /// The first label of a host name: `ip-10-0-0-5` of `ip-10-0-0-5.ec2.internal`.
    ShortHost(String),
}

/// The logical id of an EFS that the storage stack makes. CloudFormation keeps the type of a logical id, so each kind
/// of storage has ids of its own.
pub(super) fn efs_id(storage: &str) -> String {
    format!("{}Efs", camel(storage))
}

/// The logical id of a Lustre file system that the storage stack makes.
pub fn file_system_id(storage: &str) -> String {
    format!("{}FileSystem", camel(storage))
}

/// All facts that the nodes of a cluster need. An output that a stack does not have (yet) is left out of the
/// file.
pub(super) fn node_facts(cluster: &Cluster) -> Vec<NodeFact> {
    let mut facts = vec![
        one(&["head", "private_ip"], StackKey::Head, "HeadPrivateIp"),
        NodeFact {
            path: vec!["head".to_owned(), "hostname".to_owned()],
            stack: StackKey::Head,
            from: FactSource::ShortHost("HeadPrivateDnsName".to_owned()),
        },
        one(&["head", "instance_id"], StackKey::Head, "HeadInstanceId"),
        one(&[HEAD_DATA, "volume_id"], StackKey::Storage, &format!("{}Id", volume_id(HEAD_DATA))),
    ];
    facts.extend(cluster.storage.iter().flat_map(storage_facts));
    if cluster.slurm.munge_key_secret.is_none() {
        facts.push(one(&["munge_secret_arn"], StackKey::Storage, "MungeSecretArn"));
    }
    if cluster.accounting.as_ref().is_some_and(|accounting| accounting.rds.is_some()) {
        for (key, output) in [
            ("host", "DatabaseHost"),
            ("port", "DatabasePort"),
            ("user", "DatabaseUser"),
            ("secret_arn", "DatabaseSecretArn"),
            ("administrator_secret_arn", "DatabaseAdministratorSecretArn"),
        ] {
            facts.push(one(&["accounting", key], StackKey::Accounting, output));
        }
    }
    if let Some(create) = &cluster.network.create {
        let subnets = (0..super::site::zone_count(create)).map(|index| format!("PrivateSubnet{index}"));
        facts.push(NodeFact {
            path: vec!["network".to_owned(), "compute_subnets".to_owned()],
            stack: StackKey::Network,
            from: FactSource::Outputs(subnets.collect()),
        });
    }
    facts
}

fn storage_facts(storage: &Storage) -> Vec<NodeFact> {
    let name = storage.name.as_str();
    let id = file_system_id(name);
    let fact = |key: &str, output: String| one(&["storage", name, key], StackKey::Storage, &output);
    if storage.fsx_lustre.as_ref().is_some_and(|lustre| lustre.file_system_id.is_none()) {
        return vec![
            fact("file_system_id", format!("{id}Id")),
            fact("dns", format!("{id}DnsName")),
            fact("mount_name", format!("{id}MountName")),
        ];
    }
    if storage.efs.as_ref().is_some_and(|efs| efs.file_system_id.is_none()) {
        let id = efs_id(name);
        return vec![fact("file_system_id", format!("{id}Id")), fact("dns", format!("{id}DnsName"))];
    }
    if storage.ebs.as_ref().is_some_and(|ebs| ebs.volume_id.is_none()) {
        return vec![fact("volume_id", format!("{}Id", volume_id(name)))];
    }
    Vec::new()
}

fn one(path: &[&str], stack: StackKey, output: &str) -> NodeFact {
    let path = path.iter().map(|&part| part.to_owned()).collect();
    NodeFact { path, stack, from: FactSource::Output(output.to_owned()) }
}
