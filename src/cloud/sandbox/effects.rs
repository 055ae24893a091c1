//! What resources bring about outside their stack: buckets, instances, files.

use super::{
    attributes::private_ip,
    bucket::Body,
    eval::plain,
    ids::{hex, number},
    instance::Instance,
    resource::Resource,
    stack::Stack,
    volumes::{self, Attachment},
    world::{ACCOUNT, World},
};
use crate::cloud::{CLUSTER_TAG, ROLE_TAG, TaskKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Something begins to be made.
pub(super) fn making(world: &mut World, stack: &Stack, logical: &str, resource: &Resource) {
    if resource.kind == "AWS::EC2::Instance" {
        let instance = instance(world, stack, logical, resource, &resource.physical, &resource.properties);
        world.instances.insert(instance.id.clone(), instance);
    }
}

/// Something was made or updated.
pub(super) fn made(world: &mut World, stack: &Stack, logical: &str, resource: &Resource) {
    match resource.kind.as_str() {
        "AWS::S3::Bucket" => {
            let versioned = resource.properties.pointer("/VersioningConfiguration/Status");
            world.buckets.entry(resource.physical.clone()).or_default().versioned =
                versioned == Some(&Value::from("Enabled"));
        }
        "AWS::FSx::FileSystem" => {
            let files = world.files.entry(resource.physical.clone()).or_default();
            if files.is_empty() {
                *files = some_files(&resource.physical);
            }
            for path in ["ImportPath", "ExportPath"] {
                let url = resource.properties["LustreConfiguration"][path].as_str();
                adopt_bucket(world, url);
            }
        }
        "AWS::FSx::DataRepositoryAssociation" => {
            adopt_bucket(world, resource.text("DataRepositoryPath"));
            some_linked_files(world, resource);
        }
        "AWS::EC2::Instance" => {
            if let (Some(instance), Some(kind)) =
                (world.instances.get_mut(&resource.physical), resource.text("InstanceType"))
            {
                // Stopped and started, it has another public address, unless that is an Elastic IP.
                let fixed = stack.present().any(|other| other.text("InstanceId") == Some(instance.id.as_str()));
                if instance.instance_type != kind && !fixed {
                    let part = number(&[&instance.id, kind], 254) + 1;
                    instance.public_ip = instance.public_ip.take().map(|_| format!("198.51.100.{part}"));
                }
                kind.clone_into(&mut instance.instance_type);
                instance.tags = instance_tags(stack, logical, &resource.tags);
            }
            head_boots(world, &resource.physical);
        }
        "AWS::AutoScaling::AutoScalingGroup" => scale(world, stack, logical, resource),
        _ => {}
    }
}

/// Something begins to be deleted.
pub(super) fn deleting(world: &mut World, resource: &Resource) {
    let now = world.now;
    let members = group_members(world, &resource.physical);
    let ids = if resource.kind == "AWS::EC2::Instance" { vec![resource.physical.clone()] } else { members };
    for id in ids {
        if let Some(instance) = world.instances.get_mut(&id) {
            instance.terminated.get_or_insert(now);
        }
    }
}

/// Seconds for which lists of tags and of roles still show what is gone.
const GHOST: i64 = 90;

/// Something was deleted.
pub(super) fn deleted(world: &mut World, stack: &Stack, resource: &Resource) {
    let now = world.now;
    world.ghosts.retain(|_, (until, _)| *until > now);
    world.ghosts.insert(resource.physical.clone(), (now.plus(GHOST), resource.clone()));
    match resource.kind.as_str() {
        "AWS::S3::Bucket" => {
            world.buckets.remove(&resource.physical);
        }
        "AWS::FSx::FileSystem" => {
            world.files.remove(&resource.physical);
        }
        _ => {}
    }
    if super::phases::policy(stack, resource) == super::template::Policy::Snapshot {
        snapshot(world, stack, resource);
    }
}

/// A snapshot stays behind, with the tags of what it was made of.
fn snapshot(world: &mut World, stack: &Stack, resource: &Resource) {
    let named = || format!("{}-snapshot-{}", stack.name, hex(&[&resource.physical], 12));
    let (kind, physical) = match resource.kind.as_str() {
        "AWS::EC2::Volume" => ("AWS::EC2::Snapshot", format!("snap-0{}", hex(&[&resource.physical], 16))),
        "AWS::RDS::DBCluster" => ("AWS::RDS::DBClusterSnapshot", named()),
        _ => ("AWS::RDS::DBSnapshot", named()),
    };
    let (kind, id) = (kind.to_owned(), physical.clone());
    let properties = json!({ "VolumeId": resource.physical, "VolumeSize": resource.properties["Size"] });
    let kept = Resource { kind, physical, properties, ..resource.clone() };
    world.retained.insert(id, kept);
}

fn adopt_bucket(world: &mut World, url: Option<&str>) {
    if let Some((bucket, _)) = url.and_then(split_url) {
        world.buckets.entry(bucket.to_owned()).or_default();
    }
}

/// Bucket and prefix of `s3://bucket/prefix`; the prefix has no slash at its ends.
pub(super) fn split_url(url: &str) -> Option<(&str, &str)> {
    let path = url.strip_prefix("s3://")?.trim_end_matches('/');
    Some(path.split_once('/').unwrap_or((path, "")))
}

/// Where FSx does not come to its bucket, the task fails as a whole.
pub(super) fn unreachable_bucket(world: &World, absent: &[String], file_system: &str) -> Option<String> {
    let links = super::file_systems::repositories(world, file_system);
    let mut buckets = links.iter().filter_map(|link| Some(split_url(link.export.as_deref()?)?.0.to_owned()));
    buckets.find(|bucket| absent.contains(bucket))
}

/// What people have put on a new file system by the time that somebody looks: path and size.
fn some_files(file_system: &str) -> BTreeMap<String, u64> {
    let count = 18 + number(&[file_system, "files"], 12);
    let file = |n: u64| {
        let folder = ["cases", "results", "restart"][usize::try_from(n % 3).unwrap_or(0)];
        (format!("{folder}/run-{:03}.dat", n / 3 + 1), (number(&[file_system, &n.to_string()], 9000) + 1) << 20)
    };
    (0..count).map(file).collect()
}

/// People work in the directories that are linked, too.
fn some_linked_files(world: &mut World, link: &Resource) {
    let root = link.text("FileSystemPath").unwrap_or_default().trim_matches('/').to_owned();
    let Some(files) = link.text("FileSystemId").and_then(|id| world.files.get_mut(id)) else { return };
    let there = files.keys().any(|file| file.strip_prefix(&root).is_some_and(|rest| rest.starts_with('/')));
    if !root.is_empty() && !there {
        files.extend((1..=6).map(|n| (format!("{root}/file-{n:03}.dat"), n << 20)));
    }
}

fn instance(
    world: &World,
    stack: &Stack,
    logical: &str,
    resource: &Resource,
    id: &str,
    properties: &Value,
) -> Instance {
    let template = launch_data(world, stack, resource);
    let value = |path: &str| properties.pointer(path).or_else(|| template.and_then(|data| data.pointer(path)));
    let text = |paths: [&str; 2]| paths.iter().find_map(|path| value(path)).map(plain);
    let subnet = text(["/SubnetId", "/NetworkInterfaces/0/SubnetId"]).unwrap_or_default();
    let groups = ["/SecurityGroupIds", "/NetworkInterfaces/0/GroupSet", "/NetworkInterfaces/0/Groups"];
    let groups = groups.iter().find_map(|path| value(path)?.as_array());
    Instance {
        id: id.to_owned(),
        region: stack.region.clone(),
        instance_type: text(["/InstanceType", "/InstanceType"]).unwrap_or_else(|| "m1.small".to_owned()),
        zone: text(["/AvailabilityZone", "/Placement/AvailabilityZone"])
            .unwrap_or_else(|| world.zone_of(&stack.region, &subnet)),
        subnet,
        security_groups: groups.into_iter().flatten().map(plain).collect(),
        private_ip: private_ip(&[id]),
        public_ip: resource.attributes.get("PublicIp").map(plain),
        spot: template
            .is_some_and(|data| data.pointer("/InstanceMarketOptions/MarketType") == Some(&Value::from("spot"))),
        tags: instance_tags(stack, logical, &resource.tags),
        template: None,
        placement_group: text(["/PlacementGroupName", "/Placement/GroupName"]),
        launched: world.now,
        booted: None,
        terminated: None,
        stopped: None,
        shutting_down: false,
        secondary: Vec::new(),
        ended_by: None,
        interrupted: None,
        rebalance: None,
    }
}

/// What a head node does when it boots, where no machine does it: it attaches the cluster's volumes that are free
/// and that its published files name. In a rehearsal the machine itself does.
pub(super) fn head_boots(world: &mut World, id: &str) {
    attach_free(world, id, None);
}

/// Attaches what is free and named by the published files, be it all or of these.
pub(super) fn attach_free(world: &mut World, id: &str, among: Option<&[String]>) {
    let (now, Some(head)) = (world.now, world.instances.get(id)) else { return };
    let tag = |name: &str| head.tags.get(name).cloned().unwrap_or_default();
    if world.ahead_ms.is_some() || tag(ROLE_TAG) != "head" {
        return;
    }
    let mut volumes = volumes::of_cluster(world, &head.region.clone(), &tag(CLUSTER_TAG));
    let bucket = world.buckets.get(&format!("hpcctl-{ACCOUNT}-{}", head.region));
    let newest = |name: &str| {
        let key = format!("clusters/{}/current/{name}", tag(CLUSTER_TAG));
        bucket.and_then(|bucket| bucket.objects.get(&key)?.last())
    };
    let published = |name: &str| {
        let body = newest(name).and_then(|version| version.body.as_ref());
        body.and_then(|body| serde_json::from_slice::<Value>(&body.bytes()).ok())
    };
    let configured = newest("head/hpcctl.json").map(|version| version.at);
    let mut facts = published("cluster.json");
    let config = published("head/hpcctl.json").unwrap_or_default();
    // Volumes that somebody else made have no tag of the cluster.
    let theirs = config["volumes"].as_array().into_iter().flatten().filter_map(|one| one["volume_id"].as_str());
    let theirs: Vec<String> = theirs.map(str::to_owned).collect();
    volumes.extend(theirs.iter().filter_map(|id| volumes::view(world, &head.region, id)));
    // All outputs of the stacks are there as well, of what goes too.
    facts.as_mut().and_then(Value::as_object_mut).and_then(|facts| facts.remove("outputs"));
    let facts = facts.map(|facts| facts.to_string());
    let named = |id: &String| facts.as_ref().is_none_or(|facts| facts.contains(id)) || theirs.contains(id);
    let meant = |id: &String| match among {
        Some(some) => some.contains(id),
        None => !volumes::is_aside(world, id, &head.id, configured),
    };
    let wanted = |id: &String| meant(id) && named(id);
    let taken = volumes::devices(world, id);
    let free = ('f'..='z').map(|letter| format!("/dev/sd{letter}")).filter(|device| !taken.contains(device));
    let volumes = volumes.into_iter().filter(|one| one.state == "available" && wanted(&one.id));
    let had: Vec<_> = volumes.zip(free).collect();
    for (one, device) in had {
        world
            .attachments
            .insert(one.id, Attachment { instance: id.to_owned(), device, since: now, leaves: None, aside: false });
    }
}

/// CloudFormation's own tags are on what it makes.
fn instance_tags(stack: &Stack, logical: &str, tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.insert("aws:cloudformation:stack-name".to_owned(), stack.name.clone());
    tags.insert("aws:cloudformation:stack-id".to_owned(), stack.id.clone());
    tags.insert("aws:cloudformation:logical-id".to_owned(), logical.to_owned());
    tags
}

/// The tag that says which group launched an instance.
const GROUP_TAG: &str = "aws:autoscaling:groupName";

fn group_members(world: &World, group: &str) -> Vec<String> {
    let ours = |i: &&Instance| i.terminated.is_none() && i.tags.get(GROUP_TAG).is_some_and(|name| name == group);
    world.instances.values().filter(ours).map(|i| i.id.clone()).collect()
}

/// Launches or terminates until an Auto Scaling group has what it wants.
fn scale(world: &mut World, stack: &Stack, logical: &str, resource: &Resource) {
    let size = |name: &str| resource.properties.get(name).and_then(|v| plain(v).parse::<usize>().ok());
    let wanted = size("DesiredCapacity").or_else(|| size("MinSize")).unwrap_or(0);
    let members = group_members(world, &resource.physical);
    for id in members.iter().skip(wanted) {
        if let Some(instance) = world.instances.get_mut(id) {
            instance.terminated = Some(world.now);
        }
    }
    for _ in members.len()..wanted {
        let nth = world.count(&format!("group {}", resource.physical)).to_string();
        let id = format!("i-0{}", hex(&[&stack.id, logical, &nth], 16));
        let zones = resource.properties.get("VPCZoneIdentifier").and_then(Value::as_array);
        let properties = serde_json::json!({ "SubnetId": zones.and_then(|z| z.first()) });
        let mut instance = instance(world, stack, logical, resource, &id, &properties);
        instance.tags.insert(GROUP_TAG.to_owned(), resource.physical.clone());
        world.instances.insert(id, instance);
    }
}

/// Auto Scaling groups whose members have ended launch others.
pub(super) fn refill(world: &mut World, ended: &[String]) {
    let group = |id: &String| world.instances.get(id)?.tags.get(GROUP_TAG).cloned();
    let groups: Vec<String> = ended.iter().filter_map(group).collect();
    let all = world.stacks.values().flat_map(|stack| stack.resources.iter().map(move |one| (stack, one)));
    let ours = all.filter(|(_, (_, one))| one.present() && groups.contains(&one.physical));
    let ours: Vec<_> = ours.map(|(stack, (logical, one))| (stack.clone(), logical.clone(), one.clone())).collect();
    for (stack, logical, resource) in ours {
        scale(world, &stack, &logical, &resource);
    }
}

/// The user data that an instance boots with, in Base64.
pub(super) fn user_data(world: &World, instance: &Instance) -> Option<String> {
    launch_property(world, instance, "UserData").map(plain)
}

/// A property of an instance: its own, that of its group, or of its launch template.
pub(super) fn launch_property<'w>(world: &'w World, instance: &Instance, name: &str) -> Option<&'w Value> {
    if let Some(template) = &instance.template {
        let (_, found) = world.resources().find(|(_, resource)| resource.physical == *template)?;
        return found.properties.get("LaunchTemplateData")?.get(name);
    }
    let made_by = instance.tags.get(GROUP_TAG).unwrap_or(&instance.id);
    let (stack, found) = world.resources().find(|(_, resource)| resource.physical == *made_by)?;
    found.properties.get(name).or_else(|| launch_data(world, stack, found)?.get(name))
}

/// The data of the launch template that an instance or a group refers to.
fn launch_data<'w>(world: &'w World, stack: &'w Stack, resource: &Resource) -> Option<&'w Value> {
    const PATHS: [&str; 2] = ["/LaunchTemplate", "/MixedInstancesPolicy/LaunchTemplate/LaunchTemplateSpecification"];
    let used = PATHS.iter().find_map(|path| resource.properties.pointer(path))?;
    let wanted = plain(used.get("LaunchTemplateId")?);
    let found = stack.present().chain(world.resources().map(|(_, r)| r)).find(|r| r.physical == wanted)?;
    found.properties.get("LaunchTemplateData")
}

/// Writes what tasks leave behind once they have ended: exported objects and the report.
pub(super) fn settle_tasks(world: &mut World) {
    let now = world.now;
    for index in 0..world.tasks.len() {
        let task = &world.tasks[index];
        if task.settled || now < task.ends() {
            continue;
        }
        let task = task.clone();
        if task.input.kind == TaskKind::ExportToRepository {
            export(world, &task);
        }
        if let (Some((bucket, prefix)), false) =
            (task.input.report.as_deref().and_then(split_url), task.failing.is_empty())
        {
            let name =
                if task.input.kind == TaskKind::ImportMetadataFromRepository { "report.csv" } else { "failures.csv" };
            let key = joined(prefix, &format!("{}/{name}", task.id));
            world.buckets.entry(bucket.to_owned()).or_default().put(&key, Some(Body::Text(task.report())), task.ends());
        }
        world.tasks[index].settled = true;
        world.dirty = true;
    }
}

fn export(world: &mut World, task: &super::task::Task) {
    let targets = super::file_systems::repositories(world, &task.input.file_system);
    for file in task.treated(task.ends()).iter().filter(|file| !task.fails(file)) {
        let Some(target) = targets.iter().find(|t| t.export.is_some() && t.holds(file)) else { continue };
        let Some((bucket, prefix)) = target.export.as_deref().and_then(split_url) else { continue };
        let root = target.path.trim_matches('/');
        let inside = file.strip_prefix(root).unwrap_or(file).trim_start_matches('/');
        let size = world.files.get(&task.input.file_system).and_then(|files| files.get(file)).copied().unwrap_or(0);
        let body = Body::Text(format!("{size} bytes of /{file}, exported by {}\n", task.id));
        world.buckets.entry(bucket.to_owned()).or_default().put(&joined(prefix, inside), Some(body), task.ends());
    }
}

fn joined(prefix: &str, rest: &str) -> String {
    if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}/{rest}") }
}
