//! Keys, secrets, groups of reservations, and file systems: what the account holds besides EC2's own things.

use super::super::{ErrorKind, Result};
use super::errors::failed;
use super::values::text;
use crate::catalog::LustreUse;
use aws_sdk_ec2::types::CapacityReservationState;
use aws_sdk_fsx::types::{FileSystemType, StorageType};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// The key with this ARN, with its state.
pub(super) async fn key(client: &aws_sdk_kms::Client, arn: &str) -> Result<Option<(String, String)>> {
    match client.describe_key().key_id(arn).send().await.map_err(failed("kms", "DescribeKey")) {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) => {
            let state = found.key_metadata().and_then(|key| key.key_state()).map(|state| state.as_str().to_owned());
            Ok(Some((arn.to_owned(), state.unwrap_or_default())))
        }
    }
}

/// The secret with this ARN, and whether it is about to be deleted.
pub(super) async fn secret(client: &aws_sdk_secretsmanager::Client, arn: &str) -> Result<Option<(String, bool)>> {
    let call = client.describe_secret().secret_id(arn).send().await;
    match call.map_err(failed("secretsmanager", "DescribeSecret")) {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) => Ok(Some((arn.to_owned(), found.deleted_date().is_some()))),
    }
}

/// How many reservations are in each of these groups. EC2 tells the groups of a reservation, so that nobody needs to ask
/// Resource Groups.
pub(super) async fn groups(client: &aws_sdk_ec2::Client, arns: &[String]) -> Result<BTreeMap<String, usize>> {
    let mut pages = client.describe_capacity_reservations().into_paginator().items().send();
    let mut ids = Vec::new();
    while let Some(one) = pages.next().await {
        let one = one.map_err(failed("ec2", "DescribeCapacityReservations"))?;
        if matches!(one.state(), Some(CapacityReservationState::Active | CapacityReservationState::Scheduled)) {
            ids.push(text(one.capacity_reservation_id()));
        }
    }
    let mut found: BTreeMap<String, usize> = arns.iter().map(|arn| (arn.clone(), 0)).collect();
    for of_one in join_all(ids.iter().map(|id| groups_of(client, id))).await {
        for arn in of_one? {
            found.entry(arn).and_modify(|count| *count += 1);
        }
    }
    Ok(found)
}

async fn groups_of(client: &aws_sdk_ec2::Client, reservation: &str) -> Result<Vec<String>> {
    let call = client.get_groups_for_capacity_reservation().capacity_reservation_id(reservation);
    let mut pages = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(group) = pages.next().await {
        found.push(text(group.map_err(failed("ec2", "GetGroupsForCapacityReservation"))?.group_arn()));
    }
    Ok(found)
}

/// File systems of FSx for Lustre, by deployment type.
pub(super) async fn lustre(client: &aws_sdk_fsx::Client) -> Result<BTreeMap<String, LustreUse>> {
    let mut pages = client.describe_file_systems().into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.extend(page.map_err(failed("fsx", "DescribeFileSystems"))?.file_systems.unwrap_or_default());
    }
    let mut found: BTreeMap<String, LustreUse> = BTreeMap::new();
    for one in all.iter().filter(|one| one.file_system_type() == Some(&FileSystemType::Lustre)) {
        let deployment = one.lustre_configuration().and_then(|lustre| lustre.deployment_type());
        let sum = found.entry(deployment.map(|word| word.as_str().to_owned()).unwrap_or_default()).or_default();
        sum.file_systems += 1;
        let ssd = one.storage_type().is_none_or(|kind| *kind == StorageType::Ssd);
        let gib = one.storage_capacity().and_then(|gib| u64::try_from(gib).ok());
        sum.gib += gib.filter(|_| ssd).unwrap_or_default();
    }
    Ok(found)
}
