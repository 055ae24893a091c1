//! Image, head node and login nodes.

use super::{
    cidr, iam, instances, limits,
    rules::{names, network, nodes as rule},
    sheet::{Sheet, args, word},
    volumes,
};
use crate::spec::{Cluster, Dcv, Name, Os, Path};
use std::collections::HashMap;

/// Ports that something else uses on nodes, in the order of the ports.
const TAKEN: [(u32, &str); 11] = [
    (22, "SSH"),
    (111, "the NFS port mapper"),
    (988, "Lustre"),
    (2049, "NFS"),
    (3306, "MySQL"),
    (6817, "slurmctld"),
    (6818, "slurmd"),
    (6819, "slurmdbd"),
    (6820, "slurmrestd"),
    (8444, "DCV's own authenticator"),
    (9100, "the node exporter"),
];

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    image(sheet, cluster);
    instances::images(sheet, cluster);
    head(sheet, cluster);
    login(sheet, cluster);
}

fn image(sheet: &mut Sheet, cluster: &Cluster) {
    let at = Path::from("image");
    let image = &cluster.image;
    if image.ami.is_none() {
        let keys = [("slurm_prefix", image.slurm_prefix.is_some()), ("architecture", image.architecture.is_some())];
        for (key, _) in keys.into_iter().filter(|(_, given)| *given) {
            let own = cluster.head_node.ami.is_some();
            if !own && sheet.is_given(&at.key("ami")) {
                sheet.add_key(&rule::IMAGE_KEY_WITHOUT_AMI, at.key(key), args! { key: key });
            }
        }
    }
    let packaged = matches!(image.os, Os::Ubuntu2404 | Os::Ubuntu2204 | Os::Debian12);
    if !packaged && image.slurm_prefix.is_none() && sheet.is_given(&at.key("slurm_prefix")) {
        sheet.add(&rule::IMAGE_WITHOUT_SLURM, at.key("os"), args! { os: word(&image.os) });
    }
}

fn head(sheet: &mut Sheet, cluster: &Cluster) {
    let at = Path::from("head_node");
    let head = &cluster.head_node;
    let found = instances::known(sheet, &head.instance_type, &at.key("instance_type"));
    if let Some(found) = found {
        if found.memory_mib < 3500 {
            let args = args! { type: found.name, memory: found.memory_mib };
            sheet.add(&rule::HEAD_NODE_SMALL, at.key("instance_type"), args);
        }
        if !head.hyperthreading && !instances::can_choose_threads(&found) {
            let args = args! { type: found.name };
            sheet.add(&rule::NO_HYPERTHREADING_CHOICE, at.key("hyperthreading"), args);
        }
    }
    cidr::sources(sheet, &head.ssh_from, &at.key("ssh_from"), "SSH on the head node");
    dcv(sheet, cluster, head.dcv.as_ref(), &at.key("dcv"), "the desktop on the head node");
    limits::sources(sheet, &head.ssh_from, head.dcv.as_ref(), &at);
    volumes::root(sheet, &head.root_volume, instances::own_image(cluster, head.ami.is_some()), &at.key("root_volume"));
    let data = &head.data_volume;
    let sizes = volumes::Sizes {
        kind: data.volume_type,
        size: Some(cluster.head_data_gib()),
        iops: data.iops,
        throughput: data.throughput_mib,
    };
    volumes::check(sheet, &sizes, &at.key("data_volume"));
    iam::node(sheet, head.iam.as_ref(), &at.key("iam"));
    iam::actions(sheet, head.custom_actions.as_ref(), &at.key("custom_actions"));
}

fn login(sheet: &mut Sheet, cluster: &Cluster) {
    let mut seen: HashMap<&Name, Path> = HashMap::new();
    for (i, pool) in cluster.login_nodes.iter().enumerate() {
        let at = Path::from("login_nodes").index(i);
        let name_at = at.key("name");
        if let Some(first) = seen.get(&pool.name) {
            let args = args! { name: pool.name, line: sheet.line(first) };
            sheet.add_with(&names::DUPLICATE_LOGIN, name_at, vec![(first.clone(), "first used here")], args);
        } else if sheet.is_given(&name_at) {
            seen.insert(&pool.name, name_at);
        }
        instances::known(sheet, &pool.instance_type, &at.key("instance_type"));
        cidr::sources(sheet, &pool.ssh_from, &at.key("ssh_from"), "SSH on the login nodes");
        dcv(sheet, cluster, pool.dcv.as_ref(), &at.key("dcv"), "desktops on the login nodes");
        limits::login_sources(sheet, &pool.ssh_from, pool.dcv.as_ref(), &at);
        volumes::root(
            sheet,
            &pool.root_volume,
            instances::own_image(cluster, pool.ami.is_some()),
            &at.key("root_volume"),
        );
        iam::node(sheet, pool.iam.as_ref(), &at.key("iam"));
        iam::actions(sheet, pool.custom_actions.as_ref(), &at.key("custom_actions"));
    }
}

fn dcv(sheet: &mut Sheet, cluster: &Cluster, dcv: Option<&Dcv>, at: &Path, what: &str) {
    let Some(dcv) = dcv else { return };
    let port_at = at.key("port");
    let lustre = (1018..=1023).contains(&dcv.port).then_some("the Lustre client");
    let service = TAKEN.iter().find(|(port, _)| *port == dcv.port).map(|(_, service)| *service);
    if let Some(service) = service.or(lustre) {
        sheet.add(&network::DCV_PORT_TAKEN, port_at, args! { port: dcv.port, service: service });
    } else if dcv.port <= 1024 {
        sheet.add(&network::DCV_PORT_LOW, port_at, args! { port: dcv.port });
    }
    if cluster.image.os == Os::Debian12 {
        let related = vec![(Path::from("image.os"), "chosen here")];
        let related = if sheet.doc.gives(&related[0].0) { related } else { Vec::new() };
        sheet.add_with(&network::DCV_OS, at.clone(), related, args! { os: word(&cluster.image.os) });
    }
    cidr::sources(sheet, &dcv.allowed_from, &at.key("allowed_from"), what);
}
