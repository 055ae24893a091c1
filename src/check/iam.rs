//! Rights of nodes, and the scripts they run.

use super::{
    limits,
    rules::{names as rule, rights},
    sheet::{Sheet, args},
};
use crate::spec::{CustomAction, CustomActions, NodeIam, Path, Queue};

/// Managed policies that let a node do anything.
const WIDE: [&str; 3] = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

pub(super) fn node(sheet: &mut Sheet, iam: Option<&NodeIam>, at: &Path) {
    let Some(iam) = iam else { return };
    limits::policies(sheet, iam, at);
    let own = match (&iam.role, &iam.instance_profile) {
        (Some(_), Some(_)) => {
            sheet.add_key(&rule::ROLE_AND_PROFILE, at.key("role"), args! {});
            Some("instance_profile")
        }
        (Some(_), None) => Some("role"),
        (None, Some(_)) => Some("instance_profile"),
        (None, None) => None,
    };
    let grants = [("policies", !iam.policies.is_empty()), ("s3_access", !iam.s3_access.is_empty())];
    for (key, _) in grants.into_iter().filter(|(_, given)| *given) {
        if let Some(own) = own {
            sheet.add_key(&rule::ROLE_WITH_GRANTS, at.key(key), args! { key: key, own: own });
        }
    }
    for (i, policy) in iam.policies.iter().enumerate() {
        let name = policy.as_str().rsplit('/').next().unwrap_or_default();
        if policy.as_str().contains(":aws:policy/") && WIDE.contains(&name) {
            sheet.add(&rule::POLICY_TOO_WIDE, at.key("policies").index(i), args! { policy: name });
        }
    }
}

/// Rights that only scripts reach, where jobs may be meant.
pub(super) fn queue(sheet: &mut Sheet, queue: &Queue, at: &Path) {
    let rights = |iam: &NodeIam| {
        let NodeIam { policies, s3_access, role, instance_profile } = iam;
        !policies.is_empty() || !s3_access.is_empty() || role.is_some() || instance_profile.is_some()
    };
    if queue.iam.as_ref().is_some_and(rights) && !sheet.doc.gives(&at.key("jobs_may_use_role")) {
        sheet.add_key(&rights::ROLE_CLOSED_TO_JOBS, at.key("iam"), args! { queue: queue.name });
    }
}

pub(super) fn actions(sheet: &mut Sheet, actions: Option<&CustomActions>, at: &Path) {
    let Some(actions) = actions else { return };
    script_list(sheet, &actions.on_start, &at.key("on_start"));
    script_list(sheet, &actions.on_configured, &at.key("on_configured"));
    script_list(sheet, &actions.on_updated, &at.key("on_updated"));
}

fn script_list(sheet: &mut Sheet, actions: &[CustomAction], at: &Path) {
    for (i, action) in actions.iter().enumerate() {
        let uri = &action.script;
        if uri.prefix().is_empty() || uri.as_str().ends_with('/') {
            let args = args! { uri: uri, bucket: uri.bucket() };
            sheet.add(&rule::SCRIPT_WITHOUT_KEY, at.index(i).key("script"), args);
        }
    }
}
