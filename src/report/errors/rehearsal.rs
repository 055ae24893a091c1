//! Failures of a rehearsal.

use super::{Failure, exit};
use crate::rehearsal::RehearsalError;

impl From<RehearsalError> for Failure {
    fn from(error: RehearsalError) -> Self {
        const BEGIN: &str = "`hpcctl apply FILE --cloud sandbox --with-slurm` starts a rehearsal";
        match error {
            RehearsalError::Cloud(error) => error.into(),
            RehearsalError::NotRoot => Failure::new(
                "HPC2095",
                "a rehearsal and its account belong to root",
                "run the command as root, such as with sudo",
                exit::ERROR,
            ),
            RehearsalError::Missing { programs, packages } => Failure::new(
                "HPC2095",
                format!("a rehearsal needs {} on this machine", programs.join(", ")),
                format!("apt-get install --no-install-recommends {}", packages.join(" ")),
                exit::ERROR,
            ),
            RehearsalError::OtherSlurm { here, wanted } => Failure::new(
                "HPC2096",
                format!("this machine has Slurm {here}, the cluster's image has {wanted}"),
                match here.as_str() {
                    "22.05" => "rehearse a copy of the file with `image: {os: debian12}`",
                    "23.11" => "rehearse a copy of the file with `image: {os: ubuntu2404}`",
                    "21.08" => "rehearse a copy of the file with `image: {os: ubuntu2204}`",
                    _ => "rehearse on a machine with the image's system",
                },
                exit::ERROR,
            ),
            RehearsalError::Start { what, log, path } => {
                Failure::new("HPC2097", format!("{what} did not come up"), format!("see {path}"), exit::ERROR).with(log)
            }
            RehearsalError::NotRunning => Failure::new("HPC2098", "no rehearsal runs", BEGIN, exit::ERROR),
            RehearsalError::NoMachine { instance } => Failure::new(
                "HPC2098",
                format!("the machine of {instance} does not run"),
                "it boots a second after its launch; `hpcctl rehearsal status` lists what runs",
                exit::ERROR,
            ),
            RehearsalError::Failed { what, why } => Failure::new(
                "HPC2099",
                format!("failed to use `{what}`: {why}"),
                "`hpcctl rehearsal stop` ends what runs",
                exit::ERROR,
            ),
            RehearsalError::UnknownCall { words } => Failure::new(
                "HPC2099",
                format!("`aws {words}` is not known in a rehearsal"),
                "it knows the calls of hpcctl's own scripts",
                exit::ERROR,
            ),
        }
    }
}
