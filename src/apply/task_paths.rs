//! Which paths a data-repository task takes: for an export relative to the mount, for an import S3 URIs
//! (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateDataRepositoryTask.html>).

use super::{ExportRequest, TransferKind};
use crate::cloud::{FileSystemState, Repository};

/// The paths as FSx takes them. People name files as the nodes see them, relative to the mount, in both directions.
///
/// # Errors
/// The path that lies in no linked directory: FSx would fail, or do nothing.
pub(super) fn task_paths(state: &FileSystemState, request: &ExportRequest) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    for path in &request.paths {
        let found = match request.kind {
            TransferKind::Export => exported(state, path),
            TransferKind::Import => imported(state, path),
        };
        if found.is_empty() {
            return Err(path.clone());
        }
        paths.extend(found);
    }
    Ok(paths)
}

fn exported(state: &FileSystemState, path: &str) -> Vec<String> {
    let plain = path.trim_matches('/');
    let linked = |link: &Repository| link.holds(plain) || below(link, plain);
    let fits = !plain.contains("://") && state.repositories.iter().any(linked);
    if fits { vec![plain.to_owned()] } else { Vec::new() }
}

fn imported(state: &FileSystemState, path: &str) -> Vec<String> {
    let sources = || state.repositories.iter().filter_map(|link| Some((link, link.import.as_deref()?)));
    let root = |uri: &str| uri.trim_end_matches('/').to_owned();
    if path.starts_with("s3://") {
        let within = |uri: &str| path == root(uri) || path.starts_with(&format!("{}/", root(uri)));
        return if sources().any(|(_, uri)| within(uri)) { vec![path.to_owned()] } else { Vec::new() };
    }
    let plain = path.trim_matches('/');
    if let Some((link, uri)) = sources().find(|(link, _)| link.holds(plain)) {
        let rest = plain.strip_prefix(link.path.trim_matches('/')).unwrap_or(plain).trim_matches('/');
        return vec![if rest.is_empty() { root(uri) } else { format!("{}/{rest}", root(uri)) }];
    }
    sources().filter(|(link, _)| below(link, plain)).map(|(_, uri)| root(uri)).collect()
}

/// Whether a link's directory lies below a path.
fn below(link: &Repository, path: &str) -> bool {
    let root = link.path.trim_matches('/');
    path.is_empty() || root.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Timestamp;

    fn file_system(links: &[(&str, &str)]) -> FileSystemState {
        let link = |(path, uri): &(&str, &str)| Repository {
            path: (*path).to_owned(),
            import: Some((*uri).to_owned()),
            export: Some((*uri).to_owned()),
            association: None,
            auto_export: Vec::new(),
            lifecycle: "AVAILABLE".to_owned(),
        };
        FileSystemState {
            id: "fs-1".to_owned(),
            lifecycle: "AVAILABLE".to_owned(),
            capacity_gib: 1200,
            deployment: None,
            dns_name: None,
            mount_name: None,
            repositories: links.iter().map(link).collect(),
            tags: Default::default(),
            created: Timestamp(0),
            grown: None,
        }
    }

    #[test]
    fn an_import_names_what_s3_has() {
        let whole = file_system(&[("/", "s3://data/in/")]);
        assert_eq!(imported(&whole, "cases"), ["s3://data/in/cases"]);
        assert_eq!(imported(&whole, "/cases/a/"), ["s3://data/in/cases/a"]);
        assert_eq!(imported(&whole, "s3://data/in/cases"), ["s3://data/in/cases"]);
        assert!(imported(&whole, "s3://other/in").is_empty());
        let parts = file_system(&[("/ml/sets", "s3://sets"), ("/ml/models", "s3://models/all")]);
        assert_eq!(imported(&parts, "ml/models/new"), ["s3://models/all/new"]);
        assert_eq!(imported(&parts, "ml/sets"), ["s3://sets"]);
        assert_eq!(imported(&parts, "ml"), ["s3://sets", "s3://models/all"]);
        assert!(imported(&parts, "ml/modelsandmore").is_empty());
    }

    #[test]
    fn an_export_names_what_nodes_see() {
        let parts = file_system(&[("/ml/sets", "s3://sets")]);
        assert_eq!(exported(&parts, "/ml/sets/a"), ["ml/sets/a"]);
        assert_eq!(exported(&parts, "ml"), ["ml"]);
        for path in ["projects", "ml/setsandmore", "s3://sets/a"] {
            assert!(exported(&parts, path).is_empty(), "{path}");
        }
    }
}
