//! How a rehearsal begins and ends, and the way into a machine, from this machine's side.

use super::{
    Vpc,
    error::{RehearsalError, failed},
    image, needs, secret,
};
use crate::rehearsal::Place;
use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// Process 1 of the VPC: reaps what is orphaned, and ends with the hypervisor.
const FIRST: &str = r#""$@" & wait $!; exit $?"#;
/// How long the VPC may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(100);

/// How a rehearsal came to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It has just been started.
    Now,
    /// It ran already.
    Before,
}

/// Starts a rehearsal, unless it runs: `words` are those after the program's name that call [`run`](super::run). The
/// program is copied, so that nodes keep theirs when this one is built anew.
///
/// # Errors
/// When it does not begin; with the end of its log.
pub fn start(vpc: &Vpc, words: &[String]) -> Result<Started, RehearsalError> {
    let place = &vpc.place;
    if place.runs() {
        return Ok(Started::Before);
    }
    place.make(needs::slurm_user()?)?;
    image::unpack(&place.directory)?;
    let program = place.file("hpcctl");
    fs::remove_file(&program).ok();
    fs::copy(&vpc.program, &program).map_err(|error| failed(&program, &error))?;
    if !place.file("secret").exists() {
        place.write_secret("secret", &secret::random(32)?)?;
    }
    fs::remove_file(place.file("ready")).ok();
    let mut child = spawn(place, &program, words)?;
    place.write_secret("pid", &child.id().to_string())?;
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if place.file("ready").exists() {
            return Ok(Started::Now);
        }
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        thread::sleep(STEP);
    }
    child.kill().ok();
    let log = place.file("log");
    let text = fs::read_to_string(&log).unwrap_or_default();
    Err(RehearsalError::Start { what: "the VPC".to_owned(), log: tail(&text), path: log.display().to_string() })
}

fn spawn(place: &Place, program: &Path, words: &[String]) -> Result<std::process::Child, RehearsalError> {
    let path = place.file("log");
    let log = File::create(&path).map_err(|error| failed(&path, &error))?;
    let second = log.try_clone().map_err(|error| failed(&path, &error))?;
    let mut command = Command::new("setsid");
    command
        .args(["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["/bin/bash", "-c", FIRST, "rehearsal"])
        .arg(program)
        .args(words)
        .current_dir("/")
        .env_clear()
        .env("PATH", needs::PATH)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(second);
    command.spawn().map_err(|error| failed("setsid", &error))
}

/// The last lines of a log.
fn tail(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Ends a rehearsal with all its machines. True: it ran.
///
/// # Errors
/// When it cannot be ended.
pub fn stop(place: &Place) -> Result<bool, RehearsalError> {
    let Some(pid) = place.pid() else {
        place.give_state_back()?;
        return Ok(false);
    };
    let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).env("PATH", needs::PATH).status();
    killed.map_err(|error| failed("kill", &error))?;
    for _ in 0..200 {
        if !place.runs() && !children_of(pid) {
            fs::remove_file(place.file("pid")).ok();
            place.give_state_back()?;
            return Ok(true);
        }
        thread::sleep(STEP / 2);
    }
    Err(RehearsalError::Failed { what: format!("process {pid}"), why: "does not end".to_owned() })
}

/// Whether a process lives, or is not yet reaped and has children that do.
fn children_of(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).is_ok_and(|children| !children.trim().is_empty())
}

/// The words that enter the machine of an instance and run a command there, or a login shell: on a terminal of the
/// machine's own, when there is a `terminal` here.
///
/// # Errors
/// When no rehearsal runs, or the machine does not.
pub fn entry(
    place: &Place,
    instance: &str,
    user: &str,
    command: &[String],
    terminal: bool,
) -> Result<Vec<String>, RehearsalError> {
    let outer = place.pid().ok_or(RehearsalError::NotRunning)?;
    let wanted = format!("MACHINE={}", place.machine(instance).display());
    let first = descendants(outer).into_iter().find(|pid| is_first(*pid) && has_variable(*pid, &wanted));
    let first = first.ok_or_else(|| RehearsalError::NoMachine { instance: instance.to_owned() })?;
    let passwd = fs::read_to_string(format!("/proc/{first}/root/etc/passwd")).unwrap_or_default();
    let home =
        passwd.lines().find(|line| line.starts_with(&format!("{user}:"))).and_then(|line| line.split(':').nth(5));
    let home = home.unwrap_or("/");
    let mut words: Vec<String> = ["nsenter", "--target", &first.to_string(), "--all"].map(str::to_owned).to_vec();
    words.push(format!("--wdns={home}"));
    words.extend(["env", "-i", "LC_ALL=C.UTF-8"].map(str::to_owned));
    words.push(format!("PATH={}", needs::PATH));
    words.extend([
        format!("HOME={home}"),
        format!("USER={user}"),
        format!("TERM={}", env::var("TERM").unwrap_or_else(|_| "dumb".to_owned())),
    ]);
    words.extend(["setpriv", "--init-groups"].map(str::to_owned));
    words.extend([format!("--reuid={user}"), format!("--regid={user}")]);
    if command.is_empty() && terminal {
        words.extend(["script", "--quiet", "--return", "--command", "/bin/bash -l", "/dev/null"].map(str::to_owned));
    } else if command.is_empty() {
        words.extend(["/bin/bash", "-l"].map(str::to_owned));
    } else {
        // As ssh does: the words are a line of the shell.
        words.extend(["/bin/bash", "-c", &command.join(" ")].map(str::to_owned));
    }
    Ok(words)
}

fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|child| child.parse().ok()).collect();
    children.into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

/// Whether a process is the first of its namespace.
fn is_first(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().last() == Some("1"))
}

fn has_variable(pid: u32, wanted: &str) -> bool {
    let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    variables.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
}

/// Waits until the head node's set-up is done.
///
/// # Errors
/// When it fails or takes too long; with the end of its console.
pub fn head_is_up(place: &Place, instance: &str, patience: Duration) -> Result<(), RehearsalError> {
    for _ in 0..patience.as_millis() / STEP.as_millis() {
        let console = place.console(instance);
        if console.contains("set-up done") {
            return Ok(());
        }
        if console.contains("set-up failed") || !place.runs() {
            break;
        }
        thread::sleep(STEP);
    }
    let path = place.machine(instance).join("console").display().to_string();
    Err(RehearsalError::Start { what: "the head node".to_owned(), log: tail(&place.console(instance)), path })
}
