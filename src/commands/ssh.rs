//! `ssh`, and the way to a machine.

use super::{
    cli::{CloudChoice, Global},
    cloud::on_cloud,
    external,
    load::checked,
    output::Output,
    rehearsal,
};
use crate::{
    cloud::CloudKind,
    model::image_user,
    operate::{self, AwsCli, Door, Machine, Role, Route, shell_words},
    rehearsal::{Place, entry},
    report::errors::{Failure, exit},
    spec::{Cluster, LoginPool},
};
use clap::{Args, ValueEnum};
use std::{io::IsTerminal, path::PathBuf};

/// Options of `ssh`.
#[derive(Debug, Args)]
pub struct SshArgs {
    /// The cluster file
    file: PathBuf,
    /// The node: `head`, `login`, `login-POOL`, a node's name in Slurm, or an instance id
    #[arg(default_value = "head")]
    node: String,
    #[command(flatten)]
    pub(super) way: WayArgs,
    /// Print the command instead of running it
    #[arg(long)]
    print: bool,
    /// A command to run there
    #[arg(last = true)]
    command: Vec<String>,
}

/// How to get to a machine.
#[derive(Debug, Args)]
pub struct WayArgs {
    /// By which way; default: the public address where the cluster file opens it, else Session Manager
    #[arg(long, value_enum)]
    pub(super) via: Option<Via>,
    /// The user to log in as; default: the image's administrator
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The private key for ssh; default: what ssh finds
    #[arg(long, short, value_name = "FILE")]
    identity: Option<String>,
}

/// By which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// The public address
    Address,
    /// Session Manager, with ssh inside where the node has a key
    SessionManager,
}

/// Logs in to a node, or runs a command there.
pub fn ssh(args: &SshArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let machine = machine(&cluster, &args.node, global)?;
    if let Some(place) = rehearsal::running(global) {
        return enter(&place, &machine, &cluster, args, output);
    }
    let route = route(&cluster, &machine, &args.way, global)?;
    let words = route.words(&args.command);
    if args.print {
        output.data(&format!("{}\n", shell_words(&words)));
        return Ok(exit::OK);
    }
    no_sandbox(global)?;
    external::need(&words)?;
    output.note(&format!("{}  {}", machine.name, machine.instance.id));
    Err(external::become_program(&words))
}

/// Enters the machine of a rehearsal.
fn enter(
    place: &Place,
    machine: &Machine,
    cluster: &Cluster,
    args: &SshArgs,
    output: &mut Output,
) -> Result<u8, Failure> {
    let user = args.way.user.clone().unwrap_or_else(|| image_user(cluster.image.os).to_owned());
    let words = entry(place, &machine.instance.id, &user, &args.command, std::io::stdin().is_terminal())?;
    if args.print {
        output.data(&format!("{}\n", shell_words(&words)));
        return Ok(exit::OK);
    }
    output.note(&format!("{}  {}", machine.name, machine.instance.id));
    Err(external::become_program(&words))
}

/// The machine with this name.
pub fn machine(cluster: &Cluster, wanted: &str, global: &Global) -> Result<Machine, Failure> {
    let name = cluster.name.as_str().to_owned();
    on_cloud(global, Some(cluster.region.as_str()), |cloud, _| async move {
        let machines = operate::machines(&name, cloud.compute.instances_of(&name).await?);
        let machine = operate::pick(&machines, wanted)?.clone();
        if !machine.runs() && cloud.kind == CloudKind::Aws {
            let message = format!("{} ({}) is {}", machine.name, machine.instance.id, machine.instance.state);
            return Err(Failure::new("HPC2086", message, "wait until it runs, or start it", exit::ERROR));
        }
        Ok(machine)
    })
}

/// The way to a machine.
pub fn route(cluster: &Cluster, machine: &Machine, args: &WayArgs, global: &Global) -> Result<Route, Failure> {
    let (key, open) = access(cluster, machine);
    let key = key || args.identity.is_some();
    let address = machine.instance.public_ip.clone();
    let in_session = if key { Door::SshInSession } else { Door::Session };
    let door = match (args.via, address) {
        (Some(Via::SessionManager), _) => in_session,
        (Some(Via::Address), Some(address)) => Door::Address(address),
        (Some(Via::Address), None) => return Err(no_address(machine)),
        (None, Some(address)) if open => Door::Address(address),
        (None, _) => in_session,
    };
    Ok(Route {
        instance: machine.instance.id.clone(),
        user: args.user.clone().unwrap_or_else(|| image_user(cluster.image.os).to_owned()),
        identity: args.identity.clone(),
        door,
        aws: AwsCli { region: cluster.region.to_string(), profile: global.profile.clone() },
    })
}

/// Whether the machine knows a key, and whether the cluster file opens SSH on its own address. Login nodes are
/// reached through their load balancer, compute nodes from within.
fn access(cluster: &Cluster, machine: &Machine) -> (bool, bool) {
    match machine.role {
        Role::Head => (cluster.head_node.key_name.is_some(), !cluster.head_node.ssh_from.is_empty()),
        Role::Login => (login_pool(cluster, machine).is_some_and(|pool| pool.key_name.is_some()), false),
        Role::Compute => (false, false),
    }
}

/// The pool of a login node.
pub fn login_pool<'c>(cluster: &'c Cluster, machine: &Machine) -> Option<&'c LoginPool> {
    cluster.login_nodes.iter().find(|pool| machine.login_pool() == Some(pool.name.as_str()))
}

/// The failure that a machine has no public address.
pub fn no_address(machine: &Machine) -> Failure {
    let message = format!("{} ({}) has no public address", machine.name, machine.instance.id);
    Failure::new("HPC2086", message, "use --via session-manager", exit::ERROR)
}

/// Refuses to run what leads to a machine where there are none.
pub fn no_sandbox(global: &Global) -> Result<(), Failure> {
    if global.cloud == CloudChoice::Aws {
        return Ok(());
    }
    let message = "the sandbox runs no machines that one could log in to";
    Err(Failure::new(
        "HPC2086",
        message,
        "--print shows the command that a cluster on AWS would get; `hpcctl apply FILE --cloud sandbox --with-slurm` starts machines",
        exit::ERROR,
    ))
}
