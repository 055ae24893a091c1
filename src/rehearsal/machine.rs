//! One machine: an instance as namespaces with a life of their own.

use super::{
    error::{RehearsalError, failed},
    hypervisor::Vpc,
    needs::PATH,
};
use crate::cloud::{ROLE_TAG, sandbox};
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime},
};
use tokio::process::{Child, Command};

/// A running machine.
pub(super) struct Machine {
    pub id: String,
    pub address: String,
    pub mac: String,
    /// Whether it runs slurmctld.
    pub is_head: bool,
    folder: PathBuf,
    /// Whether the power button was pressed.
    told: bool,
    process: Child,
}

impl Machine {
    /// Starts its first process, which waits for the network card.
    ///
    /// slurmd reports when its machine booted, and slurmctld does not take a node for launched that booted before it
    /// was asked for: the clock since boot begins anew.
    pub fn start(instance: &sandbox::Machine, vpc: &Vpc) -> Result<Self, RehearsalError> {
        let folder = vpc.place.machine(&instance.id);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        fs::remove_file(folder.join("go")).ok();
        let log = File::options().create(true).append(true).open(folder.join("machine.log"));
        let log = log.map_err(|error| failed(&folder, &error))?;
        let second = log.try_clone().map_err(|error| failed(&folder, &error))?;
        let boottime = format!("-{}", uptime());
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--net", "--uts", "--ipc", "--pid", "--time", "--boottime", &boottime])
            .args(["--fork", "--kill-child", "/bin/bash"])
            .arg(vpc.place.file("machine.sh"))
            .env_clear()
            .envs(vpc.settings())
            .env("MACHINE", &folder)
            .env("ADDRESS", &instance.address)
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(second)
            .process_group(0);
        let process = command.spawn().map_err(|error| failed("unshare", &error))?;
        let numbers: Vec<String> =
            instance.address.split('.').map(|part| format!("{:02x}", part.parse::<u8>().unwrap_or(0))).collect();
        let machine = Self {
            id: instance.id.clone(),
            address: instance.address.clone(),
            mac: format!("0e:00:{}", numbers.join(":")),
            is_head: instance.tags.get(ROLE_TAG).is_some_and(|role| role == "head"),
            folder,
            told: false,
            process,
        };
        machine.note("boot");
        Ok(machine)
    }

    /// Puts its network card in, as soon as it has a network of its own, and lets it boot.
    pub async fn connect(&mut self, bridge: &str) -> Result<(), RehearsalError> {
        let dead = || RehearsalError::Failed { what: self.id.clone(), why: "ended before it booted".to_owned() };
        let pid = self.process.id().ok_or_else(dead)?.to_string();
        let ours = fs::read_link("/proc/self/ns/net").ok();
        let theirs = format!("/proc/{pid}/ns/net");
        for _ in 0..500 {
            if fs::read_link(&theirs).ok().is_some_and(|link| Some(link) != ours) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let port = format!("v{}", &self.id[self.id.len().saturating_sub(12)..]);
        let link = ["link", "add", &port, "type", "veth", "peer", "name", "eth0", "address", &self.mac, "netns", &pid];
        run("ip", &link).await?;
        run("ip", &["link", "set", &port, "master", bridge, "up"]).await?;
        let go = self.folder.join("go");
        fs::write(&go, "").map_err(|error| failed(&go, &error))
    }

    /// Notes what happens to it.
    pub fn note(&self, words: &str) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let journal = File::options().create(true).append(true).open(self.folder.join("journal"));
        if let Ok(mut journal) = journal {
            writeln!(journal, "{}.{:03} {words}", since.as_secs(), since.subsec_millis()).ok();
        }
    }

    /// Its first process, as the VPC numbers processes.
    pub fn first_process(&self) -> Option<u32> {
        let outer = self.process.id()?;
        let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Presses the power button, once.
    pub fn shut_down(&mut self) {
        let Some(first) = self.first_process().filter(|_| !self.told) else { return };
        self.told = true;
        self.note("shutting down");
        let sent = std::process::Command::new("kill").args(["-PWR", &first.to_string()]).env("PATH", PATH).status();
        self.told = sent.is_ok_and(|status| status.success());
    }

    /// The plug: nothing in it can do anything any more.
    pub async fn kill(&mut self) {
        self.process.kill().await.ok();
    }

    /// Whether it has powered itself off.
    pub fn ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }
}

/// Whole seconds since this machine booted, as the VPC's clock has it.
fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}

/// Runs a program to its end.
pub(super) async fn run(program: &str, words: &[&str]) -> Result<(), RehearsalError> {
    let output = Command::new(program).args(words).env("PATH", PATH).stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| failed(program, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(RehearsalError::Failed { what: format!("{program} {}", words.join(" ")), why })
}
