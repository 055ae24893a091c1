//! Instances, subnets and images in EC2.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{ErrorKind, ImageQuery, POOL_TAG};

#[tokio::test]
async fn instances_are_found_by_their_cluster_and_terminated() {
    let Some(lab) = Lab::open().await else { return };
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let compute = &lab.cloud.compute;
    let ids = lab.launch(&net.outputs["Subnet"], 3).await;
    let found = compute.instances_of(&lab.name).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), ids);
    let one = &found[0];
    assert_eq!((one.instance_type.as_str(), one.spot), ("c5.large", false));
    assert_eq!(one.tags.get(POOL_TAG).map(String::as_str), Some("od"));
    assert!(one.private_ip.is_some() && one.zone.is_some() && one.launched.0 > 1_600_000_000);
    assert!(compute.instances_of("nobody").await.unwrap().is_empty());

    let tagged = compute.tagged(&lab.name).await.unwrap();
    let kinds: Vec<&str> = tagged.iter().map(|resource| resource.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "instance").count(), 3);
    assert!(kinds.contains(&"subnet") && kinds.contains(&"vpc"), "{tagged:?}");

    let mut wanted = ids[..2].to_vec();
    wanted.insert(1, "i-0123456789abcdef0".to_owned());
    compute.terminate(&wanted).await.unwrap();
    let left: Vec<String> = compute.instances_of(&lab.name).await.unwrap().into_iter().map(|one| one.id).collect();
    assert!(left.contains(&ids[2]));
    compute.terminate(&ids).await.unwrap();
    compute.terminate(&[]).await.unwrap();
    lab.terminated(&ids).await;
    assert!(compute.tagged(&lab.name).await.unwrap().iter().all(|resource| resource.kind != "instance"));
    lab.remove(&net.id).await;
    assert!(compute.tagged(&lab.name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_console_is_text() {
    let Some(lab) = Lab::open().await else { return };
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let compute = &lab.cloud.compute;
    let ids = lab.launch(&net.outputs["Subnet"], 1).await;
    let text = compute.console(&ids[0]).await.unwrap().unwrap();
    assert!(text.contains("hpcctl: set-up done"), "{text}");
    let missing = compute.console("i-0123456789abcdef0").await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    compute.terminate(&ids).await.unwrap();
    lab.terminated(&ids).await;
    lab.remove(&net.id).await;
}

#[tokio::test]
async fn subnets_are_described() {
    let Some(lab) = Lab::open().await else { return };
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let compute = &lab.cloud.compute;
    let found = compute.subnets(&[net.outputs["Subnet"].clone()]).await.unwrap();
    assert_eq!((found.len(), &found[0].vpc_id, found[0].cidr.as_str()), (1, &net.outputs["Vpc"], "10.9.1.0/24"));
    assert!(found[0].free_addresses > 200 && found[0].zone.starts_with(&lab.cloud.region));
    assert!(compute.subnets(&[]).await.unwrap().is_empty());
    let missing = compute.subnets(&["subnet-0123456789abcdef0".to_owned()]).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    lab.remove(&net.id).await;
}

/// The emulators do not tell when an image was made: that the newest is chosen is proved beside the adapter.
#[tokio::test]
async fn an_image_is_found_by_owner_name_and_architecture() {
    let Some(lab) = Lab::open().await else { return };
    let compute = &lab.cloud.compute;
    let mut query =
        ImageQuery { owner: "self".to_owned(), name: format!("{}-hpc-*", lab.name), architecture: "x86_64".to_owned() };
    assert_eq!(compute.newest_image(&query).await.unwrap(), None);
    let ids = lab.register_images(&["hpc-1", "hpc-2", "other"]).await;
    let newest = compute.newest_image(&query).await.unwrap().unwrap();
    assert!(ids[..2].contains(&newest.id), "of those that match");
    assert!(newest.name.starts_with(&format!("{}-hpc-", lab.name)));
    query.architecture = "arm64".to_owned();
    assert_eq!(compute.newest_image(&query).await.unwrap(), None);
    lab.deregister_images(&ids).await;
}

/// What a head node hands on to the next one: its volume, its address.
#[tokio::test]
async fn a_volume_and_an_address_go_from_one_instance_to_the_next() {
    let Some(lab) = Lab::open().await else { return };
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let disk = lab.make(&lab.stack("disk", templates::VOLUME)).await;
    let compute = &lab.cloud.compute;
    let ids = lab.launch(&net.outputs["Subnet"], 2).await;
    let (first, second) = (&ids[0], &ids[1]);
    let volume = disk.outputs["Volume"].clone();
    let found = compute.volumes_of(&lab.name).await.unwrap();
    let one = found.iter().find(|one| one.id == volume).unwrap();
    assert_eq!((one.state.as_str(), one.size_gib, &one.attachment), ("available", 12, &None));
    assert!(one.created.0 > 1_600_000_000);

    compute.attach_volume(&volume, first, "/dev/sdf").await.unwrap();
    let of = async || compute.volumes(&[volume.clone(), "vol-0123456789abcdef0".to_owned()]).await.unwrap().remove(0);
    assert!(of().await.is_attached_to(first));
    let taken = compute.attach_volume(&volume, second, "/dev/sdf").await.unwrap_err();
    assert_eq!((taken.kind, taken.code.as_deref()), (ErrorKind::Busy, Some("VolumeInUse")));
    compute.detach_volume(&volume).await.unwrap();
    compute.detach_volume(&volume).await.unwrap();
    compute.attach_volume(&volume, second, "/dev/sdf").await.unwrap();
    assert_eq!(of().await.attachment.unwrap().instance, *second);

    let interface = compute.interface_of(first).await.unwrap().unwrap();
    assert_eq!(Some(&interface.primary), compute.instances(&ids).await.unwrap()[0].private_ip.as_ref());
    assert!(interface.secondary.is_empty());
    let address = compute.assign_address(&interface.id, None).await.unwrap();
    let other = compute.interface_of(second).await.unwrap().unwrap();
    assert_eq!(compute.assign_address(&other.id, Some(&address)).await.unwrap(), address);
    assert!(compute.interface_of(first).await.unwrap().unwrap().secondary.is_empty());
    assert_eq!(compute.interface_of(second).await.unwrap().unwrap().secondary, [address]);
    let fixed = compute.assign_address(&other.id, Some(&interface.primary)).await.unwrap_err();
    assert_eq!(fixed.kind, ErrorKind::Invalid);
    assert_eq!(compute.interface_of("i-0123456789abcdef0").await.unwrap(), None);

    compute.stop(first).await.unwrap();
    assert_eq!(compute.instances(std::slice::from_ref(first)).await.unwrap()[0].state, "stopped");
    compute.start(first).await.unwrap();
    assert!(compute.instances(std::slice::from_ref(first)).await.unwrap()[0].is_alive());
    compute.protect_instance(first, true).await.unwrap();
    assert!(compute.terminate(std::slice::from_ref(first)).await.is_err());
    compute.protect_instance(first, false).await.unwrap();
    compute.terminate(&ids).await.unwrap();
    lab.terminated(&ids).await;
    assert_eq!(of().await.attachment, None, "a volume outlives its instance");
    lab.remove(&disk.id).await;
    lab.remove(&net.id).await;
}
