//! RENDER: a graph in, CloudFormation templates, node files and their digests out.
//!
//! The same graph gives the same bytes, on every machine and at every time. This room does no I/O: the
//! templates of node files are part of the program.

mod canonical;
pub mod cloudformation;
pub mod files;
mod role_sizes;
mod wire;
mod yaml;

pub use canonical::{canonical, sha256, sha256_json, sha256_of};
pub use files::{
    NodeConfig, NodePool, NodeQueue, NodeTemplate, NodeVolume, PoolConfig, RenderError, node_files, packaged_slurm,
};

pub use role_sizes::role_sizes;

use crate::{
    model::{Bootstrap, Graph, Parameter, Stack, StackKey},
    spec::Path,
};
use std::collections::BTreeMap;

/// Everything that a cluster file is turned into.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The template of every stack.
    pub templates: BTreeMap<StackKey, Template>,
    /// The files for the nodes, by their path below the revision, such as `head/slurm.conf`.
    pub files: BTreeMap<String, NodeFile>,
    /// SHA-256 over all of it, in hexadecimal.
    pub digest: String,
}

/// A CloudFormation template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The template, compact JSON with sorted keys.
    pub body: String,
    /// SHA-256 of the body, in hexadecimal.
    pub sha256: String,
}

/// A file for nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFile {
    /// The text.
    pub content: String,
    /// Unix mode, such as 0o644.
    pub mode: u32,
    /// The path in the cluster file that it mostly comes from.
    pub cause: Path,
}

/// The templates of a graph's stacks, together with the files for its nodes.
pub fn render(graph: &Graph, files: BTreeMap<String, NodeFile>) -> Rendered {
    let one = |stack: &Stack| (stack.key.clone(), Template::of(&cloudformation::Template::of(stack)));
    let templates: BTreeMap<StackKey, Template> = graph.stacks.iter().map(one).collect();
    let digest = digest(graph, &templates, &files);
    Rendered { templates, files, digest }
}

/// The template of the stack of account and region.
pub fn bootstrap(bootstrap: &Bootstrap) -> Template {
    Template::of(&cloudformation::Template::of_bootstrap(bootstrap))
}

impl Template {
    fn of(value: &impl serde::Serialize) -> Self {
        let body = canonical(value);
        let sha256 = sha256(&body);
        Self { body, sha256 }
    }

    /// The template as YAML, for people.
    pub fn to_yaml(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        yaml::for_old_readers(&serde_yaml::to_string(&value).unwrap_or_default())
    }
}

/// The digest of everything that makes a cluster. Where in the cluster file something comes from is not
/// part of it: lines may move.
fn digest(graph: &Graph, templates: &BTreeMap<StackKey, Template>, files: &BTreeMap<String, NodeFile>) -> String {
    // Facts follow from the storage and accounting that the templates hold already.
    let Graph { cluster, region, tags, termination_protection, stacks, facts: _, architectures: _ } = graph;
    let mut parts = vec![cluster.clone(), region.clone(), termination_protection.to_string(), tags.len().to_string()];
    parts.extend(tags.iter().flat_map(|(key, value)| [key.clone(), value.clone()]));
    parts.push(templates.len().to_string());
    parts.extend(templates.iter().flat_map(|(key, template)| [key.to_string(), template.sha256.clone()]));
    for parameter in stacks.iter().flat_map(|stack| &stack.parameters) {
        let (name, Parameter { kind: _, source }) = parameter;
        parts.extend([name.clone(), serde_json::to_string(source).unwrap_or_default()]);
    }
    for (path, NodeFile { content, mode, cause: _ }) in files {
        parts.extend([path.clone(), format!("{mode:o}"), sha256(content)]);
    }
    sha256_of(parts.iter().map(|part| part.as_bytes()))
}
