//! `init`.

use super::{load::write, output::Output};
use crate::report::errors::{Failure, exit};
use clap::Args;
use std::path::PathBuf;

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(default_value = "cluster.yaml")]
    file: PathBuf,
    /// The example to begin with
    #[arg(long, value_name = "EXAMPLE", default_value = "minimal")]
    from: String,
    /// Write over a file that exists
    #[arg(long)]
    force: bool,
}

macro_rules! examples {
    ($($name:literal),+ $(,)?) => {
        /// The examples, by name.
        pub const EXAMPLES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../examples/clusters/", $name, ".yaml")))),+];
    };
}

examples!(
    "minimal",
    "accounting",
    "burst-two-zones",
    "eda",
    "everything",
    "fds-smv",
    "mixed-capacity",
    "ml-p4d",
    "openfoam-graviton",
    "spot-checkpoint",
    "spot-fsx",
    "starccm",
);

/// Where the examples' schema is from where they lie, and from anywhere else.
const OUR_SCHEMA: &str = "# yaml-language-server: $schema=../../schemas/cluster.schema.json\n";
const YOUR_SCHEMA: &str = "# yaml-language-server: $schema=cluster.schema.json\n\
                           # For completion in an editor: hpcctl schema > cluster.schema.json\n";

/// Writes a commented cluster file to begin with.
pub fn init(args: &InitArgs, output: &mut Output) -> Result<u8, Failure> {
    let Some((_, text)) = EXAMPLES.iter().find(|(name, _)| *name == args.from) else {
        let names: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        let message = format!("there is no example `{}`", args.from);
        return Err(Failure::new("HPC2007", message, format!("there is {}", names.join(", ")), exit::ERROR));
    };
    if args.file.exists() && !args.force {
        let message = format!("`{}` exists already", args.file.display());
        return Err(Failure::new(
            "HPC2005",
            message,
            "choose another name, or write over it with --force",
            exit::ERROR,
        ));
    }
    write(&args.file, &text.replace(OUR_SCHEMA, YOUR_SCHEMA))?;
    output.note(&format!("wrote {}; next: hpcctl validate {}", args.file.display(), args.file.display()));
    Ok(exit::OK)
}
