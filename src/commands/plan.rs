//! `plan`.

use super::{
    apply::named,
    cli::Global,
    cloud::on_cloud,
    history,
    load::{Loaded, load, load_for_cloud, write},
    lock, obstacles,
    output::Output,
    preflight::Preflight,
    preview,
};
use crate::{
    catalog::ResourceCatalog,
    check::Finding,
    cloud::{Cloud, ErrorKind, REGION_TAG},
    model::names,
    observe::{self, Live, Wanted},
    plan::{self, Desired, Plan},
    report::{
        errors::{Failure, exit},
        plan_json::plan_json,
        plan_markdown::plan_markdown,
        plan_text::{PlanView, plan_text},
    },
};
use clap::{Args, ValueEnum};
use std::{collections::BTreeSet, path::PathBuf};

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Cluster files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Save the plan, so that `apply` does exactly this
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ask no cloud: compare with nothing
    #[arg(long, conflicts_with = "to")]
    offline: bool,
    /// Go back to what the cluster file of this revision said (see `history`)
    #[arg(long, value_name = "REVISION")]
    to: Option<u64>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    /// Write the plan as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    json_into: Option<PathBuf>,
    /// Look for resources that were changed by hand (asks CloudFormation to look at each)
    #[arg(long)]
    drift: bool,
    /// Do not hold the plan against CloudFormation's own change sets
    #[arg(long)]
    no_change_sets: bool,
    #[command(flatten)]
    preflight: Preflight,
}

/// How to show a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people
    Text,
    /// The plan document
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Shows what apply would do.
pub fn plan(args: &PlanArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    if (args.out.is_some() || args.to.is_some()) && args.files.len() > 1 {
        return Err(Failure::new(
            "HPC2005",
            "`--out` and `--to` are for one cluster file",
            "plan one file at a time",
            exit::ERROR,
        ));
    }
    let mut changes = false;
    for file in &args.files {
        let (plan, found) = if args.offline {
            let loaded = load(file, output)?;
            (make(&loaded, &Live::default())?, loaded.warnings)
        } else {
            with_cloud(args, global, load_for_cloud(file, output)?, output)?
        };
        output.data(&match args.format {
            PlanFormat::Markdown => plan_markdown(&plan, &found),
            format => show(&plan, format, output),
        });
        for path in [&args.out, &args.json_into].into_iter().flatten() {
            write(path, &plan_json(&plan))?;
        }
        changes |= !plan.is_empty();
    }
    Ok(if changes && args.detailed_exitcode { exit::CHANGES } else { exit::OK })
}

fn with_cloud(
    args: &PlanArgs,
    global: &Global,
    mut loaded: Loaded,
    output: &Output,
) -> Result<(Plan, Vec<Finding>), Failure> {
    let region = loaded.graph.region.clone();
    let name = loaded.graph.cluster.clone();
    on_cloud(global, Some(&region), |cloud, _| async move {
        let made = async {
            if let Some(number) = args.to {
                loaded = history::back_to(&cloud, &loaded, number, output).await?;
            }
            let live = look(&cloud, &loaded, args.drift).await?;
            lock::tell(&live, &cloud, output);
            elsewhere(&cloud, &loaded, &live, output).await?;
            let found = args.preflight.run(&cloud, &mut loaded, &live, output).await?;
            let plan = if args.no_change_sets {
                make(&loaded, &live)?
            } else {
                preview::agreed(&cloud, &loaded, &live).await?
            };
            obstacles::refuse(&cloud, &plan, &live).await?;
            Ok((plan, found))
        };
        let made = made.await;
        named(&cloud, &name, made).await
    })
}

/// A cluster of this name that does not exist here may exist in another region: roles know it, which are one for all
/// regions. Then another `region` in the file made a second cluster of it.
pub async fn elsewhere(cloud: &Cloud, loaded: &Loaded, live: &Live, output: &Output) -> Result<(), Failure> {
    if !live.stacks.is_empty() {
        return Ok(());
    }
    let roles = match cloud.identity.roles(&names::iam_path(&loaded.cluster)).await {
        Ok(roles) => roles,
        // Who may not ask plans without.
        Err(error) if error.kind == ErrorKind::AccessDenied => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let told = roles.iter().filter_map(|role| role.tags.get(REGION_TAG)).filter(|region| **region != cloud.region);
    let regions: BTreeSet<&str> = told.map(String::as_str).collect();
    if !regions.is_empty() {
        let (name, list) = (&loaded.graph.cluster, regions.into_iter().collect::<Vec<_>>().join(", "));
        output.note(&format!(
            "a cluster {name} exists in {list}: this is a second one, in {}; the other stays as it is, and costs what it does",
            cloud.region
        ));
    }
    Ok(())
}

/// Looks at everything that a plan for this cluster file needs.
pub async fn look(cloud: &Cloud, loaded: &Loaded, drift: bool) -> Result<Live, Failure> {
    let wanted = Wanted::by(&loaded.graph, drift);
    Ok(observe::observe(cloud, &loaded.graph.cluster, &wanted).await?)
}

/// Makes the plan from a cluster file to what exists.
pub fn make(loaded: &Loaded, live: &Live) -> Result<Plan, Failure> {
    let desired = Desired { document: &loaded.document, graph: &loaded.graph, rendered: &loaded.rendered };
    Ok(plan::plan(&desired, live, &ResourceCatalog::embedded())?)
}

/// A plan in a format.
pub fn show(plan: &Plan, format: PlanFormat, output: &Output) -> String {
    match format {
        PlanFormat::Text => plan_text(plan, PlanView { paint: output.paint, verbose: output.verbose }),
        PlanFormat::Json => plan_json(plan),
        PlanFormat::Markdown => plan_markdown(plan, &[]),
    }
}
