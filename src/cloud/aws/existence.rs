//! What of EC2 is still there: its tags outlive it for a while.

use super::super::{Result, TaggedResource};
use super::compute::filter;
use super::errors::failed;
use aws_sdk_ec2::Client;
use std::collections::BTreeSet;

/// Values of one filter.
const FILTER_VALUES: usize = 200;

/// Those that EC2 still describes, and those of kinds that are not asked for.
///
/// By filters, not by ids: EC2 refuses a whole call for one id that is gone.
pub(super) async fn still_there(client: &Client, resources: Vec<TaggedResource>) -> Result<Vec<TaggedResource>> {
    let mut there = Vec::new();
    let kinds: BTreeSet<String> = resources.iter().map(|resource| resource.kind.clone()).collect();
    for kind in kinds {
        let of_kind: Vec<&TaggedResource> = resources.iter().filter(|resource| resource.kind == kind).collect();
        for some in of_kind.chunks(FILTER_VALUES) {
            let ids: Vec<&str> = some.iter().map(|resource| resource.id.as_str()).collect();
            let found = described(client, &kind, &ids).await?;
            let is = |one: &&&TaggedResource| found.as_ref().is_none_or(|found| found.contains(&one.id));
            there.extend(some.iter().filter(is).map(|one| (*one).clone()));
        }
    }
    there.sort();
    Ok(there)
}

/// The ids that EC2 describes; `None`: it is not asked about this kind.
async fn described(client: &Client, kind: &str, ids: &[&str]) -> Result<Option<BTreeSet<String>>> {
    let ids: Vec<Option<String>> = match kind {
        "security-group" => {
            let call = client.describe_security_groups().filters(filter("group-id", ids)).send().await;
            let page = call.map_err(failed("ec2", "DescribeSecurityGroups"))?;
            page.security_groups().iter().map(|one| one.group_id().map(str::to_owned)).collect()
        }
        "subnet" => {
            let call = client.describe_subnets().filters(filter("subnet-id", ids)).send().await;
            let page = call.map_err(failed("ec2", "DescribeSubnets"))?;
            page.subnets().iter().map(|one| one.subnet_id().map(str::to_owned)).collect()
        }
        "vpc" => {
            let call = client.describe_vpcs().filters(filter("vpc-id", ids)).send().await;
            let page = call.map_err(failed("ec2", "DescribeVpcs"))?;
            page.vpcs().iter().map(|one| one.vpc_id().map(str::to_owned)).collect()
        }
        "volume" => {
            let call = client.describe_volumes().filters(filter("volume-id", ids)).send().await;
            let page = call.map_err(failed("ec2", "DescribeVolumes"))?;
            page.volumes().iter().map(|one| one.volume_id().map(str::to_owned)).collect()
        }
        "launch-template" => {
            let call = client.describe_launch_templates().filters(filter("launch-template-id", ids)).send().await;
            let page = call.map_err(failed("ec2", "DescribeLaunchTemplates"))?;
            page.launch_templates().iter().map(|one| one.launch_template_id().map(str::to_owned)).collect()
        }
        "placement-group" => {
            let call = client.describe_placement_groups().send().await;
            let page = call.map_err(failed("ec2", "DescribePlacementGroups"))?;
            page.placement_groups().iter().map(|one| one.group_id().map(str::to_owned)).collect()
        }
        _ => return Ok(None),
    };
    Ok(Some(ids.into_iter().flatten().collect()))
}
