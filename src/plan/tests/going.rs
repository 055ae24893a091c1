//! What goes: who refuses it, and what must not look as if it went.

use super::*;
use crate::{
    catalog::Rule,
    observe::Guards,
    plan::{
        After, DestroyOptions, Effect, Grounds, Obstacle, PropertyChange, Reason, Source, destroy,
        effects::{is_precious, settle_refusals},
        going, obstacles,
        refusals::of_names,
    },
};

const DATABASE: &str = "AWS::RDS::DBInstance";

#[test]
fn only_what_goes_can_refuse_to() {
    let live = live("running");
    let source = Source { name: String::new(), sha256: String::new(), text: String::new() };
    let mut plan = destroy("c", "eu-west-1", source, &live, &DestroyOptions::default()).unwrap();
    let key = StackKey::Accounting;
    let guards = Guards { databases: [(key.clone(), "Db".to_owned())].into(), ..Guards::default() };
    for (action, goes) in
        [(Action::Delete, true), (Action::Replace, true), (Action::Update, false), (Action::Forget, false)]
    {
        plan.changes = vec![change(&key, "Db", DATABASE, action), change(&key, "Rule", "AWS::IAM::Role", action)];
        let asked = [(key.clone(), "Db".to_owned())];
        assert_eq!(going(&plan), asked[..usize::from(goes)], "{action:?}");
        let found = obstacles(&plan, &live, &guards);
        assert_eq!(matches!(found[..], [Obstacle::Database { .. }]), goes, "{action:?}: {found:?}");
        assert_eq!(found.len(), usize::from(goes));
    }
}

fn named(address: &str, id: &str, kind: &str, action: Action) -> Change {
    Change { address: address.to_owned(), ..change(&StackKey::Storage, id, kind, action) }
}

#[test]
fn a_name_is_taken_by_what_held_data_under_the_same_name_alone() {
    let fsx = "AWS::FSx::FileSystem";
    let gone = |action| with_data(named("storage.a", "Old", fsx, action), file_system("a"), DataFate::Lost);
    let comes = || named("storage.a", "New", fsx, Action::Create);
    let refused = |changes: &[Change]| of_names(&mut changes.to_vec(), &|id| id == "New").len();
    assert_eq!(refused(&[gone(Action::Delete), comes()]), 1);
    assert_eq!(refused(&[gone(Action::Forget), comes()]), 1);
    assert_eq!(refused(&[gone(Action::Update), comes()]), 0, "it stays");
    assert_eq!(refused(&[named("storage.a", "Old", fsx, Action::Delete), comes()]), 0, "it held nothing");
    let other = Change { address: "storage.b".to_owned(), ..comes() };
    assert_eq!(refused(&[gone(Action::Delete), other]), 0, "another name");
    let elsewhere = Change { stack: StackKey::Head, ..comes() };
    assert_eq!(refused(&[gone(Action::Delete), elsewhere]), 0, "another stack");
    assert_eq!(
        refused(&[gone(Action::Delete), named("storage.a", "Bare", fsx, Action::Create)]),
        0,
        "it holds nothing"
    );
    let updated = Change { action: Action::Update, ..comes() };
    assert_eq!(refused(&[gone(Action::Delete), updated]), 0, "it is there");
    // Another kind starts empty.
    let mut changes = [gone(Action::Delete), Change { resource_type: "AWS::EFS::FileSystem".to_owned(), ..comes() }];
    assert_eq!(of_names(&mut changes, &|id| id == "New"), []);
    assert_eq!(changes[1].reason, Reason::StartsEmpty { instead_of: "Old".to_owned() });
}

fn property(path: &str, effect: Effect, rule: Option<Rule>) -> PropertyChange {
    let ruling = rule.map(|rule| Grounds { rule, page: String::new() });
    PropertyChange { path: path.to_owned(), before: None, after: After::Unset, effect, ruling, cause: None }
}

#[test]
fn a_replacement_ends_refusals_about_the_old_one_alone() {
    let before = [
        property("Place", Effect::Refused, Some(Rule::PlaceStays)),
        property("Size", Effect::Refused, Some(Rule::OnlyGrows)),
        property("Grown", Effect::Restarts, Some(Rule::OnlyGrows)),
    ];
    let mut stays = before.to_vec();
    settle_refusals(&mut stays);
    assert_eq!(stays, before, "nothing is replaced");
    let mut replaced = before.to_vec();
    replaced.push(property("Kind", Effect::Replaces, None));
    settle_refusals(&mut replaced);
    assert_eq!(replaced[0], before[0]);
    assert_eq!(replaced[1], property("Size", Effect::InPlace, None));
    assert_eq!(replaced[2], before[2]);
}

#[test]
fn the_head_node_and_what_holds_data_are_precious() {
    let with =
        |address: &str, holds: Value| json!({ "Metadata": { "hpcctl:address": address, "hpcctl:holds": holds } });
    let bare = |address: &str| json!({ "Metadata": { "hpcctl:address": address } });
    assert!(is_precious(&bare("head.instance")) && is_precious(&with("storage.a", json!({ "volume": {} }))));
    assert!(!is_precious(&bare("head.role")) && !is_precious(&with("head.logs", json!("logs"))));
    assert!(!is_precious(&json!({ "Type": "AWS::EC2::Subnet" })));
}
