//! What a rehearsal asks of the account: the machines that are to run, and what they find when they boot.

use super::{
    base64,
    control::{Call, Sandbox},
    effects,
    eval::plain,
    instance::{Instance, STOP},
    resource::Resource,
    volumes,
};
use crate::cloud::{Result, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

/// An instance that is to run as a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The instance.
    pub id: String,
    /// Region.
    pub region: String,
    /// Zone.
    pub zone: String,
    /// Type.
    pub instance_type: String,
    /// Private address.
    pub address: String,
    /// Whether it is a spot instance.
    pub spot: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is to shut down.
    pub stopping: bool,
    /// When EC2 takes it back, once the notice shows.
    pub ends: Option<Timestamp>,
    /// Since when EC2 has recommended to move work elsewhere.
    pub rebalance: Option<Timestamp>,
}

/// A database server of RDS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Database {
    /// The host that its clients know.
    pub host: String,
    /// The administrator.
    pub user: String,
    /// The secret with the administrator's password.
    pub secret: String,
}

impl Sandbox {
    /// All instances that are to run, by id.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn machines(&self) -> Result<Vec<Machine>> {
        self.call(Call::look("ec2", "DescribeInstances"), |world, _| {
            let now = world.now;
            let alive = |one: &&Instance| matches!(one.state(now), Some("pending" | "running" | "stopping"));
            let machine = |one: &Instance| Machine {
                id: one.id.clone(),
                region: one.region.clone(),
                zone: one.zone.clone(),
                instance_type: one.instance_type.clone(),
                address: one.private_ip.clone(),
                spot: one.spot,
                tags: one.tags.clone(),
                stopping: one.state(now) == Some("stopping"),
                ends: one.notice(now),
                rebalance: one.rebalance,
            };
            Ok(world.instances.values().filter(alive).map(machine).collect())
        })
    }

    /// The machine of an instance has shut down: it is stopped.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn halted(&self, id: &str) -> Result<()> {
        self.call(Call::change("ec2", "HaltInstance"), |world, _| {
            let now = world.now;
            if let Some(instance) = world.instances.get_mut(id) {
                instance.shutting_down = false;
                instance.stopped = Some(now.plus(-STOP));
            }
            Ok(())
        })
    }

    /// Which instance has which volume: the volume, its size in GiB, the instance.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn attachments(&self) -> Result<Vec<(String, u32, String)>> {
        self.call(Call::look("ec2", "DescribeVolumes"), |world, _| {
            let held = world.attachments.keys().filter_map(|id| {
                let instance = volumes::attached(world, id)?.instance.clone();
                Some((id.clone(), volumes::view(world, &self.region, id)?.size_gib, instance))
            });
            Ok(held.collect())
        })
    }

    /// The machine of an instance has been started: it runs. Gives its user data.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn boot(&self, id: &str) -> Result<Vec<u8>> {
        self.call(Call::change("ec2", "BootInstance"), |world, _| {
            let now = world.now;
            let Some(instance) = world.instances.get_mut(id) else { return Ok(Vec::new()) };
            instance.booted = Some(now);
            let text = world.instances.get(id).and_then(|instance| effects::user_data(world, instance));
            Ok(text.and_then(|text| base64::decode(&text)).unwrap_or_default())
        })
    }

    /// The database servers that are there.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn databases(&self) -> Result<Vec<Database>> {
        self.call(Call::look("rds", "DescribeDBInstances"), |world, _| {
            let of_rds = |one: &&Resource| matches!(one.kind.as_str(), "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster");
            let database = |one: &Resource| {
                let user = one.properties.get("MasterUsername").map(plain)?;
                let attribute = |name: &str| one.attributes.get(name).map(plain);
                Some(Database {
                    host: attribute("Endpoint.Address")?,
                    user,
                    secret: attribute("MasterUserSecret.SecretArn")?,
                })
            };
            Ok(world.resources().map(|(_, one)| one).filter(of_rds).filter_map(database).collect())
        })
    }

    /// The text of a secret, whose password is `password`: as its stack has it generated, or as RDS does.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn secret_text(&self, arn: &str, password: &str) -> Result<String> {
        let rds = self.databases()?.into_iter().find(|database| database.secret == arn);
        if let Some(database) = rds {
            return Ok(serde_json::json!({ "username": database.user, "password": password }).to_string());
        }
        self.call(Call::look("secretsmanager", "GetSecretValue"), |world, _| {
            let found =
                world.resources().find(|(_, one)| one.kind == "AWS::SecretsManager::Secret" && one.physical == arn);
            let generate = found.and_then(|(_, one)| one.properties.get("GenerateSecretString"));
            Ok(generate.and_then(|how| generated(how, password)).unwrap_or_else(|| password.to_owned()))
        })
    }
}

/// What Secrets Manager makes of `GenerateSecretString`.
fn generated(how: &Value, password: &str) -> Option<String> {
    let template = how.get("SecretStringTemplate").map(plain)?;
    let key = how.get("GenerateStringKey").map(plain)?;
    let mut text: Value = serde_json::from_str(&template).ok()?;
    text.as_object_mut()?.insert(key, Value::from(password));
    Some(text.to_string())
}
