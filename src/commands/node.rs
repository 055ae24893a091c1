//! `node`: the programs that run on the cluster's own nodes.

use super::{cli::Global, cloud::on_cloud, output::Output};
use crate::{
    apply::Stop,
    cloud::{Clock, MOST_TEXT, read_text},
    node::{self, Attached, Cluster, Event, Home, Machine, Watch, Why, hostlist, parse_resume_file, sync::Place},
    render::PoolConfig,
    report::{
        self,
        errors::{Failure, exit},
    },
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Options of `node`.
#[derive(Debug, Args)]
pub struct NodeArgs {
    #[command(subcommand)]
    command: NodeCommand,
    /// What `apply` published for this node
    #[arg(long, global = true, value_name = "DIR", env = "HPCCTL_NODE_ETC", default_value = "/opt/hpcctl/etc")]
    etc: PathBuf,
    /// What the programs of this node remember
    #[arg(long, global = true, value_name = "DIR", env = "HPCCTL_NODE_STATE", default_value = "/var/lib/hpcctl/state")]
    state: PathBuf,
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// ResumeProgram: launch instances for nodes
    Resume {
        /// The nodes, as slurmctld gives them: cfd-spot-[1-4]
        nodes: String,
        /// Which job waits for which nodes; slurmctld names the file
        #[arg(long, value_name = "FILE", env = "SLURM_RESUME_FILE")]
        resume_file: Option<PathBuf>,
    },
    /// SuspendProgram: terminate the instances of nodes
    Suspend {
        /// The nodes, as slurmctld gives them
        nodes: String,
        /// The nodes did not come up in time (ResumeFailProgram)
        #[arg(long)]
        failed: bool,
    },
    /// Keep ledger, EC2 and Slurm of one mind, and this head node up to date
    Sync {
        /// One pass, and the end
        #[arg(long)]
        once: bool,
        /// Where hpcctl and the files of this node are
        #[arg(long, value_name = "DIR", env = "HPCCTL_NODE_PREFIX", default_value = "/opt/hpcctl")]
        prefix: PathBuf,
        /// Where metrics are written
        #[arg(long, value_name = "DIR", env = "HPCCTL_NODE_LOGS", default_value = "/var/log/hpcctl")]
        logs: PathBuf,
    },
    /// At boot of the head node: take over its volumes and its address; prints where they are
    Attach {
        /// Names of volumes [default: all]
        names: Vec<String>,
        /// The address alone
        #[arg(long, conflicts_with = "names")]
        address: bool,
        /// Tell the other nodes the address, which answers by now
        #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["names", "address"])]
        publish: Option<String>,
    },
    /// Give volumes of the head node back
    Detach {
        /// Names of volumes
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// The service on spot nodes: saves and requeues jobs, unmounts Lustre and powers off when EC2 takes the node back
    Watch(WatchArgs),
}

#[derive(Debug, Args)]
struct WatchArgs {
    /// This node's name in Slurm
    #[arg(long, env = "NODE")]
    node: String,
    /// The head node's address
    #[arg(long, env = "HEAD")]
    head: Option<String>,
    /// What is to be done [default: pool.json of --etc]
    #[arg(long, value_name = "FILE")]
    pool: Option<PathBuf>,
}

/// Runs a program of the node.
pub fn node(args: &NodeArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let home = Home { etc: args.etc.clone(), state: args.state.clone() };
    match &args.command {
        NodeCommand::Resume { nodes, resume_file } => resume(&home, nodes, resume_file.as_ref(), global, output),
        NodeCommand::Suspend { nodes, failed } => suspend(&home, nodes, *failed, global, output),
        NodeCommand::Sync { once, prefix, logs } => {
            let (tree, program) = (prefix.join("node"), prefix.join("bin/hpcctl"));
            let place = Place { tree, program, logs: logs.clone(), machine: Machine::default() };
            sync(&home, &place, *once, global, output)
        }
        NodeCommand::Attach { publish: Some(address), .. } => publish(&home, address, global, output),
        NodeCommand::Attach { names, address, .. } => attach(&home, names, *address, global, output),
        NodeCommand::Detach { names } => detach(&home, names, global),
        NodeCommand::Watch(args) => watch(&home, args, global, output),
    }
}

fn resume(
    home: &Home,
    nodes: &str,
    resume_file: Option<&PathBuf>,
    global: &Global,
    output: &mut Output,
) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    let nodes = hostlist::expand(nodes)?;
    // slurmctld deletes the file soon: one that is gone is as good as none.
    let text = resume_file.and_then(|path| read_text(path, MOST_TEXT).ok());
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, _| async move {
        let mut events = log(output, cloud.clock.clone());
        let jobs = parse_resume_file(text.as_deref(), &nodes, &mut events);
        let complete = node::resume(&cloud, &cluster, home, jobs, &mut events).await?;
        Ok(if complete { exit::OK } else { exit::ERROR })
    })
}

fn suspend(home: &Home, nodes: &str, failed: bool, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    let nodes = hostlist::expand(nodes)?;
    let why = if failed { Why::Failed } else { Why::Idle };
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, _| async move {
        let mut events = log(output, cloud.clock.clone());
        node::suspend(&cloud, &cluster, home, &nodes, why, &mut events).await?;
        Ok(exit::OK)
    })
}

/// A line for each volume, `volume NAME ID DEVICE`; or one word, the address.
fn attach(home: &Home, names: &[String], address: bool, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, _| async move {
        let mut events = log(output, cloud.clock.clone());
        if address {
            let address = node::head_address(&cloud, &cluster, &mut events).await?;
            drop(events);
            output.data(&format!("{address}\n"));
            return Ok(exit::OK);
        }
        let attached = node::attach(&cloud, &cluster, names, &mut events).await?;
        drop(events);
        for Attached { name, volume, device } in attached {
            output.data(&format!("volume {name} {volume} {device}\n"));
        }
        Ok(exit::OK)
    })
}

fn publish(home: &Home, address: &str, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, _| async move {
        let mut events = log(output, cloud.clock.clone());
        node::publish_address(&cloud, &cluster, address, &mut events).await?;
        Ok(exit::OK)
    })
}

fn detach(home: &Home, names: &[String], global: &Global) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, _| async move {
        node::detach(&cloud, &cluster, names).await?;
        Ok(exit::OK)
    })
}

fn watch(home: &Home, args: &WatchArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let WatchArgs { node, head, pool } = args;
    let pool: PoolConfig = match pool {
        // A path that is absolute stays what it is.
        Some(path) => home.published(&std::path::absolute(path).unwrap_or_else(|_| path.clone()).to_string_lossy())?,
        None => home.published("pool.json")?,
    };
    let region = pool.region.clone();
    on_cloud(global, Some(&region), |cloud, stop| async move {
        let mut events = log(output, cloud.clock.clone());
        let machine = Machine::default();
        let of = Watch { cloud: &cloud, home, machine: &machine, pool: &pool, node, head: head.as_deref() };
        tokio::select! {
            result = node::watch(&of, &mut events) => result?,
            () = told_to_stop(&stop) => {}
        }
        Ok(exit::OK)
    })
}

/// Waits for Ctrl-C or SIGTERM: systemd stops the service so.
async fn told_to_stop(stop: &Stop) {
    while !stop.is_set() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn sync(home: &Home, place: &Place, once: bool, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let cluster = Cluster::load(home)?;
    on_cloud(global, Some(&cluster.config.region.clone()), |cloud, stop| async move {
        let mut events = log(output, cloud.clock.clone());
        if once {
            node::sync::pass(&cloud, &cluster, home, place, &mut events).await?;
        } else {
            node::sync::forever(&cloud, home, place, || stop.is_set(), &mut events).await;
        }
        Ok(exit::OK)
    })
}

/// Writes events to the log.
fn log(output: &mut Output, clock: Arc<dyn Clock>) -> impl FnMut(Event) + '_ {
    move |event| {
        let lines = report::node::event_lines(clock.now(), &event);
        if !lines.is_empty() {
            output.note(&lines.join("\n"));
        }
    }
}
