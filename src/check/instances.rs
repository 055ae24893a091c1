//! Instance types: that they exist, and that images run on them.

use super::{
    rules::nodes as rule,
    sheet::{Sheet, args, word},
};
use crate::{
    catalog::{Arch, InstanceType},
    spec::{AmiId, Architecture, Cluster, InstanceTypeName, Path},
};
use std::rc::Rc;

/// The facts of a type that can run a node; a finding when it does not exist or runs no Linux.
pub(super) fn known(sheet: &mut Sheet, name: &InstanceTypeName, at: &Path) -> Option<Rc<InstanceType>> {
    let catalog = sheet.facts.catalog?;
    let Some(found) = sheet.instance(name.as_str()) else {
        let mut args = args! { type: name };
        args.extend(catalog.closest(name.as_str()).map(|near| ("suggestion", near.to_owned())));
        sheet.add(&rule::UNKNOWN_TYPE, at.clone(), args);
        return None;
    };
    if matches!(found.arch, Arch::X86_64Mac | Arch::Arm64Mac) {
        sheet.add(&rule::MAC, at.clone(), args! { type: name });
        return None;
    }
    Some(found)
}

/// Whether EC2 runs the type with one thread per core, by itself or when asked to.
pub(super) fn can_choose_threads(found: &InstanceType) -> bool {
    found.threads_per_core == 1 || found.valid_threads_per_core.contains(&1)
}

/// The architecture as the file writes it.
pub(super) fn arch_name(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 | Arch::X86_64Mac => "x86_64",
        Arch::Arm64 | Arch::Arm64Mac => "arm64",
    }
}

/// Holds every node that runs `image.ami` against that image's architecture.
pub(super) fn images(sheet: &mut Sheet, cluster: &Cluster) {
    if cluster.image.ami.is_none() {
        return;
    }
    let wanted = cluster.image.architecture.filter(|_| sheet.is_given(&Path::from("image.architecture")));
    let mut first: Option<(Rc<InstanceType>, Path)> = None;
    for (name, at) in nodes_of_the_image(cluster) {
        let Some(found) = sheet.instance(name.as_str()) else { continue };
        if let Some(image) = wanted {
            if !fits(image, found.arch) {
                let args = args! { type: name, arch: arch_name(found.arch), image: word(&image) };
                sheet.add_with(
                    &rule::IMAGE_ARCHITECTURE,
                    at,
                    vec![(Path::from("image.architecture"), "the image's")],
                    args,
                );
            }
            continue;
        }
        match &first {
            Some((other, other_at)) if other.arch != found.arch => {
                let args = args! {
                    type: name, arch: arch_name(found.arch), other: other.name, other_arch: arch_name(other.arch),
                };
                sheet.add_with(&rule::ONE_IMAGE_TWO_ARCHITECTURES, at, vec![(other_at.clone(), "runs it too")], args);
                return;
            }
            Some(_) => {}
            None if sheet.is_given(&at) => first = Some((found, at)),
            None => {}
        }
    }
}

fn fits(image: Architecture, arch: Arch) -> bool {
    matches!((image, arch), (Architecture::X86_64, Arch::X86_64) | (Architecture::Arm64, Arch::Arm64))
}

/// The first instance type of every kind of node without an image of its own.
fn nodes_of_the_image(cluster: &Cluster) -> Vec<(&InstanceTypeName, Path)> {
    let root = Path::root();
    let mut nodes = Vec::new();
    let mut add = |own: &Option<AmiId>, name, at: Path| {
        if own.is_none() {
            nodes.push((name, at));
        }
    };
    let head = &cluster.head_node;
    add(&head.ami, &head.instance_type, root.key("head_node").key("instance_type"));
    for (i, login) in cluster.login_nodes.iter().enumerate() {
        add(&login.ami, &login.instance_type, root.key("login_nodes").index(i).key("instance_type"));
    }
    for (i, queue) in cluster.queues.iter().enumerate() {
        for (j, pool) in queue.pools.iter().enumerate() {
            let at = root.key("queues").index(i).key("pools").index(j).key("instance_types").index(0);
            if let Some(name) = pool.instance_types.first() {
                add(&queue.ami, name, at);
            }
        }
    }
    nodes
}

/// Whether a node boots from an image whose size the file cannot know: its own, or the cluster's.
pub(super) fn own_image(cluster: &Cluster, own: bool) -> bool {
    own || cluster.image.ami.is_some()
}
