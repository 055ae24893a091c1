//! `accounting`.

use super::{cli::Global, cloud::on_cloud, load::checked, output::Output};
use crate::{
    operate,
    report::{
        errors::{Failure, exit},
        operate as words,
    },
    spec::Cluster,
};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Options of `accounting`.
#[derive(Debug, Args)]
pub struct AccountingArgs {
    #[command(subcommand)]
    command: AccountingCommand,
}

#[derive(Debug, Subcommand)]
enum AccountingCommand {
    /// Print the SQL that gives slurmdbd its database and user on a server that exists
    Grant(GrantArgs),
}

#[derive(Debug, Args)]
struct GrantArgs {
    /// The cluster file
    file: PathBuf,
    /// From where slurmdbd connects: an address, a CIDR block, or a pattern with `%`; default: the head node's subnet
    #[arg(long, value_name = "HOST")]
    from: Option<String>,
}

/// Works on the accounting database.
pub fn accounting(args: &AccountingArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let AccountingCommand::Grant(args) = &args.command;
    let (_, cluster) = checked(&args.file, output)?;
    let Some(accounting) = &cluster.accounting else {
        let message = "the cluster file has no `accounting`";
        return Err(Failure::new("HPC2007", message, "add `accounting.external` or `accounting.rds`", exit::ERROR));
    };
    if accounting.external.is_none() {
        output.note("nothing to do: the head node makes user and grant in the database that hpcctl creates");
        return Ok(exit::OK);
    }
    let from = match &args.from {
        Some(from) => from.clone(),
        None => head_subnet(&cluster, global)?,
    };
    if let Some(grant) = operate::grant(accounting, &from) {
        output.data(&words::grant(&grant));
    }
    Ok(exit::OK)
}

/// The addresses that the head node can have: a new one must be able to connect as the old one did.
fn head_subnet(cluster: &Cluster, global: &Global) -> Result<String, Failure> {
    if let Some(create) = &cluster.network.create {
        return Ok(create.cidr.to_string());
    }
    let subnet = cluster.head_node.subnet.as_ref().or(cluster.network.head_node_subnet.as_ref());
    let subnet: Vec<String> = subnet.iter().map(ToString::to_string).collect();
    let found = on_cloud(global, Some(cluster.region.as_str()), |cloud, _| async move {
        Ok(cloud.compute.subnets(&subnet).await?)
    })?;
    found.into_iter().next().map(|subnet| subnet.cidr).ok_or_else(|| {
        let message = "the head node's subnet is not known";
        Failure::new("HPC2007", message, "say from where slurmdbd connects with --from", exit::ERROR)
    })
}
