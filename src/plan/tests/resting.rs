//! What must be at rest, and what was left switched off.

use super::*;
use crate::{
    cloud::{FileSystemState, Repository},
    observe::LiveFileSystem,
    plan::rest::{leaving, mark_login_nodes, silent_links, stale_login_nodes},
};

const FSX: &str = "AWS::FSx::FileSystem";

fn link(association: &str, auto_export: &[&str]) -> Repository {
    Repository {
        path: "/".to_owned(),
        import: None,
        export: None,
        association: Some(association.to_owned()),
        auto_export: auto_export.iter().map(|one| (*one).to_owned()).collect(),
        lifecycle: "AVAILABLE".to_owned(),
    }
}

/// Two associations of one file system: the template of the first says that it exports by itself.
fn linked() -> Live {
    let mut live = live("running");
    let kind = "AWS::FSx::DataRepositoryAssociation";
    let mut storage = stack(&StackKey::Storage, &[("Data", FSX), ("Auto", kind), ("Silent", kind)], &[]);
    storage.template["Resources"]["Auto"]["Properties"] =
        json!({ "S3": { "AutoExportPolicy": { "Events": ["NEW", "CHANGED"] } } });
    storage.template["Resources"]["Silent"]["Properties"] = json!({ "S3": { "AutoExportPolicy": { "Events": [] } } });
    live.stacks.insert(StackKey::Storage, storage);
    let state = FileSystemState {
        id: "Data-1".to_owned(),
        lifecycle: "AVAILABLE".to_owned(),
        capacity_gib: 1200,
        deployment: None,
        dns_name: None,
        mount_name: None,
        repositories: vec![link("Auto-1", &[]), link("Silent-1", &[])],
        tags: BTreeMap::new(),
        created: Timestamp(0),
        grown: None,
    };
    live.file_systems.insert("Data".to_owned(), LiveFileSystem { state, last_export: None });
    live
}

#[test]
fn a_link_is_silent_when_its_template_says_otherwise() {
    let live = linked();
    let of = |changes: &[Change]| silent_links(changes, &live).into_keys().collect::<Vec<_>>();
    assert_eq!(of(&[]), ["Auto-1"], "the other one never exported by itself");
    let association = |id: &str| change(&StackKey::Storage, id, "", Action::Update);
    assert_eq!(of(&[association("Silent")]), ["Auto-1"], "another one changes");
    assert!(of(&[association("Auto")]).is_empty(), "its own change says it anyway");
    let goes = with_data(change(&StackKey::Storage, "Data", FSX, Action::Delete), file_system("data"), DataFate::Lost);
    assert!(of(&[goes]).is_empty());
    let mut exporting = linked();
    let data = exporting.file_systems.get_mut("Data").unwrap();
    data.state.repositories[0].auto_export = vec!["NEW".to_owned()];
    assert!(silent_links(&[], &exporting).is_empty());
}

/// A file system that is kept is cut off all the same: login nodes have it mounted, and hang.
#[test]
fn login_nodes_are_stale_when_what_they_mount_is_cut_off() {
    let mut live = live("running");
    live.instances.extend([instance("i-in", "login", "running"), instance("i-out", "login", "shutting-down")]);
    let of = |change: Change| stale_login_nodes(&[change], &[], &live);
    let fsx = |action, fate| with_data(change(&StackKey::Storage, "Data", FSX, action), file_system("data"), fate);
    for (action, fate) in [
        (Action::Forget, DataFate::Kept),
        (Action::Delete, DataFate::Kept),
        (Action::Replace, DataFate::ExportedFirst),
        (Action::Delete, DataFate::Lost),
    ] {
        assert_eq!(of(fsx(action, fate)), ["i-in"], "{action:?} {fate:?}");
    }
    assert!(of(fsx(Action::Update, DataFate::Kept)).is_empty());
    let volume = |reason| {
        let change = change(&StackKey::Storage, "Vol", "AWS::EC2::Volume", Action::Forget);
        with_data(Change { reason, ..change }, volume_of("v"), DataFate::Kept)
    };
    assert_eq!(of(volume(Reason::NotWanted)), ["i-in"]);
    assert!(of(volume(Reason::Changed)).is_empty());
    assert!(of(change(&StackKey::Storage, "Group", "AWS::EC2::SecurityGroup", Action::Delete)).is_empty());
}

/// What people write on them meanwhile is in no export: said of what is exported and goes.
#[test]
fn an_export_beside_login_nodes_is_a_loss() {
    let mut live = live("running");
    let marked = |live: &Live, action, fate| {
        let of = |id| with_data(change(&StackKey::Storage, id, FSX, action), file_system("data"), fate);
        let mut changes = [of("Data")];
        mark_login_nodes(&mut changes, live);
        changes[0].data.as_ref().unwrap().login_nodes
    };
    assert!(!marked(&live, Action::Delete, DataFate::ExportedFirst), "there are none");
    live.instances.push(instance("i-in", "login", "running"));
    for action in [Action::Delete, Action::Replace] {
        assert!(marked(&live, action, DataFate::ExportedFirst));
        assert!(!marked(&live, action, DataFate::Lost) && !marked(&live, action, DataFate::Kept));
    }
    assert!(!marked(&live, Action::Update, DataFate::ExportedFirst));
}

#[test]
fn a_volume_is_asked_of_a_head_node_that_runs_and_has_it() {
    let gone = with_data(
        change(&StackKey::Storage, "Vol", "AWS::EC2::Volume", Action::Delete),
        volume_of("v"),
        DataFate::Lost,
    );
    for (state, holder, asked) in [
        ("running", Some(HEAD), true),
        ("stopped", Some(HEAD), false),
        ("running", Some(OTHER), false),
        ("running", None, false),
    ] {
        let mut live = live(state);
        live.volumes = vec![volume("Vol-1", holder)];
        assert_eq!(leaving(std::slice::from_ref(&gone), &live).len(), usize::from(asked), "{state} {holder:?}");
    }
}
