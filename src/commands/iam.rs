//! `iam`.

use super::{load::load, output::Output};
use crate::{
    cloud::rights::{self, Purpose, Scope},
    model::{Graph, names},
    report::errors::{Failure, exit},
    spec::{Cluster, NamedKind, NodeIam, named},
};
use clap::{Args, Subcommand, ValueEnum};
use std::{collections::BTreeSet, path::PathBuf};

/// Options of `iam`.
#[derive(Debug, Args)]
pub struct IamArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the least policy for who plans, applies or operates
    Policy(PolicyArgs),
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// For what
    #[arg(value_enum)]
    purpose: Wish,
    /// The cluster; without it the policy holds for every cluster
    file: Option<PathBuf>,
    /// The account; without it the policy holds in every account
    #[arg(long, value_name = "NUMBER")]
    account: Option<String>,
    /// Print this one of the documents of which each fits into a managed policy, from 1
    #[arg(long, value_name = "NUMBER")]
    part: Option<usize>,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wish {
    /// To look: plan, status, list, history
    Plan,
    /// To build: apply and destroy, with all that a plan looks at
    Apply,
    /// To use: export-fsx, logs, queue, fleet, interrupt
    Operate,
}

/// Prints a policy.
pub fn iam(args: &IamArgs, output: &mut Output) -> Result<u8, Failure> {
    let Command::Policy(args) = &args.command;
    let purpose = match args.purpose {
        Wish::Plan => Purpose::Plan,
        Wish::Apply => Purpose::Apply,
        Wish::Operate => Purpose::Operate,
    };
    let account = args.account.as_deref().unwrap_or("*");
    let scope = match &args.file {
        Some(file) => {
            let loaded = load(file, output)?;
            for profile in profiles(&loaded.cluster) {
                output.note(&format!("the role in {profile} is taken to have the profile's name: see that it has"));
            }
            scope(&loaded.cluster, &loaded.graph, account)
        }
        None => Scope::everywhere(account),
    };
    let parts = rights::documents(purpose, &scope);
    let count = parts.len();
    let document = match args.part {
        None => {
            if count > 1 {
                output.note(&format!(
                    "this is too long for one managed policy ({} characters): `--part 1` to `--part {count}` give documents that fit",
                    rights::MANAGED_POLICY
                ));
            }
            rights::policy(purpose, &scope)
        }
        Some(part) => parts.into_iter().nth(part.wrapping_sub(1)).ok_or_else(|| {
            let message = format!("there is no part {part}: the policy has {count}");
            Failure::new("HPC2005", message, format!("give a number from 1 to {count}"), exit::ERROR)
        })?,
    };
    output.data(&format!("{document:#}\n"));
    Ok(exit::OK)
}

/// Where the policy of a cluster holds.
pub fn scope(cluster: &Cluster, graph: &Graph, account: &str) -> Scope {
    let things = named(cluster);
    let of = |kind: NamedKind| things.iter().filter(|one| one.kind == kind).map(|one| one.id.clone()).collect();
    let made = graph.stacks.iter().flat_map(|stack| stack.resources.values()).map(|resource| resource.kind.to_owned());
    let kept = Scope::everywhere(account);
    Scope {
        region: cluster.region.to_string(),
        cluster: cluster.name.to_string(),
        iam_path: names::iam_path(cluster),
        buckets: of(NamedKind::Bucket),
        keys: of(NamedKind::Key),
        secrets: of(NamedKind::Secret),
        passed: passed(cluster),
        types: made.chain(Scope::bootstrap_types()).collect(),
        ..kept
    }
}

/// The rights of nodes that the file says something about.
fn of_nodes(cluster: &Cluster) -> impl Iterator<Item = &NodeIam> {
    let logins = cluster.login_nodes.iter().filter_map(|pool| pool.iam.as_ref());
    let queues = cluster.queues.iter().filter_map(|queue| queue.iam.as_ref());
    cluster.head_node.iam.iter().chain(logins).chain(queues)
}

/// Instance profiles that the file brings, without a word of the role in them.
fn profiles(cluster: &Cluster) -> BTreeSet<&str> {
    let alone = of_nodes(cluster).filter(|iam| iam.role.is_none());
    alone.filter_map(|iam| iam.instance_profile.as_ref()).map(|profile| profile.as_str()).collect()
}

/// Roles that the file brings: who applies hands them to EC2. That of a profile has its name by custom, with or without its
/// path.
fn passed(cluster: &Cluster) -> BTreeSet<String> {
    let roles = of_nodes(cluster).filter_map(|iam| iam.role.as_ref()).map(ToString::to_string);
    let of_profile = |profile: &str| {
        let with_path = profile.replacen(":instance-profile/", ":role/", 1);
        let name = profile.rsplit('/').next().unwrap_or_default();
        let without = with_path.split(":role/").next().map(|account| format!("{account}:role/{name}"));
        without.into_iter().chain([with_path])
    };
    roles.chain(profiles(cluster).into_iter().flat_map(of_profile)).collect()
}
