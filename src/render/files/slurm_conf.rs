//! Slurm's configuration: slurm.conf and the files beside it.

use super::{
    RenderError,
    conf_line::node_range,
    engine::vars,
    options,
    queue_conf::queue_conf,
    site::{Files, Site, put_text},
};
use crate::spec::{Accounting, ExternalDatabase, PreemptMode, Queue};
use minijinja::Value;

/// slurm.conf and the files of the queues, for the nodes of `role`.
pub(super) fn put_slurm_conf(site: &Site<'_>, files: &mut Files, role: &str) -> Result<(), RenderError> {
    let mut queues = Vec::new();
    for (index, queue) in site.cluster.queues.iter().enumerate() {
        let text = queue_conf(site, queue)?;
        // Slurm 21.08 does not give included files to configless nodes: there the text stands in slurm.conf.
        if site.slurm.number >= 2205 {
            let to = format!("{role}/slurm-queue-{}.conf", queue.name);
            put_text(files, &to, text.clone(), &format!("queues[{index}]"));
        }
        queues.push(vars! { name => queue.name.as_str(), text => text.trim_end() });
    }
    let cluster = site.cluster;
    let text = site.engine.render(
        "slurm/slurm.conf",
        &vars! {
            cluster => cluster.name,
            slurm => site.slurm,
            queues,
            resume_timeout => cluster.slurm.resume_timeout_seconds,
            idle_seconds => cluster.slurm.idle_seconds,
            static_nodes => static_nodes(site),
            prolog => site.has_prolog(),
            gpu_checks => site.cluster.queues.iter().any(|queue| queue.gpu_health_check),
            checkpoints => site.checkpoints().next().is_some(),
            memory_scheduling => cluster.slurm.memory_scheduling,
            def_mem_per_cpu => site.pools.iter().map(|one| one.hardware.memory_per_cpu()).min().unwrap_or(1),
            preemption => preemption(&cluster.queues),
            gres_types => if has_gpus(site) { vec!["gpu"] } else { vec![] },
            licenses => licenses(site),
            job_submit => has_job_submit(site),
            accounting => cluster.accounting.is_some(),
            scheduler => scheduler(site),
            accounting_tres => accounting_tres(site),
        },
    )?;
    put_text(files, &format!("{role}/slurm.conf"), options::overlay(&text, &cluster.slurm.options), "slurm");
    Ok(())
}

/// The files that slurmctld reads beside slurm.conf.
pub(super) fn put_controller_files(site: &Site<'_>, files: &mut Files) -> Result<(), RenderError> {
    let cluster = &site.cluster.name;
    let memory_scheduling = site.cluster.slurm.memory_scheduling;
    site.put(files, "head/cgroup.conf", "slurm/cgroup.conf", &vars! { cluster, memory_scheduling }, "slurm")?;
    if has_gpus(site) {
        let gpus = site.pools.iter().filter_map(|one| {
            let gpus = one.hardware.gpus.as_ref()?;
            let nodes = node_range(&one.prefix(), one.pool.max);
            Some(vars! { nodes, count => gpus.count, kind => gpus.kind, files => gpus.files })
        });
        let gpus: Vec<_> = gpus.collect();
        site.put(files, "head/gres.conf", "slurm/gres.conf", &vars! { cluster, gpus => gpus }, "queues")?;
    }
    if has_job_submit(site) {
        let with: Vec<&Queue> = site.cluster.queues.iter().filter(|queue| !queue.licenses.is_empty()).collect();
        let default = site.cluster.queues.iter().find(|queue| queue.default);
        let default_queue = default.map_or("", |queue| queue.name.as_str());
        let context = vars! { cluster, queues => with, default_queue };
        site.put(files, "head/job_submit.lua", "slurm/job_submit.lua", &context, "queues")?;
    }
    if let Some(accounting) = &site.cluster.accounting {
        let context = vars! {
            cluster,
            database => accounting.database.as_deref().unwrap_or("slurm_acct_db"),
            tls => has_tls(accounting),
            purge_months => accounting.purge_after_months,
        };
        site.put(files, "head/slurmdbd.conf", "slurm/slurmdbd.conf", &context, "accounting")?;
    }
    Ok(())
}

/// What the schedulers are told, and why.
fn scheduler(site: &Site<'_>) -> Value {
    let slow_look = site.slurm.passes_jobs_over() && site.cluster.accounting.is_none();
    let prolog = site.has_prolog();
    let parameters = [(slow_look, "bf_interval=5"), (prolog, "nohold_on_prolog_fail")];
    let parameters: Vec<&str> = parameters.iter().filter(|(wanted, _)| *wanted).map(|(_, word)| *word).collect();
    vars! { slow_look, prolog, parameters }
}

/// The nodes that always run, as host lists.
fn static_nodes(site: &Site<'_>) -> Vec<String> {
    let always = site.pools.iter().filter(|one| one.pool.min > 0);
    always.map(|one| node_range(&one.prefix(), one.pool.min.min(one.pool.max))).collect()
}

/// The cluster's own preemption mode, which stands behind those of the partitions.
fn preemption(queues: &[Queue]) -> Option<&'static str> {
    let modes = || queues.iter().filter_map(|queue| queue.preempt_mode);
    // Jobs that are suspended need the gang scheduler to be woken again.
    match modes().any(|mode| mode == PreemptMode::Suspend) {
        true => Some("SUSPEND,GANG"),
        false => modes().next().map(|_| "REQUEUE"),
    }
}

fn has_gpus(site: &Site<'_>) -> bool {
    site.pools.iter().any(|one| one.hardware.gpus.is_some())
}

/// Whether queues take licences for their jobs.
pub(super) fn has_job_submit(site: &Site<'_>) -> bool {
    site.cluster.queues.iter().any(|queue| !queue.licenses.is_empty())
}

fn licenses(site: &Site<'_>) -> Vec<String> {
    site.cluster.slurm.licenses.iter().map(|license| format!("{}:{}", license.name, license.count)).collect()
}

fn accounting_tres(site: &Site<'_>) -> Vec<String> {
    let gpus = has_gpus(site).then(|| "gres/gpu".to_owned());
    let licenses = site.cluster.slurm.licenses.iter().map(|license| format!("license/{}", license.name));
    gpus.into_iter().chain(licenses).collect()
}

/// Whether the database is Amazon's, whose authorities are known: then the connection is encrypted.
pub(super) fn has_tls(accounting: &Accounting) -> bool {
    // `NAME.REGION.rds.amazonaws.com`, and in China `NAME.rds.REGION.amazonaws.com.cn`.
    let amazon = |external: &ExternalDatabase| {
        let host = external.host.as_str();
        host.contains(".rds.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
    };
    accounting.rds.is_some() || accounting.external.as_ref().is_some_and(amazon)
}
