//! `apply --with-slurm`, and `rehearsal`.

use super::{
    cli::{CloudChoice, Global},
    cloud::{on_cloud, runtime},
    load::checked,
    output::Output,
};
use crate::{
    cloud::sandbox::{Database, INSTANCE_VARIABLE, Sandbox},
    model::image_user,
    operate::{self, Role},
    rehearsal::{self, Needs, Place, Started, Vpc},
    render::packaged_slurm,
    report::errors::{Failure, exit},
    spec::Cluster,
};
use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a head node may take to set itself up.
const SETUP: Duration = Duration::from_secs(180);

/// Options of `rehearsal`.
#[derive(Debug, Args)]
pub struct RehearsalArgs {
    #[command(subcommand)]
    command: RehearsalCommand,
}

#[derive(Debug, Subcommand)]
enum RehearsalCommand {
    /// Say what runs
    Status,
    /// End it with all its machines; the sandbox keeps what it knows
    Stop,
    /// The VPC from within
    #[command(hide = true)]
    Run {
        /// The administrator of the image
        #[arg(long)]
        user: String,
        /// Host, user and secret of a database server that the cluster file takes for granted
        #[arg(long, num_args = 3, value_names = ["HOST", "USER", "SECRET"])]
        database: Option<Vec<String>>,
    },
    /// The AWS CLI of a machine
    #[command(hide = true)]
    Aws {
        /// What the AWS CLI is given
        #[arg(last = true)]
        words: Vec<String>,
    },
}

/// Tells of a rehearsal, or ends it.
pub fn rehearsal(args: &RehearsalArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let place = Place::of(&global.sandbox_state);
    match &args.command {
        RehearsalCommand::Status => status(&place, global, output),
        RehearsalCommand::Stop => {
            let words = if rehearsal::stop(&place)? { "the rehearsal has ended" } else { "no rehearsal runs" };
            account(global, "us-east-1")?;
            output.note(words);
            Ok(exit::OK)
        }
        RehearsalCommand::Run { user, database } => run(place, user, database.as_deref(), global, output),
        RehearsalCommand::Aws { words } => {
            let sandbox = Sandbox::open(&global.sandbox_state, global.region.as_deref().unwrap_or("us-east-1"))?;
            let body = runtime()?.block_on(rehearsal::call(&sandbox, words))?;
            output.bytes(&body);
            Ok(exit::OK)
        }
    }
}

fn status(place: &Place, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    if !place.runs() {
        return Err(rehearsal::RehearsalError::NotRunning.into());
    }
    let mut text = format!("Rehearsal in {}\n\n", place.directory.display());
    for machine in account(global, "us-east-1")?.machines()? {
        let tag = |name: &str| machine.tags.get(name).map_or("", String::as_str);
        let name = if tag("hpcctl:node").is_empty() { tag("Name") } else { tag("hpcctl:node") };
        let ends = machine.ends.map(|at| format!("  EC2 takes it back at {at}")).unwrap_or_default();
        text.push_str(&format!(
            "  {}  {:<12} {:<14} {name}{ends}\n",
            machine.id, machine.address, machine.instance_type
        ));
    }
    output.data(&text);
    Ok(exit::OK)
}

fn run(
    place: Place,
    user: &str,
    database: Option<&[String]>,
    global: &Global,
    output: &mut Output,
) -> Result<u8, Failure> {
    let program = place.file("hpcctl");
    let database = match database {
        Some([host, user, secret]) => Some(Database { host: host.clone(), user: user.clone(), secret: secret.clone() }),
        _ => None,
    };
    let sandbox = Sandbox::open(&global.sandbox_state, "us-east-1")?;
    let vpc = Vpc { place, program, user: user.to_owned(), database };
    runtime()?.block_on(rehearsal::run(vpc, sandbox, |words| output.note(words)))?;
    Ok(exit::OK)
}

/// The account that a command works on. Time is real only while a rehearsal runs, however it ended.
pub fn account(global: &Global, region: &str) -> Result<Sandbox, Failure> {
    let place = Place::of(&global.sandbox_state);
    let on_a_machine = std::env::var_os(INSTANCE_VARIABLE).is_some();
    if place.is_closed() {
        return Err(rehearsal::RehearsalError::NotRoot.into());
    }
    let ended = !on_a_machine && !place.runs();
    if ended {
        place.give_state_back()?;
    }
    let sandbox = Sandbox::open(&global.sandbox_state, region)?;
    if ended {
        sandbox.virtual_time()?;
    }
    Ok(if global.hurried { sandbox.hurried() } else { sandbox })
}

/// The place of the rehearsal that runs.
pub fn running(global: &Global) -> Option<Place> {
    let place = Place::of(&global.sandbox_state);
    (global.cloud == CloudChoice::Sandbox && place.runs()).then_some(place)
}

/// Whether this cluster can be rehearsed here.
pub fn possible(target: &Path, is_plan: bool, global: &Global, output: &Output) -> Result<(), Failure> {
    let refused = |message: &str, remedy: &str| Err(Failure::new("HPC2095", message, remedy, exit::ERROR));
    if global.cloud != CloudChoice::Sandbox {
        return refused("only the sandbox is rehearsed", "add --cloud sandbox");
    }
    if is_plan {
        return refused("a saved plan does not say what is to be rehearsed", "give the cluster file");
    }
    let (_, cluster) = checked(target, output)?;
    Ok(rehearsal::check(&needs(&cluster))?)
}

fn needs(cluster: &Cluster) -> Needs {
    let slurm = packaged_slurm(&cluster.image).unwrap_or("one of its own").to_owned();
    Needs { slurm: Some(slurm), accounting: cluster.accounting.is_some() }
}

/// Starts the rehearsal of a cluster that was applied, and says how to go on.
pub fn begin(file: &Path, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(file, output)?;
    let place = Place::of(&global.sandbox_state);
    let program = std::env::current_exe().map_err(|error| Failure::file(Path::new("/proc/self/exe"), &error))?;
    let user = image_user(cluster.image.os);
    let vpc = Vpc { place, program, user: user.to_owned(), database: None };
    let started = rehearsal::start(&vpc, &words(&cluster, user, global))?;
    let name = cluster.name.as_str().to_owned();
    let head = on_cloud(global, Some(cluster.region.as_str()), |cloud, _| async move {
        let machines = operate::machines(&name, cloud.compute.instances_of(&name).await?);
        Ok(machines.into_iter().find(|machine| machine.role == Role::Head))
    })?;
    let Some(head) = head else { return Ok(exit::OK) };
    output.note("the head node sets itself up");
    rehearsal::head_is_up(&vpc.place, &head.instance.id, SETUP)?;
    let state = match started {
        Started::Now => "runs",
        Started::Before => "runs as before",
    };
    output.data(&format!("\nThe rehearsal {state}; its logs are in {}.\n", vpc.place.directory.display()));
    let file = operate::shell_words(&[file.display().to_string()]);
    output.data(&format!(
        "  hpcctl ssh {file} --cloud sandbox                   a shell on the head node\n  \
         hpcctl ssh {file} --cloud sandbox -- sbatch job.sh  a command there\n  \
         hpcctl interrupt {file} QUEUE --cloud sandbox       EC2 takes a spot node back\n  \
         hpcctl destroy {file} --cloud sandbox               the end\n"
    ));
    Ok(exit::OK)
}

/// The words that call `rehearsal run`.
fn words(cluster: &Cluster, user: &str, global: &Global) -> Vec<String> {
    let state = std::path::absolute(&global.sandbox_state).unwrap_or_else(|_| PathBuf::from(&global.sandbox_state));
    let mut words = ["--cloud", "sandbox", "--sandbox-state"].map(str::to_owned).to_vec();
    words.push(state.display().to_string());
    words.extend(["rehearsal", "run", "--user", user].map(str::to_owned));
    if let Some(external) = cluster.accounting.as_ref().and_then(|accounting| accounting.external.as_ref()) {
        words.push("--database".to_owned());
        words.extend([external.host.to_string(), external.user.clone(), external.password_secret.to_string()]);
    }
    words
}

/// Ends the rehearsal when there is nothing left to rehearse.
pub fn end_if_empty(global: &Global, region: &str, output: &mut Output) -> Result<(), Failure> {
    let Some(place) = running(global) else { return Ok(()) };
    if account(global, region)?.machines()?.is_empty() && rehearsal::stop(&place)? {
        place.forget();
        account(global, region)?;
        output.note("the rehearsal has ended");
    }
    Ok(())
}
