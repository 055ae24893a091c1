//! What every machine has in common: architecture, image, CPU options, root volume, metadata.

use super::{Stack, Val, props::Props, site::Site};
use crate::{
    catalog::{Arch, InstanceCatalog, InstanceType},
    spec::{AmiId, Architecture, InstanceTypeName, Os, RootVolume, VolumeType},
};

/// The architecture of an instance type. One that nobody knows is read off its name: Graviton's
/// families have a `g` after the generation (`c7g`, `hpc7g`, `im4gn`).
pub fn architecture(catalog: &InstanceCatalog, name: &InstanceTypeName) -> Architecture {
    match catalog.get(name.as_str()).map(|known| known.arch) {
        Some(Arch::Arm64 | Arch::Arm64Mac) => Architecture::Arm64,
        Some(Arch::X86_64 | Arch::X86_64Mac) => Architecture::X86_64,
        None if looks_like_graviton(name.family()) => Architecture::Arm64,
        None => Architecture::X86_64,
    }
}

fn looks_like_graviton(family: &str) -> bool {
    let after = family.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    let after = after.trim_start_matches(|char: char| char.is_ascii_digit());
    after.starts_with('g') || family == "a1"
}

/// The root volume of a vendor's image where the file gives no size, in GiB.
pub const VENDOR_ROOT_GIB: u32 = 40;

impl Site<'_> {
    /// The image of a node: its own, the cluster's when that fits, or the vendor's newest.
    pub(super) fn image(&self, stack: &mut Stack, own: Option<&AmiId>, instance_type: &InstanceTypeName) -> Val {
        let image = &self.cluster.image;
        let architecture = architecture(self.catalog, instance_type);
        let fits = image.architecture.is_none_or(|of_image| of_image == architecture);
        match own.or_else(|| image.ami.as_ref().filter(|_| fits)) {
            Some(ami) => ami.as_str().into(),
            None => stack.image(image.os, architecture),
        }
    }

    /// The root volume of a node with this image as the one block device mapping.
    ///
    /// Without a size of the user's, a vendor's image gets room for what is installed on it, and any other image keeps
    /// the size that it was made with: a smaller one EC2 would refuse.
    pub(super) fn root_device(&self, image: &Val, volume: &RootVolume) -> Val {
        let own = match image {
            Val::Str(ami) => Some(ami.as_str()),
            _ => None,
        };
        let size = volume.size_gib.or(own.is_none().then_some(VENDOR_ROOT_GIB));
        let known = own.and_then(|ami| self.ground.image(ami)?.root_device.as_deref());
        let name = known.unwrap_or_else(|| root_name(self.cluster.image.os));
        let ebs = Props::new()
            .maybe("VolumeSize", size)
            .set("VolumeType", volume_type(volume.volume_type))
            .set("Encrypted", true)
            .set("DeleteOnTermination", true)
            .maybe("Iops", iops(volume.volume_type, volume.iops))
            .maybe("Throughput", throughput(volume.volume_type, volume.throughput_mib))
            .maybe("KmsKeyId", volume.kms_key.as_ref().map(|key| key.as_str()));
        let device = Props::new().set("DeviceName", name).set("Ebs", ebs);
        Val::List(vec![device.into()])
    }
}

/// The root device of the vendors' images.
fn root_name(os: Os) -> &'static str {
    match os {
        Os::Ubuntu2404 | Os::Ubuntu2204 | Os::Rocky9 | Os::Rhel9 => "/dev/sda1",
        Os::Debian12 | Os::Alinux2023 => "/dev/xvda",
    }
}

/// I/O operations per second, unless they are what a gp3 volume has anyway. The head node's disk cannot change without a
/// new head node, so that to say the default must be no change.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>
pub(super) fn iops(kind: VolumeType, wish: Option<u32>) -> Option<u32> {
    wish.filter(|wish| kind != VolumeType::Gp3 || *wish != 3000)
}

/// The same for the throughput in MiB/s.
pub(super) fn throughput(kind: VolumeType, wish: Option<u32>) -> Option<u32> {
    wish.filter(|wish| kind != VolumeType::Gp3 || *wish != 125)
}

/// CloudFormation's word for a volume type.
pub(super) fn volume_type(kind: VolumeType) -> &'static str {
    match kind {
        VolumeType::Gp3 => "gp3",
        VolumeType::Gp2 => "gp2",
        VolumeType::Io1 => "io1",
        VolumeType::Io2 => "io2",
        VolumeType::St1 => "st1",
        VolumeType::Sc1 => "sc1",
        VolumeType::Standard => "standard",
    }
}

/// The name of an operating system as the cluster file has it.
pub(super) fn os_name(os: Os) -> &'static str {
    match os {
        Os::Ubuntu2404 => "ubuntu2404",
        Os::Ubuntu2204 => "ubuntu2204",
        Os::Debian12 => "debian12",
        Os::Alinux2023 => "alinux2023",
        Os::Rocky9 => "rocky9",
        Os::Rhel9 => "rhel9",
    }
}

/// The administrator that the vendor's image comes with.
pub fn image_user(os: Os) -> &'static str {
    match os {
        Os::Ubuntu2404 | Os::Ubuntu2204 => "ubuntu",
        Os::Debian12 => "admin",
        Os::Alinux2023 | Os::Rhel9 => "ec2-user",
        Os::Rocky9 => "rocky",
    }
}

/// One thread per core, where the type has more and EC2 can switch them off.
pub(super) fn one_thread(known: &InstanceType) -> Option<Val> {
    let can = known.threads_per_core > 1 && known.can_disable_hyperthreading() != Some(false);
    can.then(|| Props::new().set("CoreCount", known.cores).set("ThreadsPerCore", 1_u32).into())
}

/// Metadata only with a session token, and only for the machine itself: containers are one hop away.
pub(super) fn metadata(tags: bool) -> Val {
    Props::new()
        .set("HttpEndpoint", "enabled")
        .set("HttpTokens", "required")
        .set("HttpPutResponseHopLimit", 1_u32)
        .set("InstanceMetadataTags", if tags { "enabled" } else { "disabled" })
        .into()
}

/// User data: a template with the tokens `@@NAME@@` filled in and `${...}` left to CloudFormation.
pub(super) fn user_data(template: &str, tokens: &[(&str, &str)]) -> Val {
    let mut text = template.to_owned();
    for (token, value) in tokens {
        text = text.replace(token, value);
    }
    Val::Base64(Box::new(Val::Sub(text)))
}
