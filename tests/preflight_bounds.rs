//! The bounds of what is held against an account: each thing by itself, just enough and one too many.

#![allow(clippy::unwrap_used)]

use hpcctl::{
    catalog::{ADDRESSES, Ground, InstanceCatalog, Subnet, VPCS},
    check::{self, Facts},
    spec,
};

const HEAD: &str = "subnet-0a1b2c3d4e5f67890";
const GROUP: &str = "sg-0a1b2c3d4e5f67890";
const OWN: &str = "vpc-0a1b2c3d4e5f67890";
const EFS: &str = "storage: [ { name: home, mount: /users, efs: { on_destroy: keep } } ]\n";

/// A cluster whose nodes are all in the head node's subnet.
fn cluster(network: &str, more: &str) -> String {
    format!(
        "version: 1\nname: fld\nregion: us-east-1\nnetwork: {network}\n\
         head_node: {{ instance_type: m6i.xlarge }}\n\
         queues: [ {{ name: q, default: true, pools: [ {{ name: od, instance_types: [c6i.4xlarge], max: 10 }} ] }} ]\n\
         {more}"
    )
}

fn existing(subnets: &str, more: &str) -> String {
    format!("{{ vpc_id: {OWN}, head_node_subnet: {HEAD}, compute_subnets: [{subnets}]{more} }}")
}

/// Whether a rule is broken, and where.
fn found(text: &str, ground: Option<&Ground>, code: u16) -> Vec<String> {
    let document = spec::read("fld.yaml", text);
    let facts = Facts { catalog: Some(InstanceCatalog::embedded()), ground, ..Facts::default() };
    let all = check::check(&document, &facts);
    all.iter().filter(|finding| finding.rule.code == code).map(|finding| finding.at.to_string()).collect()
}

#[test]
fn a_subnet_and_a_group_are_each_of_the_clusters_vpc() {
    let text = cluster(&existing(HEAD, &format!(", additional_security_groups: [{GROUP}]")), "");
    let with = |subnet: &str, group: &str| {
        let subnet = Subnet { vpc: subnet.to_owned(), zone: "us-east-1a".to_owned(), free: 250 };
        let ground = Ground {
            subnets: Some([(HEAD.to_owned(), subnet)].into()),
            security_groups: Some([(GROUP.to_owned(), group.to_owned())].into()),
            ..Ground::default()
        };
        found(&text, Some(&ground), 1783)
    };
    assert!(with(OWN, OWN).is_empty());
    assert_eq!(with(OWN, "vpc-0fffffffffffffff0"), ["network.additional_security_groups[0]"]);
    assert_eq!(with("vpc-0fffffffffffffff0", OWN), ["network.head_node_subnet", "network.compute_subnets[0]"]);
}

#[test]
fn a_quota_is_used_up_by_one_more_than_it_allows() {
    let made = cluster("{ create: {} }", "");
    let with = |text: &str, code: &str, ground: Ground| {
        let ground = Ground { quotas: [(code.to_owned(), 5.0)].into(), ..ground };
        found(text, Some(&ground), 1791)
    };
    let vpcs = |count: usize| {
        let all = (0..count).map(|one| format!("vpc-{one:017x}")).collect();
        with(&made, VPCS, Ground { vpcs: Some(all), ..Ground::default() })
    };
    assert!(vpcs(3).is_empty() && vpcs(4).is_empty(), "the fifth of five");
    assert_eq!((vpcs(5), vpcs(7)), (vec!["network.create".to_owned()], vec!["network.create".to_owned()]));
    // One for the gateway, one for the head node.
    let elastic = made.replace("m6i.xlarge }", "m6i.xlarge, elastic_ip: true }");
    let addresses =
        |text: &str, used: usize| with(text, ADDRESSES, Ground { addresses: Some(used), ..Ground::default() }).len();
    assert_eq!([2, 3, 4, 6].map(|used| addresses(&elastic, used)), [0, 0, 1, 1]);
    assert_eq!([3, 4, 5].map(|used| addresses(&made, used)), [0, 0, 1]);
    // Whoever needs none is asked nothing.
    assert_eq!(addresses(&cluster(&existing(HEAD, ""), ""), 9), 0);
    // What stands has what it needs.
    let vpcs = Some((0..9).map(|one| format!("vpc-{one:017x}")).collect());
    assert!(with(&made, VPCS, Ground { vpcs, standing: true, ..Ground::default() }).is_empty());
}

#[test]
fn zones_matter_where_there_are_two_subnets() {
    let untold = |text: &str| found(text, None, 1780).len();
    let second = format!("{HEAD}, subnet-0b1c2d3e4f5a67891");
    assert_eq!(untold(&cluster(&existing(&second, ""), EFS)), 1);
    assert_eq!(untold(&cluster(&existing(HEAD, ""), EFS)), 0, "one subnet has one zone");
    assert_eq!(untold(&cluster("{ create: {} }", EFS)), 0, "these zones are chosen");
    let told = ", subnet_zones: [ { subnet: subnet-0a1b2c3d4e5f67890, zone: us-east-1a }, \
                { subnet: subnet-0b1c2d3e4f5a67891, zone: us-east-1b } ]";
    assert_eq!(untold(&cluster(&existing(&second, told), EFS)), 0);
    // A place that could not be read may have told it, or named another subnet.
    let broken = cluster(&existing(&second, ""), EFS).replace("max: 10", "max: many");
    assert_eq!(untold(&broken), 0, "queues");
    let broken = cluster(&existing(&second, ", subnet_zones: 7"), EFS);
    assert_eq!(untold(&broken), 0, "network");
}

/// Without an answer of FSx the name has to be told; with one it is only wrong, or right.
#[test]
fn a_mount_name_that_nobody_tells_is_found() {
    let id = "fs-0785e49e590123456";
    let lustre = |more: &str| {
        let storage =
            format!("storage: [ {{ name: b, mount: /fsx, fsx_lustre: {{ file_system_id: {id}{more} }} }} ]\n");
        cluster(&existing(HEAD, ""), &storage)
    };
    let at = ["storage[0].fsx_lustre.file_system_id"];
    assert_eq!(found(&lustre(""), None, 1781), at);
    assert_eq!(found(&lustre(""), Some(&Ground::default()), 1781), at, "FSx was not asked");
    assert!(found(&lustre(", mount_name: vkzt3bev"), None, 1781).is_empty());
    let asked = Ground { lustre: Some([(id.to_owned(), "vkzt3bev".to_owned())].into()), ..Ground::default() };
    assert!(found(&lustre(""), Some(&asked), 1781).is_empty());
}
