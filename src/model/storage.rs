//! The storage stack: security groups and shared file systems.

use super::{Resource, Stack, StackKey, ebs, efs, lustre, props::Props, security, site::Site, tags};
use crate::spec::Path;

/// The storage stack; it is always there, for the security groups.
pub(super) fn storage(site: Site<'_>) -> Stack {
    let description = format!("hpcctl cluster {}: security groups and file systems", site.cluster.name);
    let mut stack = Stack::new(StackKey::Storage, description, Path::from("storage"));
    security::node_groups(site, &mut stack);
    let all = &site.cluster.storage;
    if all.iter().filter_map(|storage| storage.fsx_lustre.as_ref()).any(|fsx| fsx.file_system_id.is_none()) {
        security::lustre(site, &mut stack);
    }
    if all.iter().filter_map(|storage| storage.efs.as_ref()).any(|efs| efs.file_system_id.is_none()) {
        security::efs(site, &mut stack);
    }
    if site.cluster.accounting.as_ref().is_some_and(|accounting| accounting.rds.is_some()) {
        security::database(site, &mut stack);
    }
    if site.cluster.slurm.munge_key_secret.is_none() {
        munge_key(site, &mut stack);
    }
    ebs::head_data(site, &mut stack);
    for (index, storage) in all.iter().enumerate() {
        let cause = Path::from("storage").index(index);
        if let Some(fsx) = &storage.fsx_lustre {
            lustre::add(site, &mut stack, storage.name.as_str(), fsx, &cause.key("fsx_lustre"));
        } else if let Some(efs) = &storage.efs {
            efs::add(site, &mut stack, storage.name.as_str(), efs, &cause.key("efs"));
        } else if let Some(ebs) = &storage.ebs {
            ebs::add(site, &mut stack, storage.name.as_str(), ebs, &cause.key("ebs"));
        }
    }
    stack
}

/// The key by which nodes know each other. Secrets Manager makes it; nobody else ever sees it.
fn munge_key(site: Site<'_>, stack: &mut Stack) {
    let generate = Props::new().set("PasswordLength", 128_u32).set("ExcludePunctuation", true);
    let secret = Resource::new("AWS::SecretsManager::Secret", "nodes.munge_key", Path::root())
        .set("Description", format!("Munge key of the nodes of {}", site.cluster.name))
        .set("GenerateSecretString", generate)
        .set("Tags", tags::named(site.cluster, "nodes", "munge-key"));
    let secret = stack.add("MungeKey", secret);
    stack.output("MungeSecretArn", secret);
}
