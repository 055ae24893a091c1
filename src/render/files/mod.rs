//! Node files: a cluster in, the texts that its nodes fetch out.
//!
//! The templates are in `templates/`, readable without Rust; this folder works out what they ask for. Paths
//! begin with the kind of node that fetches the file: `head/`, `compute/`, `login/`. No secret is ever in a
//! file: passwords and keys come from Secrets Manager on the node, and what only the deployment knows (host
//! names, ids) from `cluster.json`, which `apply` writes beside them. Constant user data is in
//! `templates/user-data/` and belongs to `model`.

mod actions;
mod cloudwatch;
mod conf_line;
mod engine;
mod hardware;
mod node_config;
mod options;
mod os;
mod queue_conf;
mod roles;
mod site;
mod slurm_conf;
mod slurm_facts;
mod storage;

pub use node_config::{NodeConfig, NodePool, NodeQueue, NodeTemplate, NodeVolume, PoolConfig};
pub use slurm_facts::packaged_slurm;

use crate::{
    catalog::InstanceCatalog,
    render::NodeFile,
    spec::{Cluster, Path},
};
use std::collections::BTreeMap;

/// Why node files cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Slurm must be told the CPUs and memory of an instance type that the catalog does not know.
    #[error("unknown instance type `{name}` at `{path}`")]
    UnknownInstanceType {
        /// Its name.
        name: String,
        /// Where the cluster file has it.
        path: Path,
    },
    /// A template is wrong: a fault of hpcctl.
    #[error("failed to render the template `{name}`: {error:#}")]
    Template {
        /// Its path below `templates/`.
        name: &'static str,
        /// What is wrong.
        error: minijinja::Error,
    },
    /// A file cannot be written as JSON: a fault of hpcctl.
    #[error("failed to write `{name}`: {error}")]
    Json {
        /// The file.
        name: String,
        /// What is wrong.
        error: serde_json::Error,
    },
}

/// Every file that the cluster's nodes fetch, by its path. The same cluster gives the same bytes.
pub fn node_files(cluster: &Cluster, catalog: &InstanceCatalog) -> Result<BTreeMap<String, NodeFile>, RenderError> {
    let site = site::Site::new(cluster, catalog)?;
    let mut files = BTreeMap::new();
    roles::head(&site, &mut files)?;
    roles::compute(&site, &mut files)?;
    roles::login(&site, &mut files)?;
    Ok(files)
}
