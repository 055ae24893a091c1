//! Things outside the stacks that the script says are not there.

use serde_json::Value;

/// What the service says of a property that names something absent. A launch template is not held against what it
/// names: its launches are.
pub(in crate::cloud::sandbox) fn absent(absent: &[String], kind: &str, properties: &Value) -> Option<String> {
    if absent.is_empty() || kind == "AWS::EC2::LaunchTemplate" {
        return None;
    }
    let mut texts = Vec::new();
    collect(properties, &mut texts);
    let names = |text: &&str, name: &str| {
        *text == name || text.strip_prefix("s3://").is_some_and(|rest| rest.split('/').next() == Some(name))
    };
    texts.iter().find_map(|text| absent.iter().find(|name| names(text, name))).map(|name| words(name, kind))
}

fn collect<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(map) => map.values().for_each(|item| collect(item, into)),
        _ => {}
    }
}

fn words(name: &str, kind: &str) -> String {
    let prefix = name.split_once('-').map_or("", |(prefix, _)| prefix);
    let (words, code) = match prefix {
        "subnet" => (format!("The subnet ID '{name}' does not exist"), "InvalidSubnetID.NotFound"),
        "sg" => (format!("The security group '{name}' does not exist"), "InvalidGroup.NotFound"),
        "ami" => (format!("The image id '[{name}]' does not exist"), "InvalidAMIID.NotFound"),
        "vpc" => (format!("The vpc ID '{name}' does not exist"), "InvalidVpcID.NotFound"),
        _ if kind.starts_with("AWS::FSx::") => {
            (format!("The Amazon S3 bucket {name} does not exist or is not accessible"), "InvalidImportPath")
        }
        _ => (format!("The key pair '{name}' does not exist"), "InvalidKeyPair.NotFound"),
    };
    let service = kind.split("::").nth(1).unwrap_or_default();
    format!("{words} (Service: {service}, Status Code: 400, Error Code: {code})")
}
