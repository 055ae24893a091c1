//! The head node's lasting data, and what is taken from it.

use super::*;
use crate::plan::{
    After, Effect, PropertyChange,
    head::{data_on_root, release, risk},
};

fn property(path: &str) -> PropertyChange {
    let (path, after) = (path.to_owned(), After::Unset);
    PropertyChange { path, before: None, after, effect: Effect::InPlace, ruling: None, cause: None }
}

fn head(action: Action, properties: &[&str]) -> Change {
    let change = change(&StackKey::Head, "HeadInstance", "AWS::EC2::Instance", action);
    Change { properties: properties.iter().map(|path| property(path)).collect(), ..change }
}

/// With a volume for the head node's data that is free, made at this time.
fn with_free_volume(created: i64) -> Live {
    let mut live = live("running");
    live.stacks.insert(StackKey::Storage, stack(&StackKey::Storage, &[("HeadData", "AWS::EC2::Volume")], &[]));
    live.volumes = vec![VolumeState { created: Timestamp(created), ..volume("HeadData-1", None) }];
    live
}

/// The head node was launched at 100.
#[test]
fn only_an_older_head_node_has_its_data_on_the_root_volume() {
    assert!(data_on_root(&with_free_volume(101)));
    assert!(!data_on_root(&with_free_volume(100)) && !data_on_root(&with_free_volume(99)));
}

#[test]
fn home_directories_are_where_the_head_node_exports_them() {
    let mut live = live("running");
    let home = |live: &Live| match risk(&StackKey::Head, "HeadInstance", live).unwrap().holding {
        DataHolding::HeadNode { home } => home,
        other => panic!("{other:?}"),
    };
    assert!(home(&live), "who knows nothing fears for them");
    for (line, exported) in [
        ("  export_nfs /home 10.0.0.0/16", true),
        ("  export_nfs /tools 10.0.0.0/16", false),
        ("  mount_efs home /home fs-1", false),
    ] {
        live.files.insert("head/storage.sh".to_owned(), format!("mount_all() {{\n{line}\n}}\n"));
        assert_eq!(home(&live), exported, "{line}");
    }
    assert_eq!(risk(&StackKey::Head, "HeadRole", &live), None);
    assert_eq!(risk(&StackKey::Storage, "HeadInstance", &live), None);
}

#[test]
fn volumes_are_taken_from_a_head_node_that_goes_or_whose_stack_attached_them() {
    let mut live = live("running");
    let own = serde_json::json!({ "volumes": [
        { "name": "a", "volume_id": "vol-a" }, { "name": "b", "volume_id": "vol-b" }, { "name": "c" },
    ] });
    live.files.insert("head/hpcctl.json".to_owned(), own.to_string());
    // Others have `vol-b` and `vol-d`; of `vol-a` nobody is asked.
    live.volumes = vec![volume("vol-b", Some(OTHER)), volume("vol-d", Some(OTHER))];
    let role = change(&StackKey::Head, "HeadRole", "AWS::IAM::Role", Action::Replace);
    let of = |changes: &[Change]| release(changes, &live).map(|one| (one.volumes, one.replaced));
    let replaced = Some((vec!["vol-a".to_owned()], true));
    assert_eq!(of(&[role.clone(), head(Action::Replace, &[])]), replaced, "another resource comes first");
    let elsewhere = Change { stack: StackKey::Storage, ..head(Action::Replace, &[]) };
    assert_eq!(of(&[role, elsewhere]), None);
    assert_eq!(of(&[head(Action::Update, &["Volumes/0"])]), Some((vec!["vol-a".to_owned()], false)));
    assert_eq!(of(&[head(Action::Update, &["InstanceType"])]), None);
    // Both are there: what this one has is taken, too.
    live.volumes = vec![volume("vol-a", Some(HEAD)), volume("vol-b", Some(OTHER))];
    assert_eq!(release(&[head(Action::Replace, &[])], &live).unwrap().volumes, ["vol-a"]);
}
