//! Commands of this machine: within a time, in a process group of their own, and as whom.

use super::{Machine, NodeError};
use std::{future::Future, pin::pin, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

/// How much of what a command says is kept: the end.
const KEEP: usize = 16 * 1024;
/// How long output is awaited of what a command left behind when it ended.
const LINGER: Duration = Duration::from_millis(200);

/// A command to run.
#[derive(Debug, Clone)]
pub(super) struct Call {
    program: String,
    arguments: Vec<String>,
    /// Its whole environment; `None`: this program's own.
    environment: Option<Vec<(String, String)>>,
}

/// A user as the machine knows one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct User {
    pub uid: u32,
    pub gid: u32,
    /// Name and home; `None` when the machine knows the number alone.
    pub known: Option<(String, String)>,
}

impl Call {
    /// A command with its arguments.
    pub fn new<A: Into<String>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.to_owned(), arguments, environment: None }
    }

    /// A line of the shell, run as a user with all groups of theirs, and with this environment alone.
    ///
    /// `setpriv` (util-linux) does it without a session: no PAM, no terminal, nothing that outlives the command.
    pub fn shell_as(user: &User, line: &str, environment: Vec<(String, String)>) -> Self {
        let groups = if user.known.is_some() { "--init-groups" } else { "--clear-groups" };
        let (uid, gid) = (format!("--reuid={}", user.uid), format!("--regid={}", user.gid));
        let call = Self::new("setpriv", [&uid, &gid, groups, "--", "/bin/sh", "-c", line]);
        Self { environment: Some(environment), ..call }
    }

    fn shown(&self) -> String {
        // What matters of `setpriv ... -- sh -c LINE` is the line.
        let line = self.arguments.last().filter(|_| self.environment.is_some());
        line.cloned().unwrap_or_else(|| format!("{} {}", self.program, self.arguments.join(" ")))
    }
}

impl Machine {
    /// Runs a command to its end; gives what it printed. After `patience` its process group is killed.
    ///
    /// # Errors
    /// When it cannot be started, takes too long, or ends with another code than 0.
    pub(super) async fn run(&self, call: &Call, patience: Duration) -> Result<String, NodeError> {
        let failed = |words: String| NodeError::Program { command: call.shown().chars().take(200).collect(), words };
        let mut child = self.start(call).map_err(|error| failed(error.to_string()))?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let group = child.id();
        let reading = async { tokio::join!(keep(stdout, &mut out), keep(stderr, &mut err)) };
        let Ok(status) = timeout(patience, ended(&mut child, reading)).await else {
            self.kill_group(group, &mut child).await;
            return Err(failed(format!("did not end within {} s", patience.as_secs())));
        };
        let status = status.map_err(|error| failed(error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match (status.success(), text(&err)) {
            (true, _) => Ok(text(&out)),
            (false, words) if words.is_empty() => Err(failed(status.to_string())),
            (false, words) => Err(failed(format!("{status}: {}", words.lines().last().unwrap_or_default()))),
        }
    }

    fn start(&self, call: &Call) -> std::io::Result<Child> {
        let mut command = Command::new(&call.program);
        command.args(&call.arguments).current_dir("/").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(environment) = &call.environment {
            command.env_clear().envs(environment.iter().cloned());
        } else if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command.spawn()
    }

    /// A command that hangs in the kernel, as `umount` can, does not even die: it is not waited for.
    async fn kill_group(&self, group: Option<u32>, child: &mut Child) {
        if let Some(group) = group {
            let kill = Command::new("sh")
                .args(["-c", "kill -s KILL -- \"-$0\"", &group.to_string()])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status();
            let _ = timeout(Duration::from_secs(2), kill).await;
        }
        let _ = child.start_kill();
        let _ = timeout(Duration::from_secs(1), child.wait()).await;
    }

    /// A user by number.
    pub(super) async fn user(&self, uid: u32, gid: u32) -> User {
        let call = Call::new("getent", ["passwd", &uid.to_string()]);
        let line = self.run(&call, Duration::from_secs(5)).await.unwrap_or_default();
        let words: Vec<&str> = line.split(':').collect();
        let known = match words[..] {
            [name, _, _, _, _, home, ..] => Some((name.to_owned(), home.to_owned())),
            _ => None,
        };
        User { uid, gid, known }
    }
}

/// Waits for a command. What it left behind may hold its output open for ever.
async fn ended(child: &mut Child, reading: impl Future) -> std::io::Result<std::process::ExitStatus> {
    let mut reading = pin!(reading);
    tokio::select! {
        _ = &mut reading => {}
        status = child.wait() => {
            let _ = timeout(LINGER, reading).await;
            return status;
        }
    }
    child.wait().await
}

/// Reads to the end and keeps the last of it.
async fn keep(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut part).await {
        into.extend(part.iter().take(read));
        if into.len() > KEEP {
            into.drain(..into.len() - KEEP);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(line: &str, patience: Duration) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let call = Call::new("sh", ["-c", line]);
        runtime.block_on(Machine::default().run(&call, patience)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_says_how_it_ended() {
        let patience = Duration::from_secs(20);
        assert_eq!(run("echo here", patience), Ok("here".to_owned()));
        let error = run("echo first >&2; echo last >&2; exit 7", patience).unwrap_err();
        assert!(error.ends_with("exit status: 7: last"), "{error}");
        // Something that stays behind and holds the output is not waited for.
        assert_eq!(run("sleep 30 & echo started", patience), Ok("started".to_owned()));
    }

    #[test]
    fn a_time_out_ends_the_whole_group() {
        let mark = std::env::temp_dir().join(format!("hpcctl-group-{}", std::process::id()));
        let line = format!("(sleep 2; touch {}) & wait", mark.display());
        let error = run(&line, Duration::from_millis(300)).unwrap_err();
        assert!(error.contains("did not end within"), "{error}");
        std::thread::sleep(Duration::from_millis(2500));
        assert!(!mark.exists(), "a child of the command lived on");
    }
}
