//! What this machine must have.

use super::error::{RehearsalError, failed};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

/// Programs, and Debian's packages with them.
const PROGRAMS: &[(&str, &str)] = &[
    ("munged", "munge"),
    ("slurmctld", "slurmctld"),
    ("slurmd", "slurmd"),
    ("scontrol", "slurm-client"),
    ("ip", "iproute2"),
    ("iptables-restore", "iptables"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("jq", "jq"),
    ("curl", "curl"),
];

/// Those of a cluster with accounting.
const ACCOUNTING: &[(&str, &str)] = &[
    ("slurmdbd", "slurmdbd"),
    ("mariadbd", "mariadb-server-core"),
    ("mariadb-install-db", "mariadb-server-core"),
    ("mariadb", "mariadb-client-core"),
    ("openssl", "openssl"),
];

/// Where programs are looked for: machines have the same.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a cluster needs of the machine that rehearses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The version of Slurm that its image has, such as `22.05`; none: whatever is there.
    pub slurm: Option<String>,
    /// Whether it has accounting.
    pub accounting: bool,
}

/// Whether this machine can run a rehearsal.
///
/// # Errors
/// When it cannot, with everything that is missing.
pub fn check(needs: &Needs) -> Result<(), RehearsalError> {
    let accounting = if needs.accounting { ACCOUNTING } else { &[] };
    let missing: Vec<&(&str, &str)> =
        PROGRAMS.iter().chain(accounting).filter(|(program, _)| !is_there(program)).collect();
    if !missing.is_empty() {
        let programs = missing.iter().map(|(program, _)| (*program).to_owned()).collect();
        let mut packages: Vec<String> = missing.iter().map(|(_, package)| (*package).to_owned()).collect();
        // What plugins need comes apart in Debian.
        if packages.iter().any(|package| package.starts_with("slurm")) {
            packages.push("slurm-wlm-basic-plugins".to_owned());
        }
        if packages.iter().any(|package| package == "slurmdbd") {
            packages.push("slurm-wlm-mysql-plugin".to_owned());
        }
        packages.dedup();
        return Err(RehearsalError::Missing { programs, packages });
    }
    let own = Path::new("/proc/self");
    if fs::metadata(own).map_err(|error| failed(own, &error))?.uid() != 0 {
        return Err(RehearsalError::NotRoot);
    }
    match (&needs.slurm, slurm_version()?) {
        (Some(wanted), here) if *wanted != here => Err(RehearsalError::OtherSlurm { here, wanted: wanted.clone() }),
        _ => Ok(()),
    }
}

fn is_there(program: &str) -> bool {
    let runs = |folder: &str| {
        fs::metadata(Path::new(folder).join(program))
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    PATH.split(':').any(runs)
}

/// `slurm-wlm 22.05.8` says 22.05.
fn slurm_version() -> Result<String, RehearsalError> {
    let output = Command::new("slurmctld").arg("-V").env("PATH", PATH).output();
    let output = output.map_err(|error| failed("slurmctld", &error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().last().unwrap_or_default();
    Ok(number.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
}

/// The user and group under whom Slurm runs.
pub(super) fn slurm_user() -> Result<(u32, u32), RehearsalError> {
    let path = Path::new("/etc/passwd");
    let text = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
    let fields =
        |line: &str| line.strip_prefix("slurm:").map(|rest| rest.split(':').map(str::to_owned).collect::<Vec<_>>());
    let found = text.lines().find_map(fields);
    let ids = found.and_then(|fields| Some((fields.get(1)?.parse().ok()?, fields.get(2)?.parse().ok()?)));
    ids.ok_or_else(|| RehearsalError::Failed { what: "/etc/passwd".to_owned(), why: "has no user slurm".to_owned() })
}
