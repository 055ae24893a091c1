//! The `hpcctl` program: see the library for what it does.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: whoever ends the process in its first moments is heard.
    let signals = hpcctl::commands::Signals::listen();
    hpcctl::commands::run(hpcctl::commands::Cli::parse(), signals)
}
