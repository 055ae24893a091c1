//! Taking the snapshot.

use super::{
    Begun, Bucket, HEAD_CONFIG, HeadSays, Live, LiveFileSystem, LiveStack, Revision, held, keys, lock, outside,
};
use crate::{
    catalog,
    cloud::{
        Cloud, CloudError, ErrorKind, ImageQuery, StackResource, StackState, StackStatus, TaskKind, TaskLifecycle,
    },
    model::{Graph, ParameterSource, StackKey},
    spec::{Architecture, Os},
};
use futures_util::future::{join, join_all, join3};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What to look at besides the stacks.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Images that a plan may need.
    pub images: Vec<(Os, Architecture)>,
    /// Subnets whose zones a plan needs.
    pub subnets: Vec<String>,
    /// The zones of the subnets that the network stack made.
    pub own_subnets: bool,
    /// Instance profiles whose roles a plan needs.
    pub profiles: Vec<String>,
    /// Leave out the files that nodes fetch, each of which is a call, but for the one that says which volumes were brought.
    pub no_files: bool,
    /// Detect drift (slow: CloudFormation looks at every resource).
    pub drift: bool,
}

impl Wanted {
    /// What a plan for these stacks needs.
    pub fn by(graph: &Graph, drift: bool) -> Self {
        let (mut images, mut subnets, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
        for parameter in graph.stacks.iter().flat_map(|stack| stack.parameters.values()) {
            match &parameter.source {
                ParameterSource::Image { os, architecture } => images.push((*os, *architecture)),
                ParameterSource::SubnetZone { subnet } => subnets.push(subnet.clone()),
                ParameterSource::ProfileRole { profile } => profiles.push(profile.clone()),
                ParameterSource::Output { .. } | ParameterSource::ArtifactBucket => {}
            }
        }
        images.sort_unstable();
        images.dedup();
        subnets.sort_unstable();
        subnets.dedup();
        profiles.sort_unstable();
        profiles.dedup();
        let own_subnets = graph.stacks.iter().any(|stack| stack.key == StackKey::Network);
        Self { images, subnets, own_subnets, profiles, no_files: false, drift }
    }
}

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum ObserveError {
    /// A call failed.
    Cloud(CloudError),
    /// The archive's newest revision cannot be read.
    Archive {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        message: String,
    },
}

impl From<CloudError> for ObserveError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

/// Looks at everything that exists of the cluster.
///
/// Calls that do not depend on each other run at the same time.
pub async fn observe(cloud: &Cloud, cluster: &str, wanted: &Wanted) -> Result<Live, ObserveError> {
    let (caller, stacks) = join(cloud.identity.caller(), cloud.stacks.stacks_of(cluster)).await;
    let (caller, stacks) = (caller?, stacks?);
    let bucket = keys::bucket_name(&caller.account, &cloud.region);
    // Who works is looked at early: whoever ends in the midst of this look has made what it shows old.
    let (exists, bootstrap, lock) = join3(
        cloud.objects.bucket_exists(&bucket),
        cloud.stacks.stack(crate::model::BOOTSTRAP_STACK),
        lock(cloud, &bucket, cluster),
    )
    .await;
    let (exists, managed) = (exists?, bootstrap?.is_some());
    let lock = if exists { lock? } else { None };
    let stacks = live_stacks(cloud, cluster, stacks).await?;
    let (images, images_missing) = images(cloud, &wanted.images).await?;
    let images_gone = if wanted.images.is_empty() { BTreeSet::new() } else { images_gone(cloud, &stacks).await? };
    let mut live = Live {
        at: cloud.clock.now(),
        caller: Some(caller),
        file_systems: file_systems(cloud, &stacks).await?,
        instances: cloud.compute.instances_of(cluster).await?,
        images,
        images_missing,
        images_gone,
        volumes: cloud.compute.volumes_of(cluster).await?,
        zones: zones(cloud, &wanted.subnets).await?,
        lock,
        profile_roles: profile_roles(cloud, &wanted.profiles).await?,
        stacks,
        ..Live::default()
    };
    if wanted.own_subnets {
        live.zones.extend(own_zones(cloud, &live.stacks).await?);
    }
    let tagged = live.volumes.len();
    if exists {
        live.revision = revision(cloud, &bucket, cluster).await?;
        live.begun = begun(cloud, &bucket, cluster, live.revision.as_ref()).await?;
        live.files = files(cloud, &bucket, cluster, !wanted.no_files).await?;
        let brought: Vec<String> = live.brought_volumes().into_iter().map(|(_, id)| id).collect();
        if !brought.is_empty() {
            live.volumes.extend(cloud.compute.volumes(&brought).await?);
        }
        // Only a view: whoever may not read it plans without it.
        let said = HeadSays::read(cloud, &bucket, cluster).await.unwrap_or_default();
        (live.slurm, live.set_up) = (said.report, said.log);
        live.held = held::held(cloud, &bucket, cluster, live.slurm.as_ref()).await?;
    }
    if exists {
        live.kept = outside::kept(cloud, &bucket, cluster, &live.stacks).await?;
    }
    // What somebody else made is nobody's leftover.
    let ours = &live.volumes[..tagged];
    live.outside = outside::outside(cloud, cluster, &live.stacks, &live.kept, ours).await?;
    live.bucket = Some(Bucket { name: bucket, exists, managed });
    if wanted.drift {
        live.drift = Some(drift(cloud, &live.stacks).await?);
    }
    Ok(live)
}

async fn live_stacks(
    cloud: &Cloud,
    cluster: &str,
    states: Vec<StackState>,
) -> Result<BTreeMap<StackKey, LiveStack>, ObserveError> {
    let looks = states.into_iter().filter_map(|state| {
        let key = StackKey::of_stack_name(cluster, &state.name)?;
        Some(async move {
            let (template, resources) =
                join(cloud.stacks.template(&state.name), cloud.stacks.resources(&state.name)).await;
            // A stack that was only reviewed, or is being deleted, may have no template to show.
            let template = match template {
                Ok(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
                // Somebody deleted it between the list and the look.
                Err(error) if is_gone(&error) => return Ok(None),
                Err(_) if !state.status.can_update() => Value::Null,
                Err(error) => return Err(error),
            };
            match resources {
                Err(error) if is_gone(&error) => Ok(None),
                resources => Ok(Some((key, LiveStack { state, template, resources: resources? }))),
            }
        })
    });
    let found: Result<Vec<_>, CloudError> = join_all(looks).await.into_iter().collect();
    Ok(found?.into_iter().flatten().collect())
}

fn is_gone(error: &CloudError) -> bool {
    error.kind == ErrorKind::NotFound
}

async fn file_systems(
    cloud: &Cloud,
    stacks: &BTreeMap<StackKey, LiveStack>,
) -> Result<BTreeMap<String, LiveFileSystem>, ObserveError> {
    let mut found = BTreeMap::new();
    let resources = stacks.get(&StackKey::Storage).map(|stack| stack.resources.as_slice()).unwrap_or_default();
    for resource in resources.iter().filter(|resource| resource.resource_type == "AWS::FSx::FileSystem") {
        if resource.physical_id.is_empty() {
            continue;
        }
        let Some(state) = cloud.file_systems.file_system(&resource.physical_id).await? else { continue };
        let tasks = cloud.file_systems.tasks_of(&state.id).await?;
        let last_export = tasks.into_iter().find(|task| {
            task.kind == TaskKind::ExportToRepository
                && task.lifecycle == TaskLifecycle::Succeeded
                && task.paths.is_empty()
        });
        found.insert(resource.logical_id.clone(), LiveFileSystem { state, last_export });
    }
    Ok(found)
}

async fn revision(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Option<Revision>, ObserveError> {
    let key = keys::head(cluster);
    let Some((body, _)) = cloud.objects.get(bucket, &key).await? else { return Ok(None) };
    match serde_json::from_slice(&body) {
        Ok(revision) => Ok(Some(revision)),
        Err(error) => Err(ObserveError::Archive { key, message: error.to_string() }),
    }
}

/// The newest revision that has an archive and was not published. Numbers have no gaps.
async fn begun(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    published: Option<&Revision>,
) -> Result<Option<Begun>, ObserveError> {
    let mut newest = None;
    for number in published.map_or(0, |revision| revision.number) + 1.. {
        if cloud.objects.list(bucket, &keys::archive(cluster, number, "")).await?.is_empty() {
            break;
        }
        newest = Some(number);
    }
    let Some(number) = newest else { return Ok(None) };
    let plan = cloud.objects.get(bucket, &keys::archive(cluster, number, "plan.json")).await?;
    let plan: Value = plan.and_then(|(body, _)| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let text = |path: &str| plan.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(Begun { number, plan: text("/digest"), rendered_digest: text("/content/rendered_digest") }))
}

async fn files(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    all: bool,
) -> Result<BTreeMap<String, String>, ObserveError> {
    let prefix = keys::current(cluster, "");
    let mut listed = cloud.objects.list(bucket, &prefix).await?;
    listed.retain(|object| all || object.key == keys::current(cluster, HEAD_CONFIG));
    let reads = listed.iter().map(|object| cloud.objects.get(bucket, &object.key));
    let bodies = join_all(reads).await;
    let mut files = BTreeMap::new();
    for (object, body) in listed.iter().zip(bodies) {
        if let Some((body, _)) = body? {
            let path = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
            files.insert(path.to_owned(), String::from_utf8_lossy(&body).into_owned());
        }
    }
    Ok(files)
}

async fn images(cloud: &Cloud, wanted: &[(Os, Architecture)]) -> Result<(Images, BTreeSet<String>), ObserveError> {
    let look = |&(os, architecture): &(Os, Architecture)| async move {
        let Some(query) = vendor_image(&cloud.region, os, architecture) else { return Ok((None, None)) };
        match cloud.compute.newest_image(&query).await? {
            Some(image) => Ok((Some(((os, architecture), image.id)), None)),
            None => Ok((None, Some(query.name))),
        }
    };
    let looks: Result<Vec<_>, CloudError> = join_all(wanted.iter().map(look)).await.into_iter().collect();
    let (found, missing): (Vec<_>, Vec<_>) = looks?.into_iter().unzip();
    Ok((found.into_iter().flatten().collect(), missing.into_iter().flatten().collect()))
}

/// Of the images that stacks were made with, those that are deregistered or disabled. A deprecated one still launches.
async fn images_gone(cloud: &Cloud, stacks: &BTreeMap<StackKey, LiveStack>) -> Result<BTreeSet<String>, CloudError> {
    let values = stacks.values().flat_map(|stack| stack.state.parameters.values());
    let pinned: BTreeSet<String> = values.filter(|value| value.starts_with("ami-")).cloned().collect();
    if pinned.is_empty() {
        return Ok(pinned);
    }
    let ids: Vec<String> = pinned.iter().cloned().collect();
    let there = cloud.inventory.images(&ids).await?;
    let launches = |id: &String| there.get(id).is_some_and(|image| image.state == "available");
    Ok(pinned.into_iter().filter(|id| !launches(id)).collect())
}

/// Images of vendors, by what they are for.
type Images = BTreeMap<(Os, Architecture), String>;

async fn zones(cloud: &Cloud, subnets: &[String]) -> Result<BTreeMap<String, String>, ObserveError> {
    if subnets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = cloud.inventory.known_subnets(subnets).await?;
    Ok(found.into_iter().map(|subnet| (subnet.id, subnet.zone)).collect())
}

/// The zones of the subnets that the network stack made; of none, when somebody has deleted one of them.
async fn own_zones(
    cloud: &Cloud,
    stacks: &BTreeMap<StackKey, LiveStack>,
) -> Result<BTreeMap<String, String>, ObserveError> {
    let resources = stacks.get(&StackKey::Network).map(|stack| stack.resources.as_slice()).unwrap_or_default();
    let made = |resource: &&StackResource| {
        resource.resource_type == "AWS::EC2::Subnet" && !resource.physical_id.is_empty() && resource.is_there()
    };
    let subnets: Vec<String> = resources.iter().filter(made).map(|resource| resource.physical_id.clone()).collect();
    match zones(cloud, &subnets).await {
        Err(ObserveError::Cloud(error)) if error.kind == ErrorKind::NotFound => Ok(BTreeMap::new()),
        found => found,
    }
}

/// Profiles that are not there, or that have no role, are left out: a plan shows their roles as unknown, and apply refuses.
async fn profile_roles(cloud: &Cloud, profiles: &[String]) -> Result<BTreeMap<String, String>, ObserveError> {
    let mut found = BTreeMap::new();
    for profile in profiles {
        found.extend(cloud.identity.role_of_profile(profile).await?.map(|role| (profile.clone(), role)));
    }
    Ok(found)
}

/// Where a vendor's newest image is found: its account in the region's partition, and the name pattern that it documents.
fn vendor_image(region: &str, os: Os, architecture: Architecture) -> Option<ImageQuery> {
    let (word, debian) = match architecture {
        Architecture::X86_64 => ("x86_64", "amd64"),
        Architecture::Arm64 => ("arm64", "arm64"),
    };
    let rocky = if architecture == Architecture::Arm64 { "aarch64" } else { word };
    let partition = catalog::partition(region).unwrap_or(catalog::Partition::Aws);
    let owner = catalog::image_owner(os.vendor(), partition)?;
    let name = match os {
        Os::Ubuntu2404 => format!("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{debian}-server-*"),
        Os::Ubuntu2204 => format!("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{debian}-server-*"),
        Os::Debian12 => format!("debian-12-{debian}-*"),
        Os::Alinux2023 => format!("al2023-ami-2023.*-kernel-6.1-{word}"),
        Os::Rocky9 => format!("Rocky-9-EC2-Base-9.*.{rocky}"),
        Os::Rhel9 => format!("RHEL-9.*_HVM-*-{word}-*"),
    };
    Some(ImageQuery { owner: owner.to_owned(), name, architecture: word.to_owned() })
}

async fn drift(
    cloud: &Cloud,
    stacks: &BTreeMap<StackKey, LiveStack>,
) -> Result<BTreeMap<StackKey, Vec<crate::cloud::ResourceDrift>>, ObserveError> {
    let settled = |status: StackStatus| status.can_update();
    let looks = stacks
        .iter()
        .filter(|(_, stack)| settled(stack.state.status))
        .map(|(key, stack)| async move { (key.clone(), cloud.stacks.drift(&stack.state.name).await) });
    let mut found = BTreeMap::new();
    for (key, drift) in join_all(looks).await {
        let drift = drift?;
        if !drift.is_empty() {
            found.insert(key, drift);
        }
    }
    Ok(found)
}
