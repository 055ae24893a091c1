//! `dcv`.

use super::{
    cli::Global,
    external,
    load::checked,
    output::Output,
    ssh::{self, Via, WayArgs},
};
use crate::{
    operate::{self, Machine, Role, TICKET_COMMAND, Ticket, shell_words},
    report::errors::{Failure, exit},
    spec::{Cluster, Dcv},
};
use clap::Args;
use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::Child,
    time::Duration,
};

/// How often to try a tunnel, and the pause between.
const TRIES: (u32, Duration) = (150, Duration::from_millis(200));

/// Options of `dcv`.
#[derive(Debug, Args)]
pub struct DcvArgs {
    /// The cluster file
    file: PathBuf,
    /// The node: `head`, `login`, `login-POOL`, or an instance id
    #[arg(default_value = "head")]
    node: String,
    #[command(flatten)]
    way: WayArgs,
    /// The port of this machine that leads to the desktop through Session Manager; default: the desktop's own, or
    /// another when that is taken
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    local_port: Option<u16>,
    /// Print the commands instead of running them
    #[arg(long, conflicts_with = "open")]
    print: bool,
    /// Open the address in a browser
    #[arg(long)]
    open: bool,
}

/// Prints an address that opens the desktop once, and holds the way there open.
pub fn dcv(args: &DcvArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let machine = ssh::machine(&cluster, &args.node, global)?;
    let desktop = desktop(&cluster, &machine)?;
    let route = ssh::route(&cluster, &machine, &args.way, global)?;
    let ask = route.words(&TICKET_COMMAND.map(str::to_owned));
    let address = address(desktop, &machine, args.way.via)?;
    let tunnel = address.is_none().then(|| local_port(args, desktop)).transpose()?;
    let tunnel = tunnel.map(|port| (port, route.tunnel(port, desktop.port)));
    if args.print {
        let lines = tunnel.iter().map(|(_, words)| words).chain([&ask]);
        output.data(&lines.map(|words| shell_words(words) + "\n").collect::<String>());
        return Ok(exit::OK);
    }
    ssh::no_sandbox(global)?;
    external::need(&ask)?;
    match (address, tunnel) {
        (Some(host), _) => {
            let ticket = ticket(&ask)?;
            show(&operate::url(&host, desktop.port, &ticket), args, output)?;
        }
        (None, Some((port, words))) => through(port, &words, &ask, args, output)?,
        (None, None) => {}
    }
    Ok(exit::OK)
}

/// Opens the tunnel, shows the address, and stays until the tunnel ends.
fn through(port: u16, tunnel: &[String], ask: &[String], args: &DcvArgs, output: &mut Output) -> Result<(), Failure> {
    external::need(tunnel)?;
    let mut child = external::start(tunnel)?;
    let shown = await_port(port, &mut child)
        .and_then(|()| ticket(ask))
        .and_then(|ticket| show(&operate::url("localhost", u32::from(port), &ticket), args, output));
    if let Err(failure) = shown {
        child.kill().ok();
        child.wait().ok();
        return Err(failure);
    }
    output.note("the way is open until you press Ctrl-C");
    child.wait().map(drop).map_err(|error| no_tunnel(port, &error.to_string()))
}

/// The desktop of a machine, as the cluster file has it.
fn desktop<'c>(cluster: &'c Cluster, machine: &Machine) -> Result<&'c Dcv, Failure> {
    let (dcv, place) = match machine.role {
        Role::Head => (cluster.head_node.dcv.as_ref(), "head_node"),
        Role::Login => (ssh::login_pool(cluster, machine).and_then(|pool| pool.dcv.as_ref()), "login_nodes"),
        Role::Compute => (None, "head_node"),
    };
    dcv.ok_or_else(|| {
        let message = format!("{} has no desktop", machine.name);
        Failure::new("HPC2087", message, format!("give `{place}` a `dcv` section and apply"), exit::ERROR)
    })
}

/// The machine's own address, where the desktop is open on it and wanted by it.
fn address(desktop: &Dcv, machine: &Machine, via: Option<Via>) -> Result<Option<String>, Failure> {
    let public = machine.instance.public_ip.clone();
    match via {
        Some(Via::SessionManager) => Ok(None),
        Some(Via::Address) => public.map(Some).ok_or_else(|| ssh::no_address(machine)),
        None => Ok(public.filter(|_| !desktop.allowed_from.is_empty())),
    }
}

/// A port of this machine that is free.
fn local_port(args: &DcvArgs, desktop: &Dcv) -> Result<u16, Failure> {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    let found = match args.local_port {
        Some(port) => free(port),
        None => u16::try_from(desktop.port).map_or_else(|_| free(0), |port| free(port).or_else(|_| free(0))),
    };
    found.map(|address| address.port()).map_err(|error| no_tunnel(args.local_port.unwrap_or(0), &error.to_string()))
}

fn ticket(ask: &[String]) -> Result<Ticket, Failure> {
    let said = external::run(ask)?;
    operate::ticket(&said).ok_or_else(|| {
        let message = "the node gave no ticket to its desktop";
        Failure::new("HPC2087", message, "its set-up may not be done: see /var/log/hpcctl-boot.log there", exit::ERROR)
    })
}

fn show(url: &str, args: &DcvArgs, output: &mut Output) -> Result<(), Failure> {
    output.note("good for two minutes; the browser warns of a certificate that the node made itself");
    output.data(&format!("{url}\n"));
    if args.open {
        let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        external::run(&[program.to_owned(), url.to_owned()])?;
    }
    Ok(())
}

fn await_port(port: u16, child: &mut Child) -> Result<(), Failure> {
    for _ in 0..TRIES.0 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(no_tunnel(port, &format!("the session ended with {status}")));
        }
        std::thread::sleep(TRIES.1);
    }
    Err(no_tunnel(port, "nothing answers"))
}

fn no_tunnel(port: u16, why: &str) -> Failure {
    let message = format!("failed to open a way from port {port} of this machine: {why}");
    Failure::new(
        "HPC2086",
        message,
        "choose another with --local-port, and see that `hpcctl ssh FILE` works",
        exit::ERROR,
    )
}
