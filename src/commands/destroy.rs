//! `destroy`.

use super::{
    apply::{Manner, bury_lock, carry_out, named},
    approve::{Approval, approve},
    cli::Global,
    cloud::on_cloud,
    history,
    load::{self, target},
    lock::{Patience, settled},
    obstacles,
    output::{Output, ProgressFormat},
    plan::{PlanFormat, show},
};
use crate::{
    apply::Stop,
    cloud::Cloud,
    model::names,
    observe::{self, Wanted},
    plan::{self, DestroyOptions, Source},
    render::sha256,
    report::errors::{Failure, exit},
    spec::{Cluster, Document, OnDestroy},
};
use clap::Args;
use std::path::PathBuf;

/// Options of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// The cluster file, or the cluster's name with --region: then its newest revision says what it says
    file: PathBuf,
    #[command(flatten)]
    approval: Approval,
    /// Do not export this file system (its name in the cluster file) before it is deleted
    #[arg(long, value_name = "NAME")]
    discard: Vec<String>,
    /// Only show the plan
    #[arg(long)]
    plan_only: bool,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = ProgressFormat::Text)]
    progress: ProgressFormat,
    #[command(flatten)]
    patience: Patience,
}

/// Deletes the cluster.
pub fn destroy(args: &DestroyArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let load::Target { name, region, file } = target(&args.file, global, output)?;
    let global = &global.hurried();
    let (told, cluster) = (&mut *output, name.clone());
    let code = on_cloud(global, Some(&region), |cloud, stop| async move {
        let ran = async {
            let doomed = match &file {
                Some((document, cluster)) => Doomed::of(document, cluster),
                None => archived(&cloud, &name, told).await?,
            };
            run(args, cloud.clone(), stop, doomed, told).await
        };
        let ran = ran.await;
        named(&cloud, &cluster, ran).await
    })?;
    super::rehearsal::end_if_empty(global, &region, output)?;
    Ok(code)
}

/// What is known of a cluster that goes.
struct Doomed {
    name: String,
    region: String,
    source: Source,
    /// File systems whose data the cluster file itself gives up.
    discarded: Vec<String>,
    role_path: String,
}

impl Doomed {
    fn of(document: &Document, cluster: &Cluster) -> Self {
        let (name, text) = (document.name.clone(), document.text.clone());
        Self {
            name: cluster.name.to_string(),
            region: cluster.region.to_string(),
            source: Source { name, sha256: sha256(&text), text },
            discarded: discarded(cluster),
            role_path: names::iam_path(cluster),
        }
    }
}

/// What the newest revision says of a cluster. Without an archive, which goes last but for the lock, its name says the rest:
/// what is left is found by tags.
async fn archived(cloud: &Cloud, name: &str, output: &Output) -> Result<Doomed, Failure> {
    let region = cloud.region.as_str();
    let bucket = history::bucket(cloud).await?;
    let there = cloud.objects.bucket_exists(&bucket).await?;
    let newest = if there { history::newest_file(cloud, &bucket, name).await? } else { None };
    let Some((text, called)) = newest else {
        output.note(&format!("{name} has no archive in {region}: what is left of it is found by its tags"));
        let source = Source { name: name.to_owned(), sha256: sha256(""), text: String::new() };
        let role_path = format!("{}{name}/", names::IAM_PATH);
        return Ok(Doomed {
            name: name.to_owned(),
            region: region.to_owned(),
            source,
            discarded: Vec::new(),
            role_path,
        });
    };
    let loaded = load::from_text(&called, text, output)?;
    history::of_this_cluster(&loaded, &called, name, region)?;
    Ok(Doomed::of(&loaded.document, &loaded.cluster))
}

async fn run(args: &DestroyArgs, cloud: Cloud, stop: Stop, doomed: Doomed, output: &mut Output) -> Result<u8, Failure> {
    let Doomed { name, region, source, discarded, role_path } = doomed;
    let look = || async { Ok(observe::observe(&cloud, &name, &Wanted::default()).await?) };
    let mut others = args.patience.begins(&cloud);
    let live = settled(&cloud, &stop, output, &mut others, look).await?;
    let options =
        DestroyOptions { discard: args.discard.clone(), discarded_by_file: discarded, role_path: Some(role_path) };
    let plan = plan::destroy(&name, &region, source, &live, &options)?;
    output.data(&show(&plan, args.format, output));
    obstacles::refuse(&cloud, &plan, &live).await?;
    if plan.is_empty() && !args.plan_only {
        bury_lock(&cloud, &plan, output).await;
    }
    if plan.is_empty() || args.plan_only {
        return Ok(exit::OK);
    }
    approve(&plan, &args.approval, output)?;
    let manner = Manner { progress: args.progress, wait: false, jobs_minutes: None, others };
    carry_out(&cloud, stop, &plan, manner, output).await
}

/// File systems whose data the cluster file itself gives up.
fn discarded(cluster: &Cluster) -> Vec<String> {
    let gives_up = |storage: &&crate::spec::Storage| {
        storage.fsx_lustre.as_ref().is_some_and(|lustre| lustre.on_destroy == Some(OnDestroy::Discard))
    };
    cluster.storage.iter().filter(gives_up).map(|storage| storage.name.as_str().to_owned()).collect()
}
