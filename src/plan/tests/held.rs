//! Who holds what: groups in parameters, volumes on instances.

use super::*;
use crate::plan::held::{attached, between, providers, replacements};
use std::collections::BTreeSet;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const VOLUME: &str = "AWS::EC2::Volume";
const STORAGE: StackKey = StackKey::Storage;

#[test]
fn what_somebody_uses_is_held_and_nothing_else_is() {
    let mut live = live("running");
    let deleted = |id: &str, kind: &str| change(&STORAGE, id, kind, Action::Delete);
    live.stacks.insert(StackKey::Accounting, stack(&StackKey::Accounting, &[], &[("Groups", "sg-other,Used-1")]));
    // Its own stack's parameters are nobody else's use.
    live.stacks.insert(STORAGE, stack(&STORAGE, &[], &[("One", "Own-1"), ("Role", "Used-1")]));
    live.volumes = vec![volume("Held-1", Some(OTHER)), volume("Free-1", None)];
    let held = |id: &str, kind: &str| !providers(&[deleted(id, kind)], &live).is_empty();
    assert!(held("Used", GROUP) && held("Held", VOLUME));
    assert!(!held("Unused", GROUP) && !held("Own", GROUP), "no other stack names it");
    assert!(!held("Free", VOLUME), "no instance has it");
    assert!(!held("Used", "AWS::IAM::Role"), "IAM deletes what is used");
    // A group that is replaced is held by the same stacks, and by no others.
    let replaced = change(&STORAGE, "Used", GROUP, Action::Replace);
    assert_eq!(replacements(&[replaced], &live)[0].users, [StackKey::Accounting]);
    assert!(replacements(&[change(&STORAGE, "Own", GROUP, Action::Replace)], &live).is_empty());
}

fn leaving(id: &str) -> Change {
    change(&STORAGE, id, VOLUME, Action::Delete)
}

fn head(action: Action) -> Change {
    let change = change(&StackKey::Head, "HeadInstance", "AWS::EC2::Instance", action);
    Change { address: "head.instance".to_owned(), physical_id: Some(HEAD.to_owned()), ..change }
}

#[test]
fn a_volume_leaves_by_one_of_three_ways() {
    // A head node that is stopped carries out no order, and one that changes in place keeps what it has.
    let mut stopped = live("stopped");
    stopped.volumes = vec![volume("V-1", Some(HEAD)), volume("W-1", Some(OTHER))];
    let volumes = |found: Vec<super::super::AttachedVolume>| {
        found.into_iter().map(|one| (one.volume, one.head)).collect::<Vec<_>>()
    };
    let in_place = [head(Action::Update), leaving("V"), leaving("W")];
    let with = |state: &str| ("V-1".to_owned(), Some(state.to_owned()));
    let others = ("W-1".to_owned(), None);
    assert_eq!(volumes(attached(&in_place, &[], &stopped)), [with("stopped"), others.clone()]);
    // It goes, and takes along what another instance has as little as before.
    let goes = [head(Action::Delete), leaving("V"), leaving("W")];
    assert_eq!(volumes(attached(&goes, &[], &stopped)), [others.clone()]);
    // It is stopped for its update, and lets go of all that its stack attached.
    stopped.stacks.insert(STORAGE, stack(&STORAGE, &[("V", VOLUME)], &[]));
    stopped.stacks.get_mut(&STORAGE).unwrap().resources[0].physical_id = "vol-1".to_owned();
    stopped.volumes = vec![volume("vol-1", Some(HEAD))];
    let of_stack = Change { physical_id: Some("vol-1".to_owned()), ..leaving("V") };
    assert_eq!(attached(&[head(Action::Update), of_stack.clone()], &[], &stopped).len(), 1);
    assert_eq!(attached(&[head(Action::Replace), of_stack], &[], &stopped), []);
    // It runs, and is asked.
    let mut runs = live("running");
    runs.volumes = vec![volume("V-1", Some(HEAD)), volume("W-1", Some(OTHER))];
    let asked = with_data(leaving("V"), volume_of("v"), DataFate::SnapshotFirst);
    assert_eq!(volumes(attached(&[asked, leaving("W")], &[], &runs)), [others]);
}

#[test]
fn a_stack_between_takes_along_the_parameters_of_what_is_to_go() {
    let exists = LiveStack {
        template: json!({ "Parameters": { "Old": {}, "Both": {} }, "Resources": { "A": {}, "B": {} } }),
        ..stack(&STORAGE, &[], &[("Old", "1"), ("Both", "2")])
    };
    let wanted = json!({ "Parameters": { "Both": {}, "New": {} }, "Resources": { "B": {}, "C": {} } });
    let found = between(&wanted, &exists, &BTreeSet::new()).unwrap();
    assert_eq!(found.parameters, [("Old".to_owned(), "1".to_owned())].into(), "others come from the file");
    assert_eq!(found.template["Resources"], json!({ "A": {}, "B": {}, "C": {} }));
    let less = json!({ "Parameters": { "Both": {} }, "Resources": { "B": {} } });
    assert_eq!(between(&less, &exists, &BTreeSet::new()), None, "nothing but what goes");
}
