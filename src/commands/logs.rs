//! `logs`.

use super::{cli::Global, cloud::on_cloud, interrupt::queue_exists, load::checked, output::Output};
use crate::{
    apply::Stop,
    cloud::{Cloud, CloudKind, LogEvent, LogQuery, Timestamp},
    model::names,
    operate::{self, Logged, Role},
    report::{
        errors::{Failure, exit},
        operate as words,
    },
    spec::Cluster,
};
use clap::Args;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::PathBuf,
    time::Duration,
};

/// Between looks for new lines.
const LOOK: Duration = Duration::from_secs(3);
/// So many seconds late may a line be that CloudWatch shows.
const LATE: i64 = 60;

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The cluster file
    file: PathBuf,
    /// Only this node, by name or instance id; an instance id is good for nodes that are gone, too
    #[arg(long, value_name = "NAME", conflicts_with_all = ["head", "login", "queue"])]
    node: Option<String>,
    /// Only the head node
    #[arg(long, conflicts_with_all = ["login", "queue"])]
    head: bool,
    /// Only login nodes
    #[arg(long, conflicts_with = "queue")]
    login: bool,
    /// Only the nodes that a queue has now
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// How far back: 90s, 15m, 1h, 2d
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span)]
    since: i64,
    /// Only lines that fit a filter pattern of CloudWatch, such as `error` or `"slurmctld version"`
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Go on with new lines until interrupted
    #[arg(long, short)]
    follow: bool,
    /// The most lines; the newest are shown
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

fn span(text: &str) -> Result<i64, String> {
    operate::ago(text).ok_or_else(|| "not a number with `s`, `m`, `h` or `d`, such as `15m`".to_owned())
}

/// Shows the logs of nodes.
pub fn logs(args: &LogsArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    if !cluster.monitoring.logs.enabled {
        let message = "the cluster keeps no logs: `monitoring.logs.enabled` is false";
        return Err(Failure::new("HPC2007", message, "remove the key and apply; or look on the nodes", exit::ERROR));
    }
    if let Some(queue) = &args.queue {
        queue_exists(&cluster, queue)?;
    }
    let region = cluster.region.as_str().to_owned();
    on_cloud(global, Some(&region), |cloud, stop| async move {
        let name = cluster.name.as_str();
        let machines = operate::machines(name, cloud.compute.instances_of(name).await?);
        let query = LogQuery {
            group: names::log_group(&cluster),
            streams: operate::streams(&machines, &logged(args))?,
            since: Timestamp(cloud.clock.now().0 - args.since),
            pattern: args.filter.clone(),
            limit: usize::try_from(args.limit).unwrap_or(usize::MAX),
        };
        let events = cloud.logs.events(&query).await?.ok_or_else(|| no_group(&cluster, &query.group))?;
        if cloud.kind == CloudKind::Sandbox {
            output.note("the sandbox runs no machines: nothing writes to its log groups");
            return Ok(exit::OK);
        }
        events.iter().for_each(|event| output.data(&words::log_line(event)));
        if args.follow { follow(&cloud, query, events, &stop, output).await } else { Ok(exit::OK) }
    })
}

fn logged(args: &LogsArgs) -> Logged {
    match (&args.node, &args.queue) {
        (Some(node), _) => Logged::Node(node.clone()),
        (_, Some(queue)) => Logged::Queue(queue.clone()),
        _ if args.head => Logged::Role(Role::Head),
        _ if args.login => Logged::Role(Role::Login),
        _ => Logged::All,
    }
}

fn no_group(cluster: &Cluster, group: &str) -> Failure {
    let message = format!("there is no log group `{group}` in {}", cluster.region);
    Failure::new("HPC2007", message, "apply the cluster file first, or check account and region", exit::ERROR)
}

/// Shows new lines, each once, until somebody interrupts.
async fn follow(
    cloud: &Cloud,
    mut query: LogQuery,
    shown: Vec<LogEvent>,
    stop: &Stop,
    output: &mut Output,
) -> Result<u8, Failure> {
    let mut seen: BTreeMap<String, i64> = shown.into_iter().map(|event| (event.id, event.millis)).collect();
    while !stop.is_set() && !output.closed {
        cloud.clock.sleep(LOOK).await;
        // What was shown is kept as long as it can come again.
        let newest = seen.values().max().map_or(query.since.0, |millis| millis.div_euclid(1000));
        query.since = Timestamp(query.since.0.max(newest - LATE));
        seen.retain(|_, millis| *millis >= query.since.0 * 1000);
        for event in cloud.logs.events(&query).await?.unwrap_or_default() {
            if let Entry::Vacant(unseen) = seen.entry(event.id.clone()) {
                output.data(&words::log_line(&event));
                unseen.insert(event.millis);
            }
        }
    }
    Ok(exit::OK)
}
