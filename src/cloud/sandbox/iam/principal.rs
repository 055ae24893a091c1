//! Who calls: the role of the instance that a program is taken to run on.

use super::{
    super::{
        control::Call,
        effects,
        eval::plain,
        resource::Resource,
        world::{ACCOUNT, World},
    },
    Access, Decision, Policy,
};
use crate::cloud::{CloudError, ErrorKind, Result};
use serde_json::Value;

/// A role that a stack made, as an instance uses it.
pub(in super::super) struct Principal {
    arn: String,
    policies: Vec<Policy>,
}

impl Principal {
    /// The role of an instance; `None` when no stack made it: of a user's own role nobody knows the policies here.
    pub fn of(world: &World, instance: &str) -> Option<std::result::Result<Self, String>> {
        let role = role(world, instance)?;
        let actual = role.actual();
        let policies = actual.get("Policies").and_then(Value::as_array);
        let documents = policies.into_iter().flatten().filter_map(|policy| policy.get("PolicyDocument"));
        let policies: std::result::Result<Vec<Policy>, String> = documents.map(Policy::parse).collect();
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{}/{instance}", role.physical);
        Some(policies.map(|policies| Self { arn, policies }))
    }

    /// Why one of these is not allowed, in AWS's words; `None`: all are.
    pub fn refuses(&self, wanted: &[Access]) -> Option<String> {
        wanted.iter().find_map(|access| {
            let why = match Policy::decide(&self.policies, access) {
                Decision::Allowed => return None,
                Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
                Decision::NotAllowed => format!("because no identity-based policy allows the {} action", access.action),
            };
            let (who, Access { action, resource, .. }) = (&self.arn, access);
            Some(format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}"))
        })
    }

    /// Refuses a call as the service does.
    pub fn permit(&self, call: Call, wanted: &[Access]) -> Result<()> {
        match self.refuses(wanted) {
            Some(words) => Err(denied(call, wanted, words)),
            None => Ok(()),
        }
    }
}

fn denied(call: Call, wanted: &[Access], words: String) -> CloudError {
    match wanted.first().is_some_and(|access| access.action.starts_with("ec2:")) {
        true => {
            let words = format!("You are not authorized to perform this operation. {words}");
            call.error(ErrorKind::AccessDenied, "UnauthorizedOperation", words)
        }
        false => call.error(ErrorKind::AccessDenied, "AccessDenied", words),
    }
}

fn role<'w>(world: &'w World, id: &str) -> Option<&'w Resource> {
    let instance = world.instances.get(id)?;
    let profile = effects::launch_property(world, instance, "IamInstanceProfile")?;
    let profile = profile.get("Arn").or_else(|| profile.get("Name")).unwrap_or(profile);
    role_of_profile(world, &plain(profile))
}

/// The role in a profile, by the profile's name or ARN.
pub(super) fn role_of_profile<'w>(world: &'w World, profile: &str) -> Option<&'w Resource> {
    let name = profile.rsplit('/').next().unwrap_or(profile);
    let of = |kind: &'static str, physical: String| {
        world.resources().map(|(_, one)| one).find(move |one| one.kind == kind && one.physical == physical)
    };
    let profile = of("AWS::IAM::InstanceProfile", name.to_owned())?;
    of("AWS::IAM::Role", plain(profile.properties.get("Roles")?.get(0)?))
}

/// The ARN of a role that a stack made.
pub(super) fn role_arn(role: &Resource) -> String {
    let path = role.text("Path").unwrap_or("/");
    format!("arn:aws:iam::{ACCOUNT}:role{path}{}", role.physical)
}
