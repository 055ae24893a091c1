//! Links of FSx for Lustre with S3.

use super::{
    mounts,
    rules::{export, names, storage as rule},
    sheet::{Sheet, args, word},
};
use crate::spec::{DataRepositoryAssociation, FsxLustre, LustreDeployment, OnDestroy, Path, RepositoryEvent};
use std::collections::BTreeMap;

pub(super) fn check(sheet: &mut Sheet, name: &str, lustre: &FsxLustre, at: &Path) {
    if lustre.file_system_id.is_some() {
        return;
    }
    let associated = !lustre.data_repository_associations.is_empty();
    let deployment_given = sheet.is_given(&at.key("deployment"));
    if let Some(repository) = &lustre.data_repository {
        let at = at.key("data_repository");
        if lustre.deployment == LustreDeployment::Persistent2 && deployment_given {
            sheet.add_key(&rule::REPOSITORY_PERSISTENT_2, at.clone(), args! {});
        } else if associated {
            sheet.add_key(&rule::REPOSITORY_AND_ASSOCIATIONS, at.clone(), args! {});
        }
        if lustre.backup_id.is_some() {
            sheet.add_key(&rule::BACKUP_AND_REPOSITORY, at.clone(), args! {});
        }
        if lustre.backups.is_some() && lustre.deployment == LustreDeployment::Persistent1 {
            let args = args! { link: "data_repository" };
            sheet.add_key(&rule::BACKUPS_AND_REPOSITORY, at.parent().key("backups"), args);
        }
        if let Some(export) = repository.export.as_ref().filter(|to| to.bucket() != repository.import.bucket()) {
            let mut args = args! { export: export.bucket(), import: repository.import.bucket() };
            if !export.prefix().is_empty() {
                args.push(("prefix", export.prefix().to_owned()));
            }
            sheet.add_with(&rule::EXPORT_BUCKET, at.key("export"), vec![(at.key("import"), "imported from")], args);
        }
    }
    if associated && lustre.deployment == LustreDeployment::Scratch1 && deployment_given {
        sheet.add_key(&rule::ASSOCIATIONS_SCRATCH_1, at.key("data_repository_associations"), args! {});
    }
    if associated && lustre.backups.is_some() && !is_scratch(lustre.deployment) {
        let args = args! { link: "data_repository_associations" };
        sheet.add_key(&rule::BACKUPS_AND_REPOSITORY, at.key("backups"), args);
    }
    associations(sheet, &lustre.data_repository_associations, &at.key("data_repository_associations"));
    in_part(sheet, name, lustre, at);
    let linked = associated || lustre.data_repository.is_some();
    let honest = sheet.is_whole(&at.key("data_repository")) && sheet.is_whole(&at.key("data_repository_associations"));
    if lustre.on_destroy == Some(OnDestroy::Export) && !linked && honest && !sheet.may_be_misspelt(at) {
        sheet.add(&rule::EXPORT_WITHOUT_REPOSITORY, at.key("on_destroy"), args! {});
    }
}

/// Backups of scratch file systems are another mistake.
fn is_scratch(deployment: LustreDeployment) -> bool {
    matches!(deployment, LustreDeployment::Scratch1 | LustreDeployment::Scratch2)
}

/// Export is also what happens when the file does not say.
fn in_part(sheet: &mut Sheet, name: &str, lustre: &FsxLustre, at: &Path) {
    let exports = matches!(lustre.on_destroy, None | Some(OnDestroy::Export));
    let list = &lustre.data_repository_associations;
    let links = at.key("data_repository_associations");
    let paths: Vec<String> = list.iter().map(|one| mounts::plain(one.path.as_str())).collect();
    let whole = lustre.data_repository.is_some() || paths.iter().any(|path| path == "/");
    if exports && !list.is_empty() && !whole && sheet.is_whole(&links) {
        let at = if lustre.on_destroy.is_some() { at.key("on_destroy") } else { links };
        let linked: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        let args = args! { name: name, linked: linked.join(", ") };
        sheet.add(&export::EXPORT_IN_PART, at, args);
    }
}

fn associations(sheet: &mut Sheet, list: &[DataRepositoryAssociation], at: &Path) {
    let mut names: BTreeMap<&str, Path> = BTreeMap::new();
    for (i, association) in list.iter().enumerate() {
        let at = at.index(i);
        let name_at = at.key("name");
        if let Some(first) = names.get(association.name.as_str()) {
            let args = args! { name: association.name, line: sheet.line(first) };
            sheet.add_with(&names::DUPLICATE_ASSOCIATION, name_at, vec![(first.clone(), "first used here")], args);
        } else if sheet.is_given(&name_at) {
            names.insert(association.name.as_str(), name_at);
        }
        events(sheet, &association.auto_import, &at.key("auto_import"));
        events(sheet, &association.auto_export, &at.key("auto_export"));
        // At most eight associations: every pair may be looked at.
        for (j, other) in list[..i].iter().enumerate() {
            overlap(sheet, association, &at, other, &at.parent().index(j));
        }
    }
}

fn overlap(
    sheet: &mut Sheet,
    one: &DataRepositoryAssociation,
    at: &Path,
    other: &DataRepositoryAssociation,
    other_at: &Path,
) {
    let (path, other_path) = (mounts::plain(one.path.as_str()), mounts::plain(other.path.as_str()));
    if mounts::holds(&path, &other_path) || mounts::holds(&other_path, &path) {
        let first = other_at.key("path");
        let args = args! { path: one.path, other: other.path, name: other.name, line: sheet.line(&first) };
        sheet.add_with(&rule::ASSOCIATION_PATHS, at.key("path"), vec![(first, "overlaps with this")], args);
    }
    let prefix = |uri: &crate::spec::S3Uri| mounts::plain(&format!("/{}/{}", uri.bucket(), uri.prefix()));
    let (s3, other_s3) = (prefix(&one.s3), prefix(&other.s3));
    if mounts::holds(&s3, &other_s3) || mounts::holds(&other_s3, &s3) {
        let first = other_at.key("s3");
        let args = args! { s3: one.s3, other: other.s3, name: other.name, line: sheet.line(&first) };
        sheet.add_with(&rule::ASSOCIATION_S3, at.key("s3"), vec![(first, "overlaps with this")], args);
    }
}

fn events(sheet: &mut Sheet, events: &[RepositoryEvent], at: &Path) {
    for (i, event) in events.iter().enumerate() {
        if events[..i].contains(event) {
            sheet.add(&rule::REPEATED_EVENT, at.index(i), args! { event: word(event) });
        }
    }
}
