//! `graph`.

use super::{load::load, output::Output};
use crate::{
    model::{Graph, ParameterSource},
    report::errors::{Failure, exit},
};
use clap::{Args, ValueEnum};
use std::{collections::BTreeSet, fmt::Write, path::PathBuf};

/// Options of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The cluster file
    file: PathBuf,
    /// The language
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    format: GraphFormat,
}

/// Graph languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
}

/// Prints the stacks and what flows between them.
pub fn graph(args: &GraphArgs, output: &mut Output) -> Result<u8, Failure> {
    let loaded = load(&args.file, output)?;
    let text = match args.format {
        GraphFormat::Dot => dot(&loaded.graph),
        GraphFormat::Mermaid => mermaid(&loaded.graph),
    };
    output.data(&text);
    Ok(exit::OK)
}

/// Edges from the stack that gives to the stack that takes.
fn edges(graph: &Graph) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for stack in &graph.stacks {
        for before in &stack.after {
            edges.insert((before.to_string(), stack.key.to_string()));
        }
        for parameter in stack.parameters.values() {
            if let ParameterSource::Output { stack: from, .. } = &parameter.source {
                edges.insert((from.to_string(), stack.key.to_string()));
            }
        }
    }
    edges
}

fn dot(graph: &Graph) -> String {
    let mut out = format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n", graph.cluster);
    for stack in &graph.stacks {
        let _ = writeln!(out, "  \"{}\" [label=\"{}\\n{} resources\"];", stack.key, stack.key, stack.resources.len());
    }
    for (from, to) in edges(graph) {
        let _ = writeln!(out, "  \"{from}\" -> \"{to}\";");
    }
    out + "}\n"
}

fn mermaid(graph: &Graph) -> String {
    let id = |key: &str| key.replace(['.', '-'], "_");
    let mut out = "flowchart LR\n".to_owned();
    for stack in &graph.stacks {
        let key = stack.key.to_string();
        let _ = writeln!(out, "  {}[\"{key}<br/>{} resources\"]", id(&key), stack.resources.len());
    }
    for (from, to) in edges(graph) {
        let _ = writeln!(out, "  {} --> {}", id(&from), id(&to));
    }
    out
}
