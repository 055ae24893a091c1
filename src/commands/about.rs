//! What hpcctl says of itself: `--version`, `completions`, `man`.

use super::{Cli, output::Output};
use crate::{
    observe::{ORDER_VERSION, SLURM_REPORT_FORMAT},
    plan::PLAN_FORMAT,
    report::errors::{Failure, exit},
};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::{path::PathBuf, sync::OnceLock};

const FEATURES: &str = if cfg!(feature = "aws") { "aws" } else { "none (sandbox only)" };

/// The commit, as whoever built this has told (`tools/release` does); nobody asks git, so that a source archive builds the same.
const COMMIT: &str = match option_env!("HPCCTL_COMMIT") {
    Some(commit) => commit,
    None => "not recorded",
};

/// What `--version` says; `-V` says the first line alone.
pub fn long_version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        format!(
            "{}\ncommit: {COMMIT}\nfeatures: {FEATURES}\nbuilt for: {}-{}\nformats: plan {PLAN_FORMAT}, order {ORDER_VERSION}, \
             report {SLURM_REPORT_FORMAT}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS,
        )
    })
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a shell's completions.
pub fn completions(args: &CompletionsArgs, output: &mut Output) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hpcctl", &mut text);
    output.data(&String::from_utf8_lossy(&text));
    Ok(exit::OK)
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for hpcctl and each of its commands here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes manual pages.
pub fn man(args: &ManArgs, output: &mut Output) -> Result<u8, Failure> {
    let Some(folder) = &args.out else {
        let mut text = Vec::new();
        let page = clap_mangen::Man::new(Cli::command()).render(&mut text);
        page.map_err(|error| Failure::new("HPC2005", format!("failed to write the page: {error}"), "", exit::ERROR))?;
        output.data(&String::from_utf8_lossy(&text));
        return Ok(exit::OK);
    };
    let failed = |error| Failure::file(folder, &error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    Ok(exit::OK)
}
