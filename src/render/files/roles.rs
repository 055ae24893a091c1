//! The files of each kind of node, one kind after the other.

use super::{
    RenderError,
    actions::actions,
    cloudwatch::{pretty, put_cloudwatch},
    engine::vars,
    node_config::{NodeConfig, PoolConfig},
    site::{Files, Site, put_text},
    slurm_conf::{has_job_submit, has_tls, put_controller_files, put_slurm_conf},
    storage::mounts,
};
use crate::catalog::{Partition, partition};
use crate::model::names;
use crate::spec::{Accounting, Dcv, LoginPool, Queue};
use minijinja::Value;
use serde::Serialize;

/// What the head node fetches.
pub(super) fn head(site: &Site<'_>, files: &mut Files) -> Result<(), RenderError> {
    common(site, files, "head")?;
    put_slurm_conf(site, files, "head")?;
    put_controller_files(site, files)?;
    put_json(files, "head/hpcctl.json", &NodeConfig::of(site), "queues")?;
    let (slurm, accounting) = (&site.slurm, site.cluster.accounting.is_some());
    let directories: Vec<String> = directories(site);
    let programs = vars! {
        slurm, accounting, directories,
        resume_timeout => site.cluster.slurm.resume_timeout_seconds,
    };
    for (to, template) in [
        ("head/libexec/resume", "libexec/resume"),
        ("head/libexec/suspend", "libexec/suspend"),
        ("head/libexec/resume-fail", "libexec/resume-fail"),
        ("head/libexec/wait-nodes", "libexec/wait-nodes"),
        ("head/systemd/slurmctld.conf", "systemd/slurmctld.conf"),
        ("head/systemd/hpcctl-attach.service", "systemd/hpcctl-attach.service"),
        ("head/systemd/hpcctl-sync.service", "systemd/hpcctl-sync.service"),
    ] {
        site.put(files, to, template, &programs, "slurm")?;
    }
    if accounting {
        site.put(files, "head/systemd/slurmdbd.conf", "systemd/slurmdbd.conf", &programs, "accounting")?;
    }
    if !directories.is_empty() {
        for (to, template) in [
            ("head/libexec/clean-checkpoints", "libexec/clean-checkpoints"),
            ("head/systemd/hpcctl-clean-checkpoints.service", "systemd/hpcctl-clean-checkpoints.service"),
            ("head/systemd/hpcctl-clean-checkpoints.timer", "systemd/hpcctl-clean-checkpoints.timer"),
        ] {
            site.put(files, to, template, &programs, "queues")?;
        }
    }
    let node = &site.cluster.head_node;
    put_ticket_maker(site, files, "head", "head_node", node.dcv.is_some())?;
    let context = vars! {
        cluster => site.cluster.name,
        os => site.os,
        slurm,
        actions => actions(node.custom_actions.as_ref()),
        job_submit => has_job_submit(site),
        accounting => site.cluster.accounting.as_ref().map(|accounting| database(site, accounting)),
        checkpoints => !directories.is_empty(),
        dcv => desktop(site, node.dcv.as_ref())?,
    };
    site.put(files, "head/setup.sh", "shell/head.sh", &context, "head_node")
}

/// What compute nodes fetch.
pub(super) fn compute(site: &Site<'_>, files: &mut Files) -> Result<(), RenderError> {
    common(site, files, "compute")?;
    let context = vars! { cluster => site.cluster.name, os => site.os, slurm => site.slurm };
    site.put(files, "compute/setup.sh", "shell/compute.sh", &context, "queues")?;
    site.put(files, "compute/systemd/slurmd.conf", "systemd/slurmd.conf", &context, "slurm")?;
    site.put(files, "compute/systemd/hpcctl-watch.service", "systemd/hpcctl-watch.service", &context, "queues")?;
    if site.has_prolog() {
        put_prolog(site, files)?;
    }
    for (index, queue) in site.cluster.queues.iter().enumerate() {
        put_queue(site, files, queue, &format!("queues[{index}]"))?;
    }
    for one in &site.pools {
        let to = format!("compute/{}/{}.json", one.queue.name, one.pool.name);
        put_json(files, &to, &PoolConfig::of(site, one), &one.path.to_string())?;
    }
    Ok(())
}

fn put_prolog(site: &Site<'_>, files: &mut Files) -> Result<(), RenderError> {
    let checked = site.cluster.queues.iter().filter(|queue| queue.gpu_health_check);
    let gpu_queues: Vec<&str> = checked.map(|queue| queue.name.as_str()).collect();
    // A job that was saved in one pool of its queue may start again in another, where nobody saves jobs.
    let kept = site.pools.iter().filter_map(|one| {
        let nearest = || site.pools_of(one.queue).find_map(|other| other.checkpoint());
        let directory = one.checkpoint().or_else(nearest)?.directory.as_str();
        Some(vars! { prefix => one.prefix(), directory })
    });
    let checkpoints: Vec<Value> = kept.collect();
    let keeps = !checkpoints.is_empty();
    let context = vars! { slurm => site.slurm, gpu_queues, checkpoints };
    site.put(files, "compute/libexec/prolog", "libexec/prolog", &context, "queues")?;
    if keeps {
        site.put(files, "compute/libexec/task-prolog", "libexec/task-prolog", &context, "queues")?;
        site.put(files, "compute/libexec/epilog", "libexec/epilog", &context, "queues")?;
    }
    Ok(())
}

fn put_queue(site: &Site<'_>, files: &mut Files, queue: &Queue, cause: &str) -> Result<(), RenderError> {
    let pools = site.pools_of(queue).map(|one| {
        let nvidia = one.hardware.gpus.as_ref().is_some_and(|gpus| gpus.nvidia).to_string();
        vars! { name => one.pool.name.as_str(), nvidia }
    });
    let context = vars! {
        cluster => site.cluster.name,
        queue => queue.name,
        // As words of the shell: the engine writes Python's.
        efa => queue.efa.to_string(),
        hyperthreading => queue.hyperthreading.to_string(),
        jobs_may_use_role => queue.jobs_may_use_role.to_string(),
        local_scratch => queue.local_scratch.as_ref().map_or("", |path| path.as_str()),
        pools => pools.collect::<Vec<_>>(),
        actions => actions(queue.custom_actions.as_ref()),
    };
    site.put(files, &format!("compute/{}/queue.sh", queue.name), "shell/queue.sh", &context, cause)
}

/// What login nodes fetch; nothing when there are none.
pub(super) fn login(site: &Site<'_>, files: &mut Files) -> Result<(), RenderError> {
    if site.cluster.login_nodes.is_empty() {
        return Ok(());
    }
    common(site, files, "login")?;
    put_slurm_conf(site, files, "login")?;
    let context = vars! { cluster => site.cluster.name, os => site.os, slurm => site.slurm };
    site.put(files, "login/setup.sh", "shell/login.sh", &context, "login_nodes")?;
    for unit in ["systemd/hpcctl-refresh.service", "systemd/hpcctl-refresh.timer"] {
        site.put(files, &format!("login/{unit}"), unit, &context, "login_nodes")?;
    }
    put_ticket_maker(
        site,
        files,
        "login",
        "login_nodes",
        site.cluster.login_nodes.iter().any(|pool| pool.dcv.is_some()),
    )?;
    for (index, pool) in site.cluster.login_nodes.iter().enumerate() {
        let LoginPool { name, custom_actions, dcv, .. } = pool;
        let context = vars! {
            cluster => site.cluster.name,
            pool => name,
            actions => actions(custom_actions.as_ref()),
            dcv => desktop(site, dcv.as_ref())?,
        };
        let to = format!("login/{name}/pool.sh");
        site.put(files, &to, "shell/login-pool.sh", &context, &format!("login_nodes[{index}]"))?;
    }
    Ok(())
}

/// The parts of the set-up that all nodes share.
fn common(site: &Site<'_>, files: &mut Files, role: &str) -> Result<(), RenderError> {
    let head = role == "head";
    // People work on these; compute nodes are their jobs'.
    let shared = role != "compute";
    let closed = site.cluster.queues.iter().any(|queue| !queue.jobs_may_use_role);
    let protected = shared || closed;
    let context = vars! {
        cluster => site.cluster.name,
        os => site.os,
        slurm => site.slurm,
        hpcctl_version => env!("CARGO_PKG_VERSION"),
        http_proxy => site.cluster.network.http_proxy,
        no_proxy => names::no_proxy(site.cluster),
        dns_suffix => names::dns_suffix(site.cluster),
        munge_key_secret => site.cluster.slurm.munge_key_secret.as_ref().map(|secret| secret.as_str()),
        logs => site.cluster.monitoring.logs.enabled,
        head,
        shared,
        protected,
    };
    site.put(files, &format!("{role}/common.sh"), "shell/common.sh", &context, "image")?;
    if protected {
        let (script, unit) = ("libexec/protect-metadata", "systemd/hpcctl-metadata.service");
        site.put(files, &format!("{role}/{script}"), script, &context, "image")?;
        site.put(files, &format!("{role}/{unit}"), unit, &context, "image")?;
        if !shared {
            let drop_in = "systemd/slurmd-metadata.conf";
            site.put(files, &format!("{role}/{drop_in}"), drop_in, &context, "queues")?;
        }
    }
    let context = vars! { os => site.os, slurm => site.slurm, head, storage => mounts(site.cluster, head) };
    site.put(files, &format!("{role}/storage.sh"), "shell/storage.sh", &context, "storage")?;
    put_cloudwatch(site, files, role);
    Ok(())
}

/// The functions that set a desktop up.
fn desktop(site: &Site<'_>, dcv: Option<&Dcv>) -> Result<Option<String>, RenderError> {
    let text = |dcv: &Dcv| site.engine.render("shell/dcv.sh", &vars! { os => site.os, port => dcv.port });
    dcv.map(text).transpose()
}

/// What makes tickets to a desktop.
fn put_ticket_maker(
    site: &Site<'_>,
    files: &mut Files,
    role: &str,
    cause: &str,
    wanted: bool,
) -> Result<(), RenderError> {
    if !wanted {
        return Ok(());
    }
    site.put(files, &format!("{role}/libexec/dcv-url"), "libexec/dcv-url", &vars! { os => site.os }, cause)
}

/// Where the head node finds the accounting database, as words of the shell.
fn database(site: &Site<'_>, accounting: &Accounting) -> Value {
    let authorities = authorities(site);
    let fact = |name: &str| format!("\"$(fact .accounting.{name})\"");
    match &accounting.external {
        Some(external) => vars! {
            secret => external.password_secret.as_str(),
            user => external.user,
            host => external.host.as_str(),
            port => external.port.to_string(),
            database => accounting.database.as_deref().unwrap_or("slurm_acct_db"),
            tls => has_tls(accounting),
            authorities,
            known => true,
        },
        None => vars! {
            secret => fact("secret_arn"),
            user => fact("user"),
            host => fact("host"),
            port => fact("port"),
            tls => has_tls(accounting),
            authorities,
            known => false,
            database => accounting.database.as_deref().unwrap_or("slurm_acct_db"),
        },
    }
}

/// Where RDS publishes the certificates of its authorities, which differ between partitions.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>,
/// <https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>
fn authorities(site: &Site<'_>) -> &'static str {
    match partition(site.cluster.region.as_str()) {
        Some(Partition::China) => "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem",
        Some(Partition::UsGov) => "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem",
        _ => "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    }
}

/// The directories of checkpoints, each once.
fn directories(site: &Site<'_>) -> Vec<String> {
    let all: std::collections::BTreeSet<String> =
        site.checkpoints().map(|(_, checkpoint)| checkpoint.directory.to_string()).collect();
    all.into_iter().collect()
}

fn put_json(files: &mut Files, to: &str, value: &impl Serialize, cause: &str) -> Result<(), RenderError> {
    let value = serde_json::to_value(value).map_err(|error| RenderError::Json { name: to.to_owned(), error })?;
    put_text(files, to, pretty(&value), cause);
    Ok(())
}
