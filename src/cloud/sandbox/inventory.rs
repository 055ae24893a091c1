//! What is outside the stacks: it is there unless the script says that it is absent, and is as the file says unless the
//! script says otherwise.

use super::{
    compute::subnet,
    control::{Call, Sandbox},
    eval::{self, plain},
    faults::Script,
    file_systems::mount_name,
    identity::arn_of,
    ids::{hex, number},
};
use crate::{
    catalog::{Image, InstanceCatalog, LustreUse, Reservation},
    cloud::{ErrorKind, Inventory, Result, RightsQuestion, SubnetState, Supposed},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const EC2: &str = "ec2";
/// The VPC of what no stack made, unless script or file name another.
const DEFAULT_VPC: &str = "vpc-0a1b2c3d4e5f67890";

/// What is known of the world outside the stacks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Outside {
    /// The VPC of what no stack made.
    vpc: Option<String>,
    /// Zones of subnets.
    zones: BTreeMap<String, String>,
    /// Mount names of file systems.
    mount_names: BTreeMap<String, String>,
}

impl Outside {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The VPC of what no stack made.
    pub fn vpc(&self, script: &Script) -> String {
        script.vpc_id.clone().or_else(|| self.vpc.clone()).unwrap_or_else(|| DEFAULT_VPC.to_owned())
    }

    /// The zone of a subnet that no stack made, where somebody has told it.
    pub fn told_zone(&self, subnet: &str) -> Option<String> {
        self.zones.get(subnet).cloned()
    }

    /// The zone of a subnet that no stack made.
    pub fn zone(&self, region: &str, subnet: &str) -> String {
        self.zones.get(subnet).cloned().unwrap_or_else(|| made_up_zone(region, subnet))
    }
}

#[async_trait]
impl Inventory for Sandbox {
    async fn suppose(&self, supposed: &Supposed) -> Result<()> {
        self.call(Call::look("sandbox", "Suppose"), |world, script| {
            let mut outside = world.outside.clone();
            outside.vpc = supposed.vpc.clone().or(outside.vpc);
            outside.zones.extend(supposed.zones.clone());
            outside.zones.extend(script.subnet_zones.clone());
            outside.mount_names.extend(supposed.mount_names.clone());
            outside.mount_names.extend(script.mount_names.clone());
            if outside != world.outside {
                world.outside = outside;
                world.dirty = true;
            }
            Ok(())
        })
    }

    async fn known_subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>> {
        let call = Call::look(EC2, "DescribeSubnets");
        self.call(call, |world, script| {
            let found = ids.iter().map(|id| subnet(world, script, call, &self.region, id));
            Ok(found.filter_map(Result::ok).collect())
        })
    }

    async fn vpcs(&self) -> Result<BTreeSet<String>> {
        self.call(Call::look(EC2, "DescribeVpcs"), |world, script| {
            let here = world.resources().filter(|(stack, _)| stack.region == self.region).map(|(_, resource)| resource);
            let made = here.filter(|r| r.kind == "AWS::EC2::VPC").map(|r| r.physical.clone());
            let outside = [world.outside.vpc(script)].into_iter().filter(|vpc| !script.absent.contains(vpc));
            Ok(made.chain(outside).collect())
        })
    }

    async fn security_groups(&self, ids: &[String]) -> Result<BTreeMap<String, String>> {
        self.call(Call::look(EC2, "DescribeSecurityGroups"), |world, script| {
            Ok(present(script, ids).map(|id| (id.clone(), world.outside.vpc(script))).collect())
        })
    }

    async fn key_pairs(&self, names: &[String]) -> Result<BTreeSet<String>> {
        self.call(Call::look(EC2, "DescribeKeyPairs"), |_, script| Ok(present(script, names).cloned().collect()))
    }

    async fn images(&self, ids: &[String]) -> Result<BTreeMap<String, Image>> {
        self.call(Call::look(EC2, "DescribeImages"), |_, script| {
            let image = |id: &String| script.images.get(id).map(ScriptedImage::image).unwrap_or_else(unremarkable);
            Ok(present(script, ids).map(|id| (id.clone(), image(id))).collect())
        })
    }

    async fn offerings(&self, types: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.call(Call::look(EC2, "DescribeInstanceTypeOfferings"), |_, script| {
            let known = types.iter().filter(|name| InstanceCatalog::embedded().get(name).is_some());
            let zones = |name: &String| -> BTreeSet<String> {
                let zones = eval::zones(&self.region).into_iter();
                zones.filter(|zone| !script.lacks(name, zone)).collect()
            };
            Ok(known.map(|name| (name.clone(), zones(name))).filter(|(_, zones)| !zones.is_empty()).collect())
        })
    }

    async fn reservations(&self, ids: &[String]) -> Result<BTreeMap<String, Reservation>> {
        self.call(Call::look(EC2, "DescribeCapacityReservations"), |_, script| {
            let one = |id: &String| script.reservations.get(id).cloned().unwrap_or_default();
            Ok(present(script, ids).map(|id| (id.clone(), one(id))).collect())
        })
    }

    async fn reservation_groups(&self, arns: &[String]) -> Result<BTreeMap<String, usize>> {
        self.call(Call::look(EC2, "GetGroupsForCapacityReservation"), |_, script| {
            let there = |arn: &String| usize::from(!script.absent.contains(arn));
            let count = |arn: &String| script.reservation_groups.get(arn).copied().unwrap_or_else(|| there(arn));
            Ok(arns.iter().map(|arn| (arn.clone(), count(arn))).collect())
        })
    }

    async fn keys(&self, arns: &[String]) -> Result<BTreeMap<String, String>> {
        self.call(Call::look("kms", "DescribeKey"), |_, script| {
            let state = |arn: &String| script.keys.get(arn).cloned().unwrap_or_else(|| "Enabled".to_owned());
            Ok(present(script, arns).map(|arn| (arn.clone(), state(arn))).collect())
        })
    }

    async fn secrets(&self, arns: &[String]) -> Result<BTreeMap<String, bool>> {
        self.call(Call::look("secretsmanager", "DescribeSecret"), |_, script| {
            Ok(present(script, arns).map(|arn| (arn.clone(), script.leaving_secrets.contains(arn))).collect())
        })
    }

    async fn lustre_use(&self) -> Result<BTreeMap<String, LustreUse>> {
        self.call(Call::look("fsx", "DescribeFileSystems"), |world, _| {
            let all = world.resources().map(|(_, resource)| resource).chain(world.retained.values());
            let here = all.filter(|r| r.is_in(&self.region) && r.kind == "AWS::FSx::FileSystem");
            let mut found: BTreeMap<String, LustreUse> = BTreeMap::new();
            for resource in here {
                let actual = resource.actual();
                let text = |path: &str| actual.pointer(path).map(plain).unwrap_or_default();
                let one = found.entry(text("/LustreConfiguration/DeploymentType")).or_default();
                one.file_systems += 1;
                one.gib +=
                    if text("/StorageType") == "HDD" { 0 } else { text("/StorageCapacity").parse().unwrap_or(0) };
            }
            Ok(found)
        })
    }

    async fn addresses(&self) -> Result<usize> {
        self.call(Call::look(EC2, "DescribeAddresses"), |world, _| {
            let here = world.resources().filter(|(stack, _)| stack.region == self.region);
            Ok(here.filter(|(_, resource)| resource.kind == "AWS::EC2::EIP").count())
        })
    }

    async fn lustre(&self, ids: &[String]) -> Result<BTreeMap<String, String>> {
        self.call(Call::look("fsx", "DescribeFileSystems"), |world, script| {
            let name = |id: &String| {
                let told = script.mount_names.get(id).or_else(|| world.outside.mount_names.get(id)).cloned();
                told.or_else(|| mount_name(world, id)).unwrap_or_else(|| hex(&[id, "mount"], 8))
            };
            Ok(present(script, ids).map(|id| (id.clone(), name(id))).collect())
        })
    }

    async fn quota(&self, _: &str, code: &str) -> Result<Option<f64>> {
        self.call(Call::look("servicequotas", "GetServiceQuota"), |_, script| Ok(script.quotas.get(code).copied()))
    }

    async fn denied(&self, principal: &str, question: &RightsQuestion) -> Result<BTreeSet<String>> {
        let call = Call::look("iam", "SimulatePrincipalPolicy");
        self.call(call, |_, script| {
            if !principal.starts_with("arn:aws") {
                return Err(call.error(ErrorKind::Invalid, "InvalidInput", format!("Invalid Entity Arn: {principal}")));
            }
            let name = principal.rsplit_once('/').map(|(_, name)| name).unwrap_or_default();
            if principal.contains(":role/") && principal != arn_of(name, &self.region) {
                let words = format!("{principal} can not be found");
                return Err(call.error(ErrorKind::NotFound, "NoSuchEntity", words));
            }
            Ok(question.actions.iter().filter(|action| script.denied.contains(action)).cloned().collect())
        })
    }
}

fn present<'a>(script: &'a Script, ids: &'a [String]) -> impl Iterator<Item = &'a String> {
    ids.iter().filter(|id| !script.absent.contains(id))
}

/// An image of which nothing is known but that it is there.
fn unremarkable() -> Image {
    Image { state: "available".to_owned(), ..Image::default() }
}

/// An image as a script describes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedImage {
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Its state; none: `available`.
    pub state: Option<String>,
    /// The name of its root device.
    pub root_device: Option<String>,
    /// The size of its root volume in GiB.
    pub root_gib: Option<u32>,
    /// When it is, or will be, deprecated.
    pub deprecated: Option<String>,
}

impl ScriptedImage {
    fn image(&self) -> Image {
        Image {
            architecture: self.architecture.clone(),
            state: self.state.clone().unwrap_or_else(|| "available".to_owned()),
            root_device: self.root_device.clone(),
            root_gib: self.root_gib,
            deprecated: self.deprecated.clone(),
        }
    }
}

/// The zone of a subnet of which nobody knows more than its id.
pub(super) fn made_up_zone(region: &str, subnet: &str) -> String {
    let zones = eval::zones(region);
    let index = usize::try_from(number(&[subnet], 3)).unwrap_or(0);
    zones.get(index).cloned().unwrap_or_default()
}
