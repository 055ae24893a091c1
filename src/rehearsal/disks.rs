//! EBS volumes of the rehearsal: files that outlive the machines, as block devices of the machine that has them.

use super::{
    error::{RehearsalError, failed},
    machine::run,
    place::Place,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::Stdio,
};
use tokio::process::Command;

/// The volumes in use.
#[derive(Default)]
pub(super) struct Disks {
    /// By volume.
    loops: BTreeMap<String, Loop>,
    /// Which volume has been plugged into which machine.
    plugged: BTreeSet<(String, String)>,
}

/// A loop device. It goes when nobody has it open any more: neither this program nor a mount.
struct Loop {
    number: u32,
    size_gib: u32,
    _open: File,
}

impl Disks {
    /// Plugs volumes into the machines that have them: volume, size in GiB, instance and the machine's first process.
    pub async fn look(&mut self, place: &Place, held: &[(String, u32, String, u32)]) -> Result<(), RehearsalError> {
        let now = |(volume, machine): &(String, String)| {
            held.iter().any(|(held, _, instance, _)| held == volume && instance == machine)
        };
        self.plugged.retain(now);
        for (volume, size_gib, instance, process) in held {
            let number = self.device(place, volume, *size_gib).await?;
            let key = (volume.clone(), instance.clone());
            if !self.plugged.contains(&key) && plug(*process, volume, number).await? {
                self.plugged.insert(key);
            }
        }
        Ok(())
    }

    /// The loop device of a volume, as large as the volume.
    async fn device(&mut self, place: &Place, volume: &str, size_gib: u32) -> Result<u32, RehearsalError> {
        let folder = place.file("volumes");
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let path = folder.join(format!("{volume}.img"));
        if let Some(known) = self.loops.get_mut(volume) {
            if known.size_gib != size_gib {
                grow(&path, size_gib)?;
                run("losetup", &["--set-capacity", &format!("/dev/loop{}", known.number)]).await?;
                known.size_gib = size_gib;
            }
            return Ok(known.number);
        }
        grow(&path, size_gib)?;
        let made = Command::new("losetup").args(["--find", "--show"]).arg(&path).stdin(Stdio::null()).output().await;
        let made = made.map_err(|error| failed("losetup", &error))?;
        let device = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let number = device.strip_prefix("/dev/loop").and_then(|digits| digits.parse().ok());
        let why = || String::from_utf8_lossy(&made.stderr).trim().to_owned();
        let number = number.ok_or_else(|| RehearsalError::Failed { what: "losetup".to_owned(), why: why() })?;
        let open = File::open(&device).map_err(|error| failed(&device, &error))?;
        // As long as it is open the device stays; afterwards nobody needs to remember it.
        run("losetup", &["--detach", &device]).await?;
        self.loops.insert(volume.to_owned(), Loop { number, size_gib, _open: open });
        Ok(number)
    }
}

/// A sparse file of this size, never smaller than it was.
fn grow(path: &Path, size_gib: u32) -> Result<(), RehearsalError> {
    let work = || {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        let wanted = u64::from(size_gib) << 30;
        if file.metadata()?.len() < wanted { file.set_len(wanted) } else { Ok(()) }
    };
    work().map_err(|error| failed(path, &error))
}

/// The device in a machine, under the name that udev gives a volume on Nitro; false: the machine has no devices yet.
async fn plug(process: u32, volume: &str, number: u32) -> Result<bool, RehearsalError> {
    let root = format!("/proc/{process}/root");
    if !Path::new(&format!("{root}/run/rehearsal/instance")).exists() {
        return Ok(false);
    }
    let device = format!("{root}/dev/loop{number}");
    if !Path::new(&device).exists() {
        run("mknod", &["-m", "660", &device, "b", "7", &number.to_string()]).await?;
    }
    let folder = format!("{root}/dev/disk/by-id");
    let name = format!("{folder}/nvme-Amazon_Elastic_Block_Store_{}", volume.replacen('-', "", 1));
    let link = || {
        fs::create_dir_all(&folder)?;
        fs::remove_file(&name).ok();
        symlink(format!("/dev/loop{number}"), &name)
    };
    link().map_err(|error| failed(&name, &error))?;
    Ok(true)
}
