//! `interrupt`.

use super::{cli::Global, cloud::on_cloud, load::checked, output::Output};
use crate::{
    operate::{self, Keep, Wish},
    report::{
        errors::{Failure, exit},
        operate as words,
    },
    spec::Cluster,
};
use clap::Args;
use std::path::PathBuf;

/// Options of `interrupt`.
#[derive(Debug, Args)]
pub struct InterruptArgs {
    /// The cluster file
    file: PathBuf,
    /// The queue
    queue: String,
    /// Only spot nodes of this pool
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// This node, by name or instance id; can be given several times
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
    /// How many nodes, where none is named
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "nodes")]
    count: u32,
    /// Minutes from EC2's recommendation to move to the interruption; the notice comes two minutes before that
    #[arg(long, value_name = "M", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=15))]
    minutes: u32,
    /// Wait until the instances are gone, too
    #[arg(long)]
    wait: bool,
    /// Leave the role of Fault Injection Service for the next time
    #[arg(long)]
    keep_role: bool,
}

/// Interrupts spot nodes on purpose and follows the experiment to its end.
pub fn interrupt(args: &InterruptArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    queue_exists(&cluster, &args.queue)?;
    let region = cluster.region.as_str().to_owned();
    on_cloud(global, Some(&region), |cloud, stop| async move {
        let name = cluster.name.as_str();
        let machines = operate::machines(name, cloud.compute.instances_of(name).await?);
        let chosen = operate::choose(&machines, &wish(args))?;
        output.note(&words::chosen(&chosen));
        let keep = Keep { role: args.keep_role, watching: args.wait };
        let mut tell = |event| output.note(&words::interrupt_event(&event));
        operate::interrupt(&cloud, &cluster, &chosen, args.minutes, keep, &stop, &mut tell).await?;
        let lines: Vec<String> = chosen.iter().map(|one| format!("{}  {}\n", one.name, one.instance)).collect();
        output.data(&lines.concat());
        Ok(exit::OK)
    })
}

fn wish(args: &InterruptArgs) -> Wish {
    Wish {
        queue: args.queue.clone(),
        pool: args.pool.clone(),
        nodes: args.nodes.clone(),
        count: usize::try_from(args.count).unwrap_or(usize::MAX),
    }
}

/// Refuses a queue that the cluster file does not have.
pub fn queue_exists(cluster: &Cluster, queue: &str) -> Result<(), Failure> {
    let names: Vec<&str> = cluster.queues.iter().map(|queue| queue.name.as_str()).collect();
    if names.contains(&queue) {
        return Ok(());
    }
    let message = format!("there is no queue `{queue}` in the cluster file");
    Err(Failure::new("HPC2007", message, format!("there is {}", names.join(", ")), exit::ERROR))
}
