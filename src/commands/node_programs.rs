//! hpcctl for the nodes: which files `apply` takes.

use crate::{
    apply::{NodeProgram, OLDEST_GLIBC},
    cloud::{Cloud, CloudKind, read_bounded},
    plan::{Plan, StepAction},
    report::errors::{Failure, exit},
};
use std::path::{Path, PathBuf};

/// The largest program, in bytes.
const MOST: u64 = 512 << 20;
/// A folder with `hpcctl-x86_64` and `hpcctl-aarch64`.
const VARIABLE: &str = "HPCCTL_NODE_PROGRAMS";

/// The programs that the nodes of a plan need: from the folder that `HPCCTL_NODE_PROGRAMS` names, from beside this program, or this
/// program itself. Nodes of the sandbox do not run, and need none.
pub fn programs(cloud: &Cloud, plan: &Plan) -> Result<Vec<NodeProgram>, Failure> {
    let publishes = plan.steps.iter().any(|step| step.action == StepAction::Archive);
    if cloud.kind == CloudKind::Sandbox || !publishes {
        return Ok(Vec::new());
    }
    let this = std::env::current_exe().map_err(|error| Failure::file(Path::new("/proc/self/exe"), &error))?;
    let folder = std::env::var_os(VARIABLE).map(PathBuf::from);
    plan.content.programs.iter().map(|machine| program(machine, folder.as_deref(), &this)).collect()
}

fn program(machine: &str, folder: Option<&Path>, this: &Path) -> Result<NodeProgram, Failure> {
    let name = format!("hpcctl-{machine}");
    let beside = this.parent().map(|beside| beside.join(&name));
    let named = folder.map(|folder| folder.join(&name)).or(beside).filter(|path| folder.is_some() || path.exists());
    let path = named.unwrap_or_else(|| this.to_owned());
    let body = read_bounded(&path, MOST).map_err(|error| missing(machine, &format!("{}: {error}", path.display())))?;
    let built_for = NodeProgram::machine_of(&body).unwrap_or("something else");
    if built_for != machine {
        return Err(missing(machine, &format!("{} is for {built_for}", path.display())));
    }
    match NodeProgram::glibc_of(&body) {
        Some(needs) if needs > OLDEST_GLIBC => Err(Failure::new(
            "HPC2035",
            format!(
                "{} needs glibc {}.{}, and nodes may have {}.{}",
                path.display(),
                needs.0,
                needs.1,
                OLDEST_GLIBC.0,
                OLDEST_GLIBC.1
            ),
            format!("build with `tools/release`, and name its folder in {VARIABLE}"),
            exit::ERROR,
        )),
        _ => Ok(NodeProgram { machine: machine.to_owned(), body }),
    }
}

fn missing(machine: &str, words: &str) -> Failure {
    Failure::new(
        "HPC2034",
        format!("there is no hpcctl for the cluster's {machine} nodes: {words}"),
        format!("put `hpcctl-{machine}` (`tools/release` builds it) beside hpcctl or into the folder {VARIABLE}"),
        exit::ERROR,
    )
}
