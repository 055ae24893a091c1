//! EFS: one mount target of a file system in a zone.
//!
//! <https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html>

use crate::cloud::sandbox::estate::Estate;
use serde_json::Value;

pub(super) fn conflict(estate: &Estate<'_>, properties: &Value) -> Option<String> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let (file_system, subnet) = (text("FileSystemId")?, text("SubnetId")?);
    // All targets of a file system are in one VPC: what a move to another one means is not this rule's to say.
    let vpc = |subnet: &str| estate.find("AWS::EC2::Subnet", subnet).and_then(|r| r.text("VpcId"));
    // Where nobody has told the zone, only the very same subnet is known to lie in it.
    let place = |subnet: &str| (vpc(subnet), estate.known_zone(subnet).unwrap_or_else(|| subnet.to_owned()));
    let of_it = |kind: &str, id: Option<&str>| kind == "AWS::EFS::MountTarget" && id == Some(file_system);
    let mut targets = estate.resources().filter(|r| of_it(&r.kind, r.text("FileSystemId")));
    let taken = targets.any(|target| target.text("SubnetId").is_some_and(|other| place(other) == place(subnet)));
    taken.then(|| {
        "Resource handler returned message: \"mount target already exists in this AZ (Service: Efs, Status Code: 409)\" \
         (HandlerErrorCode: AlreadyExists)"
            .to_owned()
    })
}
