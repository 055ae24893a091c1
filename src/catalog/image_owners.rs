//! The accounts that publish vendors' images.

use super::Partition;

/// The account of a vendor in a partition: each has accounts of its own there. `None`: none is known, and an image must
/// be named.
///
/// <https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/>,
/// <https://access.redhat.com/solutions/15356>, <https://wiki.debian.org/Cloud/AmazonEC2Image>,
/// <https://rockylinux.org/download>. EC2 itself knows Amazon by the name `amazon`.
pub fn image_owner(vendor: &str, partition: Partition) -> Option<&'static str> {
    Some(match (vendor, partition) {
        ("canonical", Partition::Aws) => "099720109477",
        ("canonical", Partition::UsGov) => "513442679011",
        ("canonical", Partition::China) => "837727238323",
        ("redhat", Partition::Aws) => "309956199498",
        ("redhat", Partition::UsGov) => "219670896067",
        ("redhat", Partition::China) => "841258680906",
        ("debian", Partition::Aws) => "136693071363",
        ("rocky", Partition::Aws) => "792107900819",
        ("amazon", Partition::Aws) => "137112412989",
        ("amazon", _) => "amazon",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_accounts() {
        assert_eq!(image_owner("canonical", Partition::Aws), Some("099720109477"));
        assert_eq!(image_owner("canonical", Partition::UsGov), Some("513442679011"));
        assert_eq!(image_owner("canonical", Partition::China), Some("837727238323"));
        assert_eq!(image_owner("debian", Partition::China), None);
        assert_eq!(image_owner("amazon", Partition::China), Some("amazon"));
    }
}
