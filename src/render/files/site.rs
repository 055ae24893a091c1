//! What every file needs: the cluster, the engine, and facts worked out once.

use super::{RenderError, engine::Engine, hardware::Hardware, os::OsFacts, slurm_facts::SlurmFacts};
use crate::{
    catalog::InstanceCatalog,
    render::NodeFile,
    spec::{Checkpoint, Cluster, OnInterruption, Path, Pool, Purchase, Queue},
};
use minijinja::Value;
use std::collections::BTreeMap;

/// The files, by path.
pub(super) type Files = BTreeMap<String, NodeFile>;

/// A cluster about to be written out.
pub(super) struct Site<'a> {
    pub cluster: &'a Cluster,
    pub catalog: &'a InstanceCatalog,
    pub engine: Engine,
    pub os: OsFacts,
    pub slurm: SlurmFacts,
    pub pools: Vec<SitePool<'a>>,
}

/// A pool with what is known of it.
pub(super) struct SitePool<'a> {
    pub queue: &'a Queue,
    pub pool: &'a Pool,
    /// Its place among the queue's pools, from 0.
    pub index: usize,
    pub path: Path,
    pub hardware: Hardware,
}

impl<'a> Site<'a> {
    /// Works the facts out.
    pub fn new(cluster: &'a Cluster, catalog: &'a InstanceCatalog) -> Result<Self, RenderError> {
        let mut pools = Vec::new();
        for (at, queue) in cluster.queues.iter().enumerate() {
            for (index, pool) in queue.pools.iter().enumerate() {
                let path = Path::from("queues").index(at).key("pools").index(index);
                let hardware = Hardware::of(queue, pool, &path, catalog)?;
                pools.push(SitePool { queue, pool, index, path, hardware });
            }
        }
        let (os, slurm) = (OsFacts::of(cluster.image.os), SlurmFacts::of(&cluster.image));
        Ok(Self { cluster, catalog, engine: Engine::new()?, os, slurm, pools })
    }

    /// The pools of a queue.
    pub fn pools_of<'s>(&'s self, queue: &'s Queue) -> impl Iterator<Item = &'s SitePool<'a>> {
        self.pools.iter().filter(move |one| one.queue.name == queue.name)
    }

    /// The pools whose jobs keep checkpoints.
    pub fn checkpoints(&self) -> impl Iterator<Item = (&SitePool<'a>, &'a Checkpoint)> {
        self.pools.iter().filter_map(|one| Some((one, one.checkpoint()?)))
    }

    /// Whether jobs need a prolog.
    pub fn has_prolog(&self) -> bool {
        self.cluster.queues.iter().any(|queue| queue.gpu_health_check) || self.checkpoints().next().is_some()
    }

    /// Renders a template into a file.
    pub fn put(
        &self,
        files: &mut Files,
        to: &str,
        template: &'static str,
        context: &Value,
        cause: &str,
    ) -> Result<(), RenderError> {
        let content = self.engine.render(template, context)?;
        put_text(files, to, content, cause);
        Ok(())
    }
}

impl<'a> SitePool<'a> {
    /// What its nodes' names begin with: `cfd-spot-`.
    pub fn prefix(&self) -> String {
        format!("{}-{}-", self.queue.name, self.pool.name)
    }

    /// How its jobs keep checkpoints, if they do.
    pub fn checkpoint(&self) -> Option<&'a Checkpoint> {
        let asked = self.pool.on_interruption == Some(OnInterruption::Checkpoint);
        self.pool.checkpoint.as_ref().filter(|_| asked)
    }

    /// Whether its nodes look out for EC2's interruption notice.
    pub fn watched(&self) -> bool {
        self.pool.purchase == Purchase::Spot && self.pool.on_interruption != Some(OnInterruption::None)
    }
}

/// Puts a text that needs no template into a file. Scripts can be run, a file that gets a password is private.
pub(super) fn put_text(files: &mut Files, to: &str, content: String, cause: &str) {
    let mode = match () {
        () if to.ends_with("slurmdbd.conf") && !to.contains("/systemd/") => 0o600,
        () if content.starts_with("#!") => 0o755,
        () => 0o644,
    };
    files.insert(to.to_owned(), NodeFile { content, mode, cause: Path::from(cause) });
}
