//! EC2, FSx, KMS, Secrets Manager, Service Quotas and IAM: what the account, the region and its zones have.
//!
//! Things are looked for by filters and not by ids: EC2 refuses a whole call for one id that it does not know.

use super::super::{ErrorKind, Inventory, Result, RightsQuestion, SubnetState};
use super::compute::{filter, subnet};
use super::config::{Settings, client};
use super::errors::failed;
use super::holdings;
use super::values::{count, maybe, text};
use crate::catalog::{Image, LustreUse, Reservation};
use async_trait::async_trait;
use aws_sdk_ec2::types::{CapacityReservationState, LocationType};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// EC2, FSx, KMS, Secrets Manager, Service Quotas and IAM.
pub(super) struct Ground {
    ec2: aws_sdk_ec2::Client,
    fsx: aws_sdk_fsx::Client,
    iam: aws_sdk_iam::Client,
    kms: aws_sdk_kms::Client,
    secrets: aws_sdk_secretsmanager::Client,
    quotas: aws_sdk_servicequotas::Client,
}

impl Ground {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            ec2: client!(aws_sdk_ec2, settings),
            fsx: client!(aws_sdk_fsx, settings),
            iam: client!(aws_sdk_iam, settings),
            kms: client!(aws_sdk_kms, settings),
            secrets: client!(aws_sdk_secretsmanager, settings),
            quotas: client!(aws_sdk_servicequotas, settings),
        }
    }

    async fn mount_name(&self, id: &str) -> Result<Option<(String, String)>> {
        let call = self.fsx.describe_file_systems().file_system_ids(id).send().await;
        match call.map_err(failed("fsx", "DescribeFileSystems")) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(page) => Ok(page.file_systems().iter().find_map(|found| {
                let name = found.lustre_configuration()?.mount_name()?;
                Some((found.file_system_id()?.to_owned(), name.to_owned()))
            })),
        }
    }
}

fn words(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

#[async_trait]
impl Inventory for Ground {
    async fn known_subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>> {
        let call = self.ec2.describe_subnets().filters(filter("subnet-id", &words(ids)));
        let mut pages = call.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(one) = pages.next().await {
            found.push(subnet(&one.map_err(failed("ec2", "DescribeSubnets"))?));
        }
        Ok(found)
    }

    async fn vpcs(&self) -> Result<BTreeSet<String>> {
        let mut pages = self.ec2.describe_vpcs().into_paginator().items().send();
        let mut found = BTreeSet::new();
        while let Some(vpc) = pages.next().await {
            found.insert(text(vpc.map_err(failed("ec2", "DescribeVpcs"))?.vpc_id()));
        }
        Ok(found)
    }

    async fn security_groups(&self, ids: &[String]) -> Result<BTreeMap<String, String>> {
        let call = self.ec2.describe_security_groups().filters(filter("group-id", &words(ids)));
        let mut pages = call.into_paginator().items().send();
        let mut found = BTreeMap::new();
        while let Some(group) = pages.next().await {
            let group = group.map_err(failed("ec2", "DescribeSecurityGroups"))?;
            found.insert(text(group.group_id()), text(group.vpc_id()));
        }
        Ok(found)
    }

    async fn key_pairs(&self, names: &[String]) -> Result<BTreeSet<String>> {
        let call = self.ec2.describe_key_pairs().filters(filter("key-name", &words(names))).send().await;
        let page = call.map_err(failed("ec2", "DescribeKeyPairs"))?;
        Ok(page.key_pairs().iter().map(|pair| text(pair.key_name())).collect())
    }

    async fn images(&self, ids: &[String]) -> Result<BTreeMap<String, Image>> {
        let call = self.ec2.describe_images().filters(filter("image-id", &words(ids)));
        // They are left out otherwise, though a deprecated one can be launched by its id.
        let call = call.include_deprecated(true).include_disabled(true);
        let mut pages = call.into_paginator().items().send();
        let mut found = BTreeMap::new();
        while let Some(image) = pages.next().await {
            let image = image.map_err(failed("ec2", "DescribeImages"))?;
            found.insert(text(image.image_id()), described(&image));
        }
        Ok(found)
    }

    async fn offerings(&self, types: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let call = self.ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone);
        let mut pages = call.filters(filter("instance-type", &words(types))).into_paginator().items().send();
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        while let Some(offer) = pages.next().await {
            let offer = offer.map_err(failed("ec2", "DescribeInstanceTypeOfferings"))?;
            let Some(name) = offer.instance_type() else { continue };
            found.entry(name.as_str().to_owned()).or_default().insert(text(offer.location()));
        }
        Ok(found)
    }

    async fn reservations(&self, ids: &[String]) -> Result<BTreeMap<String, Reservation>> {
        let mut pages = self.ec2.describe_capacity_reservations().into_paginator().items().send();
        let mut found = BTreeMap::new();
        while let Some(one) = pages.next().await {
            let one = one.map_err(failed("ec2", "DescribeCapacityReservations"))?;
            let over = [
                CapacityReservationState::Cancelled,
                CapacityReservationState::Expired,
                CapacityReservationState::Failed,
            ];
            let wanted = one.capacity_reservation_id().is_some_and(|id| ids.iter().any(|one| one == id));
            if wanted && !one.state().is_some_and(|state| over.contains(state)) {
                let group = one.placement_group_arn().and_then(|arn| Some(arn.rsplit_once('/')?.1.to_owned()));
                let known = Reservation { instance_type: text(one.instance_type()), placement_group: group };
                found.insert(text(one.capacity_reservation_id()), known);
            }
        }
        Ok(found)
    }

    async fn reservation_groups(&self, arns: &[String]) -> Result<BTreeMap<String, usize>> {
        holdings::groups(&self.ec2, arns).await
    }

    async fn keys(&self, arns: &[String]) -> Result<BTreeMap<String, String>> {
        let found = join_all(arns.iter().map(|arn| holdings::key(&self.kms, arn))).await;
        let found: Result<Vec<_>> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    async fn secrets(&self, arns: &[String]) -> Result<BTreeMap<String, bool>> {
        let found = join_all(arns.iter().map(|arn| holdings::secret(&self.secrets, arn))).await;
        let found: Result<Vec<_>> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    async fn lustre_use(&self) -> Result<BTreeMap<String, LustreUse>> {
        holdings::lustre(&self.fsx).await
    }

    async fn addresses(&self) -> Result<usize> {
        let call = self.ec2.describe_addresses().send().await;
        Ok(call.map_err(failed("ec2", "DescribeAddresses"))?.addresses().len())
    }

    async fn lustre(&self, ids: &[String]) -> Result<BTreeMap<String, String>> {
        let found = join_all(ids.iter().map(|id| self.mount_name(id))).await;
        let found: Result<Vec<_>> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    async fn quota(&self, service: &str, code: &str) -> Result<Option<f64>> {
        let call = self.quotas.get_service_quota().service_code(service).quota_code(code).send().await;
        match call.map_err(failed("servicequotas", "GetServiceQuota")) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(page) => Ok(page.quota().and_then(|quota| quota.value())),
        }
    }

    async fn denied(&self, principal: &str, question: &RightsQuestion) -> Result<BTreeSet<String>> {
        let context = question.context.iter().map(|(key, value)| {
            let kind = if key == "aws:CalledVia" { ContextKeyTypeEnum::StringList } else { ContextKeyTypeEnum::String };
            ContextEntry::builder().context_key_name(key).context_key_values(value).context_key_type(kind).build()
        });
        let call = self.iam.simulate_principal_policy().policy_source_arn(principal);
        let call = call.set_action_names(Some(question.actions.clone())).resource_arns(&question.resource);
        let mut pages = call.set_context_entries(Some(context.collect())).into_paginator().items().send();
        let mut denied = BTreeSet::new();
        while let Some(answer) = pages.next().await {
            let answer = answer.map_err(failed("iam", "SimulatePrincipalPolicy"))?;
            if *answer.eval_decision() != PolicyEvaluationDecisionType::Allowed {
                denied.insert(answer.eval_action_name().to_owned());
            }
        }
        Ok(denied)
    }
}

fn described(image: &aws_sdk_ec2::types::Image) -> Image {
    let root = maybe(image.root_device_name());
    let mapping = image.block_device_mappings().iter().find(|mapping| mapping.device_name() == root.as_deref());
    let size = mapping.and_then(|mapping| mapping.ebs()?.volume_size());
    Image {
        architecture: image.architecture().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        state: image.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        root_device: root,
        root_gib: size.map(|size| count(Some(size))),
        deprecated: maybe(image.deprecation_time()),
    }
}
