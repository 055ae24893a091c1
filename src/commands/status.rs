//! `status`.

use super::{
    await_head,
    cli::Global,
    cloud::on_cloud,
    load::checked,
    output::{Output, ProgressFormat},
};
use crate::{
    observe::{self, Wanted},
    report::{
        errors::{Failure, exit},
        status::Status,
    },
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The cluster file
    file: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t = StatusFormat::Text)]
    format: StatusFormat,
    /// Wait first until the head node reports the newest revision
    #[arg(long)]
    wait: bool,
}

/// How to show a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Shows what is there.
pub fn status(args: &StatusArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (_, cluster) = checked(&args.file, output)?;
    let (name, region) = (cluster.name.as_str().to_owned(), cluster.region.as_str().to_owned());
    on_cloud(global, Some(&region.clone()), |cloud, stop| async move {
        if args.wait {
            await_head::newest(&cloud, &stop, &name, ProgressFormat::Text, output).await?;
        }
        let live = observe::observe(&cloud, &name, &Wanted { no_files: true, ..Wanted::default() }).await?;
        let rehearsal = super::rehearsal::running(global).map(|place| place.directory.display().to_string());
        let logins = match super::rehearsal::running(global) {
            None => observe::login_failures(&cloud, &live).await,
            // The machines of a rehearsal have consoles of their own.
            Some(place) => {
                let logins = live.instances.iter().filter(|one| one.has_role("login"));
                logins.filter_map(|one| observe::login_failure(one, &place.console(&one.id))).collect()
            }
        };
        let rehearsal = rehearsal.as_deref();
        let status = Status { cluster: &name, region: &region, live: &live, logins: &logins, rehearsal };
        match args.format {
            StatusFormat::Text => output.data(&status.text(output.paint)),
            StatusFormat::Json => output.data(&status.json()),
        }
        Ok(exit::OK)
    })
}
