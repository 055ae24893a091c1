//! `queue drain|resume` and `fleet start|stop`.

use super::{cli::Global, cloud::on_cloud, interrupt::queue_exists, load::checked, output::Output};
use crate::{
    node::{FleetOrder, Order, QueueOrder},
    operate,
    report::{
        errors::{Failure, exit},
        operate as words,
    },
    spec::Cluster,
};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Options of `queue`.
#[derive(Debug, Args)]
pub struct QueueArgs {
    #[command(subcommand)]
    command: QueueCommand,
}

#[derive(Debug, Subcommand)]
enum QueueCommand {
    /// Let running jobs end and start no new ones
    Drain(OneQueue),
    /// Let jobs start again
    Resume(OneQueue),
}

#[derive(Debug, Args)]
struct OneQueue {
    /// The cluster file
    file: PathBuf,
    /// The queue
    queue: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// Options of `fleet`.
#[derive(Debug, Args)]
pub struct FleetArgs {
    #[command(subcommand)]
    command: FleetCommand,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    /// Let compute nodes start again when jobs want them
    Start(WholeFleet),
    /// Start no more jobs, end idle compute nodes at once and the others when their jobs have ended
    Stop(WholeFleet),
}

#[derive(Debug, Args)]
struct WholeFleet {
    /// The cluster file
    file: PathBuf,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Waiting {
    /// How long to wait for the head node's answer
    #[arg(long, value_name = "SECONDS", default_value_t = 180, conflicts_with = "no_wait")]
    timeout: u64,
    /// Give the order and do not wait for the answer
    #[arg(long)]
    no_wait: bool,
}

/// Drains or resumes a queue.
pub fn queue(args: &QueueArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (args, state) = match &args.command {
        QueueCommand::Drain(args) => (args, QueueOrder::Drain),
        QueueCommand::Resume(args) => (args, QueueOrder::Resume),
    };
    let (_, cluster) = checked(&args.file, output)?;
    queue_exists(&cluster, &args.queue)?;
    give(&cluster, Order::Queue { name: args.queue.clone(), state }, &args.waiting, global, output)
}

/// Stops or starts all compute nodes.
pub fn fleet(args: &FleetArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (args, order) = match &args.command {
        FleetCommand::Start(args) => (args, FleetOrder::Start),
        FleetCommand::Stop(args) => (args, FleetOrder::Stop),
    };
    let (_, cluster) = checked(&args.file, output)?;
    give(&cluster, Order::Fleet(order), &args.waiting, global, output)
}

fn give(
    cluster: &Cluster,
    order: Order,
    waiting: &Waiting,
    global: &Global,
    output: &mut Output,
) -> Result<u8, Failure> {
    let wait = (!waiting.no_wait).then_some(waiting.timeout);
    on_cloud(global, Some(cluster.region.as_str()), |cloud, stop| async move {
        let outcome = operate::give(&cloud, cluster.name.as_str(), order.clone(), wait, &stop).await?;
        output.data(&words::outcome(&order, &outcome));
        Ok(exit::OK)
    })
}
