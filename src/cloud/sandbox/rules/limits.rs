//! Numbers and sizes that IAM and EC2 limit. Where a quota can be raised, the script's is the account's.

use super::network::key;
use crate::cloud::sandbox::{estate::Estate, faults::Script};
use serde_json::Value;
use std::collections::BTreeSet;

/// Characters of all inline policies of a role, without white space; this one cannot be raised.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const INLINE: usize = 10_240;
/// Managed policies of a role, with the quota's code.
const POLICIES: (&str, f64) = ("L-0DA4ABF3", 10.0);
/// Rules of a security group in one direction, for each of IPv4 and IPv6, with the quota's code.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>
const RULES: (&str, f64) = ("L-0EA8095F", 60.0);

/// What is more, or longer, than the account may have.
pub(in crate::cloud::sandbox) fn beyond(
    script: &Script,
    estate: &Estate<'_>,
    kind: &str,
    properties: &Value,
) -> Option<String> {
    let quota = |(code, most): (&str, f64)| script.quotas.get(code).copied().unwrap_or(most);
    match kind {
        "AWS::IAM::Role" => role(properties, quota(POLICIES)),
        "AWS::EC2::SecurityGroup" => ["SecurityGroupIngress", "SecurityGroupEgress"]
            .into_iter()
            .find_map(|side| full(&rules(properties.get(side)), quota(RULES))),
        "AWS::EC2::SecurityGroupIngress" => full(&with_group(estate, kind, properties), quota(RULES)),
        "AWS::EC2::SecurityGroupEgress" => full(&with_group(estate, kind, properties), quota(RULES)),
        _ => None,
    }
}

fn role(properties: &Value, most: f64) -> Option<String> {
    let list = |name: &str| properties.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let length = |policy: &Value| {
        let text = policy.get("PolicyDocument").map(ToString::to_string).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_whitespace()).count()
    };
    if list("ManagedPolicyArns").len() as f64 > most {
        let words = format!("Cannot exceed quota for PoliciesPerRole: {most}");
        return Some(format!("{words} (Service: Iam, Status Code: 409, Error Code: LimitExceeded)"));
    }
    (list("Policies").iter().map(length).sum::<usize>() > INLINE).then(|| {
        let words = format!("Maximum policy size of {INLINE} bytes exceeded for role");
        format!("{words} (Service: Iam, Status Code: 409, Error Code: LimitExceeded)")
    })
}

fn rules(list: Option<&Value>) -> Vec<Value> {
    list.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The rules of a group in the direction of a rule of its own, with that.
fn with_group(estate: &Estate<'_>, kind: &str, properties: &Value) -> Vec<Value> {
    let group = properties.get("GroupId").and_then(Value::as_str).unwrap_or_default();
    let side = kind.trim_start_matches("AWS::EC2::");
    let within = estate.find("AWS::EC2::SecurityGroup", group).map(|found| rules(found.properties.get(side)));
    let lone = estate.resources().filter(|one| one.kind == kind && one.text("GroupId") == Some(group));
    let mut seen = BTreeSet::new();
    let all = within.unwrap_or_default().into_iter().chain(lone.map(|one| one.properties.clone()));
    all.chain([properties.clone()]).filter(|rule| seen.insert(key(rule))).collect()
}

/// A rule for addresses counts to their family; any other, about a group or a list of prefixes, counts to both.
fn full(rules: &[Value], most: f64) -> Option<String> {
    let other_than = |family: &str| rules.iter().filter(|rule| rule.get(family).is_none()).count();
    (["CidrIp", "CidrIpv6"].into_iter().any(|family| other_than(family) as f64 > most)).then(|| {
        let words = "The maximum number of rules per security group has been reached.";
        format!("{words} (Service: Ec2, Status Code: 400, Error Code: RulesPerSecurityGroupLimitExceeded)")
    })
}
