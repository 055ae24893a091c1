//! The command line itself.

use super::{output::Output, signals::Signals};
use crate::report::errors::{Failure, exit};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{path::PathBuf, process::ExitCode};

/// Infrastructure as code for Slurm clusters on AWS: one YAML file, a plan you can trust.
#[derive(Debug, Parser)]
#[command(name = "hpcctl", version, long_version = super::about::long_version(), about, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Which cloud to speak to
    #[arg(long, global = true, value_enum, env = "HPCCTL_CLOUD", default_value_t = CloudChoice::Aws, help_heading = "Global options")]
    pub cloud: CloudChoice,
    /// A profile of ~/.aws/config
    #[arg(long, global = true, env = "AWS_PROFILE", help_heading = "Global options")]
    pub profile: Option<String>,
    /// The region, where no cluster file names it
    #[arg(long, global = true, env = "AWS_REGION", help_heading = "Global options")]
    pub region: Option<String>,
    /// Certificates to trust instead of the system's (PEM)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub ca_file: Option<PathBuf>,
    /// The sandbox's state
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "HPCCTL_SANDBOX_STATE",
        default_value = ".hpcctl/sandbox.json",
        help_heading = "Global options"
    )]
    pub sandbox_state: PathBuf,
    /// Say only what was asked for
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Say everything
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub verbose: bool,
    /// Colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Global options")]
    pub color: Color,
    /// Whether the command skips the sandbox's time instead of waiting, even while a rehearsal runs.
    #[arg(skip)]
    pub hurried: bool,
    /// Who hears of signals.
    #[arg(skip)]
    pub signals: Signals,
}

impl Global {
    /// The same, for a command that skips the sandbox's time.
    pub fn hurried(&self) -> Self {
        Self { hurried: true, ..self.clone() }
    }
}

/// Which cloud to speak to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CloudChoice {
    /// Amazon Web Services, or an emulator at AWS_ENDPOINT_URL
    Aws,
    /// An in-process control plane: no account, no network
    Sandbox,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented cluster file to begin with
    Init(super::init::InitArgs),
    /// Check cluster files: every mistake at once, each with its place
    Validate(super::findings::ValidateArgs),
    /// Print the JSON schema of cluster files
    Schema(super::findings::SchemaArgs),
    /// Explain a code such as HPC1034
    Explain(super::findings::ExplainArgs),
    /// Write every template and node file
    Render(super::render::RenderArgs),
    /// Print the stacks and what flows between them
    Graph(super::graph::GraphArgs),
    /// Show what apply would do
    Plan(super::plan::PlanArgs),
    /// Show a saved plan
    Show(super::show::ShowArgs),
    /// Make the cluster as its file, or a saved plan, says
    Apply(super::apply::ApplyArgs),
    /// Show what is there
    Status(super::status::StatusArgs),
    /// List the clusters of account and region
    List(super::list::ListArgs),
    /// List the revisions of a cluster
    History(super::history::HistoryArgs),
    /// Export a file system to S3 and wait for the end
    ExportFsx(super::export::TransferArgs),
    /// Read names and attributes of new objects from S3 into a file system
    ImportFsx(super::export::TransferArgs),
    /// Log in to the head node, or another one, or run a command there
    Ssh(super::ssh::SshArgs),
    /// Open the desktop of the head node, or of a login node
    Dcv(super::dcv::DcvArgs),
    /// Show the logs of the cluster's nodes
    Logs(super::logs::LogsArgs),
    /// Drain or resume a queue
    Queue(super::orders::QueueArgs),
    /// Stop or start all compute nodes
    Fleet(super::orders::FleetArgs),
    /// Interrupt spot nodes on purpose, with AWS Fault Injection Service
    Interrupt(super::interrupt::InterruptArgs),
    /// The accounting database
    Accounting(super::accounting::AccountingArgs),
    /// Delete the cluster; data is exported first
    Destroy(super::destroy::DestroyArgs),
    /// Show or release the lock of a cluster
    #[command(subcommand)]
    Lock(super::lock::LockCommand),
    /// The rehearsal that `apply --with-slurm` started
    Rehearsal(super::rehearsal::RehearsalArgs),
    /// The rights that hpcctl needs
    Iam(super::iam::IamArgs),
    /// Facts about instance types
    Catalog(super::catalog::CatalogArgs),
    /// The programs that run on the cluster's own nodes
    Node(super::node::NodeArgs),
    /// Print what a shell needs to complete commands and options
    Completions(super::about::CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(super::about::ManArgs),
}

/// Runs a command; gives the exit code.
pub fn run(mut cli: Cli, signals: Signals) -> ExitCode {
    cli.global.signals = signals;
    let mut output = Output::new(&cli.global);
    let result = dispatch(&cli, &mut output);
    let told = |failure: Failure| {
        output.failure(&failure);
        failure.exit
    };
    let code = result.unwrap_or_else(told);
    let lost = output.lost().map(told);
    ExitCode::from(if code == exit::OK { lost.unwrap_or(code) } else { code })
}

fn dispatch(cli: &Cli, output: &mut Output) -> Result<u8, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => super::init::init(args, output),
        Command::Validate(args) => super::findings::validate(args, output),
        Command::Schema(args) => super::findings::schema(args, output),
        Command::Explain(args) => super::findings::explain(args, output),
        Command::Render(args) => super::render::render(args, output),
        Command::Graph(args) => super::graph::graph(args, output),
        Command::Plan(args) => super::plan::plan(args, global, output),
        Command::Show(args) => super::show::show(args, output),
        Command::Apply(args) => super::apply::apply(args, global, output),
        Command::Status(args) => super::status::status(args, global, output),
        Command::List(args) => super::list::list(args, global, output),
        Command::History(args) => super::history::history(args, global, output),
        Command::ExportFsx(args) => super::export::export(args, global, output),
        Command::ImportFsx(args) => super::export::import(args, global, output),
        Command::Ssh(args) => super::ssh::ssh(args, global, output),
        Command::Dcv(args) => super::dcv::dcv(args, global, output),
        Command::Logs(args) => super::logs::logs(args, global, output),
        Command::Queue(args) => super::orders::queue(args, global, output),
        Command::Fleet(args) => super::orders::fleet(args, global, output),
        Command::Interrupt(args) => super::interrupt::interrupt(args, global, output),
        Command::Accounting(args) => super::accounting::accounting(args, global, output),
        Command::Destroy(args) => super::destroy::destroy(args, global, output),
        Command::Lock(command) => super::lock::lock(command, global, output),
        Command::Rehearsal(args) => super::rehearsal::rehearsal(args, global, output),
        Command::Iam(args) => super::iam::iam(args, output),
        Command::Catalog(args) => super::catalog::catalog(args, global, output),
        Command::Node(args) => super::node::node(args, global, output),
        Command::Completions(args) => super::about::completions(args, output),
        Command::Man(args) => super::about::man(args, output),
    }
}
