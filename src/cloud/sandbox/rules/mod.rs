//! What AWS's services refuse although the provider schema allows it.

mod absent;
mod efs;
mod limits;
mod lustre;
mod names;
mod network;

pub(super) use absent::absent;
pub(super) use limits::beyond;

use super::estate::Estate;
use serde_json::Value;

/// The longest user data, in bytes, before base 64.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>
const MAX_USER_DATA: usize = 16_384;

/// Why a service refuses to create this, if it does.
pub(super) fn objection(estate: &Estate<'_>, kind: &str, properties: &Value) -> Option<String> {
    let own = match kind {
        "AWS::FSx::FileSystem" => lustre::objection(properties).or_else(|| lustre::closed(estate, properties)),
        "AWS::EFS::MountTarget" => efs::conflict(estate, properties),
        "AWS::EC2::SecurityGroup" => network::group(properties),
        "AWS::EC2::SecurityGroupIngress" => network::lone_rule(estate, kind, "SecurityGroupIngress", properties),
        "AWS::EC2::SecurityGroupEgress" => network::lone_rule(estate, kind, "SecurityGroupEgress", properties),
        "AWS::EC2::Subnet" => network::subnet(estate, properties),
        "AWS::RDS::DBSubnetGroup" => network::db_subnets(estate, properties),
        "AWS::EC2::Instance" => user_data(properties.get("UserData")),
        "AWS::EC2::LaunchTemplate" => user_data(properties.pointer("/LaunchTemplateData/UserData")),
        "AWS::CloudWatch::Dashboard" => dashboard(properties),
        _ => None,
    };
    own.or_else(|| names::objection(estate, kind, properties))
}

fn user_data(data: Option<&Value>) -> Option<String> {
    let text = data?.as_str()?;
    match super::base64::decode(text) {
        None => Some("Invalid BASE64 encoding of user data. (Service: Ec2, Status Code: 400)".to_owned()),
        Some(bytes) if bytes.len() > MAX_USER_DATA => {
            Some(format!("User data is limited to {MAX_USER_DATA} bytes (Service: Ec2, Status Code: 400)"))
        }
        Some(_) => None,
    }
}

fn dashboard(properties: &Value) -> Option<String> {
    let body = properties.get("DashboardBody")?.as_str()?;
    let broken = serde_json::from_str::<Value>(body).is_err();
    broken.then(|| "The dashboard body is invalid, it is no JSON (Service: CloudWatch, Status Code: 400)".to_owned())
}
