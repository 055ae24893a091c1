//! `show`.

use super::{
    load,
    output::Output,
    plan::{PlanFormat, show as view},
    saved::saved,
};
use crate::report::errors::{Failure, exit};
use clap::Args;
use std::path::PathBuf;

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A plan saved with `plan --out`
    plan: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
}

/// Shows a saved plan.
pub fn show(args: &ShowArgs, output: &mut Output) -> Result<u8, Failure> {
    let plan = saved(load::read(&args.plan)?.as_text()?)?;
    let text = view(&plan, args.format, output);
    output.data(&text);
    Ok(exit::OK)
}
