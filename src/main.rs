//! The `hpcctl` program: see the library for what it does.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    hpcctl::commands::run(hpcctl::commands::Cli::parse())
}
