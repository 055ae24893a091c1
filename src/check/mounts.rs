//! Mount points: that they are plain, apart, and hide nothing.

use super::{
    rules::storage as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cluster, Path};
use std::collections::BTreeMap;

/// Folders that a mount must not hide, with all below them.
const SYSTEM_TREES: [&str; 15] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/opt/slurm",
    "/var/lib",
    "/var/spool",
];
/// Folders that a mount must not hide, but may lie in.
const SYSTEM_FOLDERS: [&str; 7] = ["/", "/opt", "/var", "/var/log", "/tmp", "/var/tmp", "/mnt"];

/// A mount point of the file.
struct Mount {
    at: Path,
    name: String,
}

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let mut mounts: BTreeMap<String, Mount> = BTreeMap::new();
    let storage = cluster.storage.iter().enumerate().map(|(i, storage)| {
        let at = Path::from("storage").index(i).key("mount");
        (storage.mount.as_str(), at, storage.name.to_string())
    });
    for (mount, at, name) in storage {
        if one(sheet, mount, &at) {
            insert(sheet, &mut mounts, mount, at, name);
        }
    }
    nested(sheet, &mounts);
    below_home(sheet, &mounts);
    for (i, queue) in cluster.queues.iter().enumerate() {
        let Some(mount) = &queue.local_scratch else { continue };
        let at = Path::from("queues").index(i).key("local_scratch");
        if one(sheet, mount.as_str(), &at) {
            local(sheet, &mounts, mount.as_str(), at);
        }
    }
}

/// Checks a mount point by itself; true when it can be compared with others.
fn one(sheet: &mut Sheet, mount: &str, at: &Path) -> bool {
    let plain = plain(mount);
    if plain != mount {
        sheet.add(&rule::MOUNT_NOT_PLAIN, at.clone(), args! { mount: mount, plain: plain });
        return false;
    }
    let hidden = SYSTEM_FOLDERS.contains(&mount) || SYSTEM_TREES.iter().any(|tree| holds(tree, mount));
    if hidden {
        let last = mount.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or("data");
        sheet.add(&rule::MOUNT_SYSTEM, at.clone(), args! { mount: mount, better: format!("/shared/{last}") });
        return false;
    }
    if mount == "/home" {
        sheet.add(&rule::MOUNT_HOME, at.clone(), args! {});
    }
    sheet.is_given(at)
}

fn insert(sheet: &mut Sheet, mounts: &mut BTreeMap<String, Mount>, mount: &str, at: Path, name: String) {
    if let Some(first) = mounts.get(mount) {
        let args = args! { mount: mount, other: first.name, line: sheet.line(&first.at) };
        sheet.add_with(&rule::MOUNT_TWICE, at, vec![(first.at.clone(), "mounted here too")], args);
    } else {
        mounts.insert(mount.to_owned(), Mount { at, name });
    }
}

fn nested(sheet: &mut Sheet, mounts: &BTreeMap<String, Mount>) {
    for (path, mount) in mounts {
        if let Some((outer, other)) = above(mounts, path) {
            let args = args! { mount: path, outer: outer, other: other.name };
            sheet.add_with(&rule::MOUNT_NESTED, mount.at.clone(), vec![(other.at.clone(), "the outer one")], args);
        }
    }
}

/// Without a storage of its own `/home` is the head node's, mounted by all others: it would hide what lies below it.
fn below_home(sheet: &mut Sheet, mounts: &BTreeMap<String, Mount>) {
    if mounts.contains_key("/home") {
        return;
    }
    for (path, mount) in mounts.iter().filter(|(path, _)| path.starts_with("/home/")) {
        let args = args! { mount: path, outer: "/home", other: "head_node" };
        sheet.add(&rule::MOUNT_NESTED, mount.at.clone(), args);
    }
}

/// The local disks' mount point against the shared ones; queues may share one, since nodes are of one queue.
fn local(sheet: &mut Sheet, mounts: &BTreeMap<String, Mount>, path: &str, at: Path) {
    if let Some(first) = mounts.get(path) {
        let args = args! { mount: path, other: first.name, line: sheet.line(&first.at) };
        sheet.add_with(&rule::MOUNT_TWICE, at, vec![(first.at.clone(), "mounted here too")], args);
    } else if let Some((outer, other)) = above(mounts, path) {
        let args = args! { mount: path, outer: outer, other: other.name };
        sheet.add_with(&rule::MOUNT_NESTED, at, vec![(other.at.clone(), "the outer one")], args);
    } else if path.starts_with("/home/") {
        sheet.add(&rule::MOUNT_NESTED, at, args! { mount: path, outer: "/home", other: "head_node" });
    }
}

/// The mount point that lies above `path`, nearest first.
fn above<'m>(mounts: &'m BTreeMap<String, Mount>, path: &str) -> Option<(String, &'m Mount)> {
    let mut outer = path;
    while let Some((parent, _)) = outer.rsplit_once('/') {
        if let Some(mount) = mounts.get(parent) {
            return Some((parent.to_owned(), mount));
        }
        outer = parent;
    }
    None
}

/// A path without `.`, `..`, doubled slashes and a slash at its end.
pub(super) fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether `inner` is `outer` or lies below it; both are plain.
pub(super) fn holds(outer: &str, inner: &str) -> bool {
    outer == "/" || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{holds, plain};

    #[test]
    fn paths_are_compared_by_their_parts() {
        assert_eq!(plain("/fsx//a/./b/../c/"), "/fsx/a/c");
        assert_eq!(plain("/../.."), "/");
        assert!(holds("/fsx", "/fsx") && holds("/fsx", "/fsx/a") && holds("/", "/fsx"));
        assert!(!holds("/fsx", "/fsx2") && !holds("/fsx/a", "/fsx"));
    }
}
