//! What account and region have, asked before a plan.

use crate::lab::Lab;
use hpcctl::catalog::Reservation;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

/// The ground of the test cloud while a test runs.
struct Ground {
    file: String,
    before: String,
}

impl Ground {
    fn of(value: &Value) -> Self {
        let file = std::env::var("HPC_GROUND").unwrap();
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, value.to_string()).unwrap();
        Self { file, before }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::write(&self.file, &self.before);
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// AW-51: a deprecated image is there for who asks by a filter, when it is asked for.
#[tokio::test]
async fn a_deprecated_image_is_found() {
    let Some(lab) = Lab::open().await else { return };
    let _ground = Ground::of(&json!({ "images": { "ami-0aaaabbbbccccdddd": { "deprecated": true } } }));
    let found = lab.cloud.inventory.images(&owned(&["ami-0aaaabbbbccccdddd", "ami-0aaaabbbbccccddde"])).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["ami-0aaaabbbbccccdddd"]);
}

/// AW-29 and AW-40: keys, secrets, reservations and their groups.
#[tokio::test]
async fn what_is_not_there_is_left_out() {
    let Some(lab) = Lab::open().await else { return };
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:123456789012:{rest}");
    let (key, gone) = (arn("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab"), arn("kms", "key/0000"));
    let secret = arn("secretsmanager", "secret:munge-AbCdEf");
    let group = arn("resource-groups", "group/reserved");
    let _ground = Ground::of(&json!({
        "reservations": {
            "cr-0aaaabbbbccccdddd": { "type": "c5n.18xlarge", "placement_group": "near", "groups": [&group] },
            "cr-0aaaabbbbccccddde": { "type": "c5n.18xlarge", "groups": [&group] },
            "cr-0aaaabbbbccccdddf": { "type": "c5n.18xlarge" },
        },
        "keys": { &key: "PendingDeletion" },
        "secrets": [&secret],
    }));
    let inventory = &lab.cloud.inventory;
    let keys = inventory.keys(&[key.clone(), gone]).await.unwrap();
    assert_eq!(keys, BTreeMap::from([(key, "PendingDeletion".to_owned())]));
    let secrets = inventory.secrets(&[secret.clone(), arn("secretsmanager", "secret:nobody-AbCdEf")]).await.unwrap();
    assert_eq!(secrets, BTreeMap::from([(secret, false)]));
    let near = Reservation { instance_type: "c5n.18xlarge".to_owned(), placement_group: Some("near".to_owned()) };
    let found = inventory.reservations(&owned(&["cr-0aaaabbbbccccdddd", "cr-0000000000000000f"])).await.unwrap();
    assert_eq!(found, BTreeMap::from([("cr-0aaaabbbbccccdddd".to_owned(), near)]));
    let empty = arn("resource-groups", "group/empty");
    let groups = inventory.reservation_groups(&[group.clone(), empty.clone()]).await.unwrap();
    assert_eq!(groups, BTreeMap::from([(empty, 0), (group, 2)]));
    assert!(inventory.lustre_use().await.unwrap().values().all(|one| one.file_systems > 0));
}
