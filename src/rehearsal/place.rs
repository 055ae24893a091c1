//! Where a rehearsal keeps its things: beside the sandbox's state file, in a directory of its own.
//!
//! | path | is |
//! |---|---|
//! | `account/sandbox.json` | the state file itself; where it was is a link to it. slurm may write here, as `node resume` runs so |
//! | `account/faults.json` | faults that all machines meet, when it is there |
//! | `machines/ID/console`, `journal` | a machine's output; what happened to it |
//! | `volumes/` | EBS volumes, a file each |
//! | `shared/` | what Lustre, EFS and NFS mounts show |
//! | `image/`, `machine.sh`, `hpcctl` | what machines are made of |
//! | `slurm.conf` | options of slurm.conf that this rehearsal has otherwise, when it is there |
//! | `secret` | what passwords and keys are made from, for root alone |
//! | `log`, `pid`, `alive` | of the tree of processes |

use super::error::{RehearsalError, failed};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

/// The directory of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory, absolute.
    pub directory: PathBuf,
    /// The state file as people name it, absolute.
    state: PathBuf,
}

impl Place {
    /// The place of the rehearsal of this state file.
    pub fn of(state_file: &Path) -> Self {
        let state = std::path::absolute(state_file).unwrap_or_else(|_| state_file.to_owned());
        Self { directory: state.with_extension("rehearsal"), state }
    }

    /// The directory that machines share with the programs of this machine.
    pub fn account(&self) -> PathBuf {
        self.directory.join("account")
    }

    /// Where the state file really is while a rehearsal runs.
    pub fn account_file(&self) -> PathBuf {
        self.account().join("sandbox.json")
    }

    /// A file of the rehearsal.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory of a machine, by its instance.
    pub fn machine(&self, instance: &str) -> PathBuf {
        self.directory.join("machines").join(instance)
    }

    /// What a machine has said so far.
    pub fn console(&self, instance: &str) -> String {
        let bytes = fs::read(self.machine(instance).join("console")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether a rehearsal runs: its first process holds a lock.
    pub fn runs(&self) -> bool {
        let Ok(file) = File::open(self.file("alive")) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
    }

    /// Whether the account is in a rehearsal that belongs to somebody else: root.
    pub fn is_closed(&self) -> bool {
        let account = fs::metadata(self.account());
        let closed = account.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        closed && fs::read_link(&self.state).is_ok()
    }

    /// The process that was started on this machine, by its number here.
    pub fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.file("pid")).ok()?.trim().parse().ok().filter(|_| self.runs())
    }

    /// Forgets the data of clusters that are no more: file systems, databases. Logs stay.
    pub fn forget(&self) {
        for name in ["shared", "databases", "volumes"] {
            fs::remove_dir_all(self.file(name)).ok();
        }
        fs::remove_file(self.file("hpcctl")).ok();
    }

    /// Makes the directories; takes the state file in, for all who may use it.
    pub(super) fn make(&self, slurm: (u32, u32)) -> Result<(), RehearsalError> {
        let folder = |path: &Path, mode: u32| {
            fs::create_dir_all(path)
                .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
                .map_err(|error| failed(path, &error))
        };
        folder(&self.directory, 0o700)?;
        fs::remove_dir_all(self.file("machines")).ok();
        fs::remove_dir_all(self.file("image")).ok();
        // What a head node exports is on its disk, and that is a new one.
        for entry in fs::read_dir(self.file("shared")).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("nfs4-") {
                fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path())).ok();
            }
        }
        for name in ["machines", "shared"] {
            folder(&self.file(name), 0o755)?;
        }
        folder(&self.account(), 0o2770)?;
        let own = |path: &Path| chown(path, Some(0), Some(slurm.1)).map_err(|error| failed(path, &error));
        own(&self.account())?;
        // chown takes the bit away that lets new files have the group.
        folder(&self.account(), 0o2770)?;
        self.take_state_in()?;
        let lock = self.account().join("sandbox.json.lock");
        let made = File::options().create(true).truncate(false).write(true).open(&lock);
        made.map_err(|error| failed(&lock, &error))?;
        own(&lock)?;
        fs::set_permissions(&lock, fs::Permissions::from_mode(0o660)).map_err(|error| failed(&lock, &error))
    }

    /// Moves the state file back to where people have it, when no rehearsal runs; does nothing when it is there.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn give_state_back(&self) -> Result<(), RehearsalError> {
        if fs::read_link(&self.state).is_err() || self.runs() {
            return Ok(());
        }
        let from = self.account_file();
        let work = || {
            let _guard = locked(&self.account().join("sandbox.json.lock"))?;
            let folder = self.state.parent().unwrap_or(Path::new("/"));
            let owner = fs::metadata(folder)?;
            chown(&from, Some(owner.uid()), Some(owner.gid()))?;
            fs::rename(&from, &self.state)
        };
        work().map_err(|error| failed(&from, &error))
    }

    /// Moves the state file to where machines reach it, and leaves a link.
    pub(super) fn take_state_in(&self) -> Result<(), RehearsalError> {
        if fs::read_link(&self.state).is_ok() {
            return Ok(());
        }
        let (to, link) = (self.account_file(), self.state.with_extension("link"));
        let name = |path: &Path| path.file_name().map(PathBuf::from).unwrap_or_default();
        let target = name(&self.directory).join("account").join("sandbox.json");
        let lock = self.state.with_file_name(format!("{}.lock", name(&self.state).display()));
        let work = || {
            let _guard = locked(&lock)?;
            fs::rename(&self.state, &to)?;
            fs::remove_file(&link).ok();
            symlink(&target, &link)?;
            fs::rename(&link, &self.state)
        };
        work().map_err(|error| failed(&self.state, &error))
    }

    /// Writes a file that root alone may read.
    pub(super) fn write_secret(&self, name: &str, text: &str) -> Result<(), RehearsalError> {
        let path = self.file(name);
        let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, &error))
    }
}

/// The lock by which programs that use a state file wait for each other.
fn locked(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}
