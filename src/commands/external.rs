//! Programs of this machine that commands run.

use crate::report::errors::{Failure, exit};
use std::{
    env, fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Child, Command, Stdio},
};

/// What is to be done when a program is missing.
const REMEDIES: [(&str, &str); 3] = [
    ("aws", "install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"),
    (
        "session-manager-plugin",
        "install the Session Manager plugin: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html",
    ),
    ("ssh", "install an SSH client, such as the package openssh-client"),
];

/// Refuses a command line whose programs are not all there: the AWS CLI calls the Session Manager plugin.
pub fn need(words: &[String]) -> Result<(), Failure> {
    let first = words.first().map_or("", String::as_str);
    let through_aws = words.iter().any(|word| word == "start-session" || word.starts_with("ProxyCommand=aws "));
    let programs =
        [first].into_iter().chain(through_aws.then_some(["aws", "session-manager-plugin"]).into_iter().flatten());
    for program in programs {
        if !is_there(program) {
            let remedy = REMEDIES.iter().find(|(name, _)| *name == program).map_or("install it", |(_, remedy)| remedy);
            let message = format!("`{program}` is not on this machine");
            return Err(Failure::new(
                "HPC2085",
                message,
                format!("{remedy}; --print only prints the command"),
                exit::ERROR,
            ));
        }
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    let runs = |path: std::path::PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| runs(folder.join(program))))
}

/// Becomes the program: its exit code, signals and terminal are its own.
pub fn become_program(words: &[String]) -> Failure {
    failed(words, &command(words).exec())
}

/// Runs a program to its end; gives what it printed, when it succeeded.
pub fn run(words: &[String]) -> Result<String, Failure> {
    let output = command(words).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(words, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = format!("`{}` ended with {}", words.first().map_or("", String::as_str), output.status);
    Err(Failure::new(
        "HPC2086",
        message,
        "what it said is above; `hpcctl ssh FILE` shows whether the node can be reached",
        exit::ERROR,
    ))
}

/// Starts a program; what it says goes to stderr, as stdout is for data.
pub fn start(words: &[String]) -> Result<Child, Failure> {
    let mut command = command(words);
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    command.spawn().map_err(|error| failed(words, &error))
}

fn command(words: &[String]) -> Command {
    let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn failed(words: &[String], error: &std::io::Error) -> Failure {
    let program = words.first().map_or("", String::as_str);
    Failure::new("HPC2085", format!("failed to run `{program}`: {error}"), "check that it is installed", exit::ERROR)
}
