//! Failures as text: a code, what happened, and what to do.

mod apply;
mod cloud;
mod operate;
mod plan;
mod rehearsal;

pub use apply::{applied_text, passed_on, still_held};

use super::paint::Paint;
use std::fmt::Write;

/// A failure, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its code, such as `HPC2003`; `hpcctl explain` knows it.
    pub code: &'static str,
    /// What happened, in one line.
    pub message: String,
    /// More lines about it.
    pub details: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// The exit code.
    pub exit: u8,
}

/// Exit codes.
pub mod exit {
    /// Nothing to do, or done.
    pub const OK: u8 = 0;
    /// An error.
    pub const ERROR: u8 = 1;
    /// Changes are pending (`--detailed-exitcode`).
    pub const CHANGES: u8 = 2;
    /// Refused: approval is missing.
    pub const REFUSED: u8 = 3;
    /// The plan is stale.
    pub const STALE: u8 = 4;
    /// Somebody else works on the cluster.
    pub const LOCKED: u8 = 5;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

impl Failure {
    /// The failure as text.
    pub fn text(&self, paint: Paint) -> String {
        let mut out = format!("{} {}: {}\n", paint.red("error"), paint.bold(self.code), self.message);
        for detail in &self.details {
            let _ = writeln!(out, "  {detail}");
        }
        if !self.remedy.is_empty() {
            let _ = writeln!(out, "  {} {}", paint.bold("help:"), self.remedy);
        }
        out
    }

    /// A failure of this process's own files.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        // Ours, of `cloud::bounded`; the system's own is said of a file that is written.
        if error.kind() == std::io::ErrorKind::FileTooLarge && error.raw_os_error().is_none() {
            let message = format!("failed to read `{}`: {error}", path.display());
            return Self::new("HPC2188", message, "is it the right file?", exit::ERROR);
        }
        Self::new(
            "HPC2005",
            format!("failed to use `{}`: {error}", path.display()),
            "check the path and its rights",
            exit::ERROR,
        )
    }

    /// A failure from its parts.
    pub fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>, exit: u8) -> Self {
        Self { code, message: message.into(), details: Vec::new(), remedy: remedy.into(), exit }
    }

    fn with(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

/// The interruption.
pub fn interrupted() -> Failure {
    Failure::new(
        "HPC2090",
        "interrupted: what was begun goes on in AWS, and nothing new was begun",
        "run the same command again to go on from there",
        exit::INTERRUPTED,
    )
}
