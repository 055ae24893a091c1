//! Numbers that AWS limits.

use super::{
    rules::limits as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cidr, Dcv, NodeIam, Path};

/// Inbound rules of a security group, for each of IPv4 and IPv6.
const RULES: usize = 60;
/// Managed policies of a role.
const POLICIES: usize = 10;
/// Characters of all inline policies of a role.
const INLINE: usize = 10_240;

/// The rules of the groups of a login pool: people reach its balancer by SSH, and its nodes by DCV.
pub(super) fn login_sources(sheet: &mut Sheet, ssh: &[Cidr], dcv: Option<&Dcv>, at: &Path) {
    sources(sheet, ssh, None, at);
    sources(sheet, &[], dcv, at);
}

/// The rules of the group of a node that people reach; DCV listens on TCP and UDP.
pub(super) fn sources(sheet: &mut Sheet, ssh: &[Cidr], dcv: Option<&Dcv>, at: &Path) {
    let desktop = dcv.map(|dcv| &dcv.allowed_from[..]).unwrap_or_default();
    for (family, six) in [("IPv4", false), ("IPv6", true)] {
        let of = |blocks: &[Cidr]| blocks.iter().filter(|cidr| cidr.as_str().contains(':') == six).count();
        let count = of(ssh) + 2 * of(desktop);
        if count > RULES {
            let key =
                if ssh.len() >= 2 * desktop.len() { at.key("ssh_from") } else { at.key("dcv").key("allowed_from") };
            sheet.add_key(&rule::TOO_MANY_SOURCES, key, args! { count: count, family: family, most: RULES });
        }
    }
}

/// Roles whose rights IAM would not take.
pub(super) fn roles(sheet: &mut Sheet) {
    for role in sheet.facts.roles.iter().filter(|role| role.characters > INLINE) {
        let args = args! { characters: role.characters, most: INLINE };
        sheet.add_key(&rule::ROLE_TOO_LONG, role.at.clone(), args);
    }
}

pub(super) fn policies(sheet: &mut Sheet, iam: &NodeIam, at: &Path) {
    let count = iam.policies.len();
    if count > POLICIES {
        sheet.add_key(&rule::TOO_MANY_POLICIES, at.key("policies"), args! { count: count, most: POLICIES });
    }
}
