//! The files of hpcctl on a node: where they are, and how they are read and written.

use super::NodeError;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::{ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// How the names of documents end that are being written.
const NEXT: &str = ".next";
/// How the names of documents end that were damaged.
const BAD: &str = ".bad";

/// Where hpcctl's files are on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// What `apply` published: `/opt/hpcctl/etc`.
    pub etc: PathBuf,
    /// What the programs remember: `/var/lib/hpcctl/state`, which belongs to slurm.
    pub state: PathBuf,
}

impl Home {
    /// A published document.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it should be.
    pub fn published<T: DeserializeOwned>(&self, name: &str) -> Result<T, NodeError> {
        let path = self.etc.join(name);
        read(&path)?.ok_or_else(|| failed(&path, "is not there"))
    }

    /// A document of the state; `None` when there is none. One that is damaged, as a power loss or a full disk may leave it, is
    /// set aside under its name and `.bad`: what it said is found again in EC2 and Slurm, and a program that ends here
    /// would launch nothing.
    pub(super) fn remembered<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, NodeError> {
        let path = self.state.join(name);
        let Some(text) = bytes(&path)? else { return Ok(None) };
        match serde_json::from_slice(&text) {
            Ok(value) => Ok(Some(value)),
            Err(_) => match fs::rename(&path, self.state.join(format!("{name}{BAD}"))) {
                // Another program was faster.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                moved => moved.map(|()| None).map_err(|error| failed(&path, &error.to_string())),
            },
        }
    }

    /// The documents of the state that were damaged and set aside.
    pub(super) fn set_aside(&self, folders: &[&str]) -> Result<Vec<String>, NodeError> {
        let mut found = Vec::new();
        for folder in folders {
            let bad = self.names(folder)?.into_iter().filter(|name| name.ends_with(BAD));
            found.extend(bad.map(|name| Path::new(folder).join(name).display().to_string()));
        }
        Ok(found)
    }

    /// Deletes what programs that died have left half written.
    pub(super) fn sweep(&self, folders: &[&str]) -> Result<(), NodeError> {
        for folder in folders {
            for name in self.names(folder)? {
                let writer = name.strip_suffix(NEXT).and_then(|name| name.rsplit_once('.')).map(|(_, writer)| writer);
                let Some(writer) = writer.and_then(|writer| writer.parse::<u32>().ok()) else { continue };
                if !Path::new(&format!("/proc/{writer}")).exists() {
                    self.forget(&Path::new(folder).join(&name).display().to_string())?;
                }
            }
        }
        Ok(())
    }

    /// Writes a document of the state: whole or not at all, also when the machine stops in the middle.
    pub(super) fn remember<T: Serialize>(&self, name: &str, value: &T) -> Result<(), NodeError> {
        let path = self.state.join(name);
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| failed(&path, &error.to_string()))?;
        text.push(b'\n');
        let next = self.state.join(format!("{name}.{}{NEXT}", std::process::id()));
        let write = || {
            make_folder(&path)?;
            let mut file = File::create(&next)?;
            file.write_all(&text)?;
            file.sync_data()?;
            fs::rename(&next, &path)
        };
        write().map_err(|error| failed(&path, &error.to_string()))
    }

    /// What tells a file from one that later takes its place; `None`: there is none.
    pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
        fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
    }

    /// Writes a tree of files beside `folder` and puts it in its place. What stops in the middle leaves the old tree,
    /// or the next call finds it.
    pub(super) fn replace_tree(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), NodeError> {
        let (next, old) = (folder.with_extension("next"), folder.with_extension("old"));
        let write = || {
            for left in [&next, &old] {
                if left.exists() {
                    fs::remove_dir_all(left)?;
                }
            }
            for (name, body) in files {
                let path = next.join(name);
                path.parent().map(fs::create_dir_all).transpose()?;
                fs::write(&path, body)?;
            }
            fs::rename(folder, &old)?;
            fs::rename(&next, folder)?;
            fs::remove_dir_all(&old)
        };
        write().map_err(|error: std::io::Error| failed(folder, &error.to_string()))
    }

    /// Puts the old tree back when a replacement stopped between its two renames; whether there is a tree.
    pub(super) fn tree_exists(folder: &Path) -> bool {
        let old = folder.with_extension("old");
        folder.exists() || (old.exists() && fs::rename(&old, folder).is_ok())
    }

    /// Adds a line to a log. A log of `most` bytes becomes `LOG.1` first.
    pub(super) fn log(path: &Path, line: &str, most: u64) -> Result<(), NodeError> {
        let write = || {
            if fs::metadata(path).is_ok_and(|file| file.len() >= most) {
                fs::rename(path, path.with_extension("log.1"))?;
            }
            let mut file = File::options().create(true).append(true).open(path)?;
            file.write_all(format!("{line}\n").as_bytes())
        };
        write().map_err(|error: std::io::Error| failed(path, &error.to_string()))
    }

    /// 32 hex digits that nothing else has.
    pub(super) fn nonce() -> String {
        let half = || RandomState::new().hash_one((SystemTime::now(), std::process::id()));
        format!("{:016x}{:016x}", half(), half())
    }

    /// Deletes a file of the state; one that is gone is no error.
    pub(super) fn forget(&self, name: &str) -> Result<(), NodeError> {
        let path = self.state.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path, &error.to_string())),
            _ => Ok(()),
        }
    }

    /// The names of the files in a folder of the state, in order.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, NodeError> {
        let path = self.state.join(folder);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| failed(&path, &error.to_string()))?,
        };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// A text file of the machine; `None` when it is not there or cannot be read, as files of processes that end.
    pub(super) fn text(path: &Path) -> Option<String> {
        fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Changes lines of a file of the machine, whole or not at all; whether any was changed. One that is not there has no
    /// lines.
    pub(super) fn edit(path: &Path, change: impl Fn(&str) -> Option<String>) -> Result<bool, NodeError> {
        let Some(text) = bytes(path)? else { return Ok(false) };
        let text = String::from_utf8(text).map_err(|error| failed(path, &error.to_string()))?;
        let changed: String = text.lines().map(|line| change(line).unwrap_or_else(|| line.to_owned()) + "\n").collect();
        if changed == text {
            return Ok(false);
        }
        // Neither mount nor exportfs reads a file of this name.
        let next = path.with_extension("hpcctl-next");
        let write = fs::write(&next, changed).and_then(|()| fs::rename(&next, path));
        write.map(|()| true).map_err(|error| failed(path, &error.to_string()))
    }

    /// The names in a folder of the machine; none when it is not there.
    pub(super) fn entries(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }

    /// The slurm.conf that slurmd fetched, or two lines that lead Slurm's commands to slurmctld all the same.
    ///
    /// # Errors
    /// When neither is to be had.
    pub(super) fn slurm_conf(&self, fetched: &Path, cluster: &str, head: Option<&str>) -> Result<PathBuf, NodeError> {
        let Some(head) = head.filter(|_| !fetched.exists()) else { return Ok(fetched.to_owned()) };
        let path = self.state.join("slurm.conf");
        let text = format!("ClusterName={cluster}\nSlurmctldHost=head({head})\n");
        let write = || {
            fs::create_dir_all(&self.state)?;
            fs::write(&path, text)
        };
        write().map_err(|error| failed(&path, &error.to_string()))?;
        Ok(path)
    }

    /// Waits for a lock of the state and holds it until the file is dropped or the process ends.
    pub(super) fn lock(&self, name: &str) -> Result<File, NodeError> {
        let file = self.open_lock(name)?;
        file.lock().map_err(|error| failed(&self.state.join(name), &error.to_string()))?;
        Ok(file)
    }

    /// The lock, or `None` when another process holds it.
    pub(super) fn try_lock(&self, name: &str) -> Result<Option<File>, NodeError> {
        let file = self.open_lock(name)?;
        Ok(file.try_lock().is_ok().then_some(file))
    }

    /// Root's services and slurm's programs share the locks, whoever made them first.
    fn open_lock(&self, name: &str) -> Result<File, NodeError> {
        let path = self.state.join(name);
        let open = || {
            make_folder(&path)?;
            let existing = File::open(&path);
            match existing {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    File::options().create(true).truncate(false).write(true).mode(0o644).open(&path)
                }
                existing => existing,
            }
        };
        open().map_err(|error| failed(&path, &error.to_string()))
    }
}

/// Makes the folder of a file. A folder that root makes belongs to whom the one above it belongs, so that slurm's
/// programs can write there, too.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.exists()) else { return Ok(()) };
    fs::create_dir_all(folder)?;
    if let Some(above) = folder.parent() {
        let owner = fs::metadata(above)?;
        chown(folder, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, NodeError> {
    let Some(text) = bytes(path)? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).map_err(|error| failed(path, &error.to_string()))
}

/// What is in a file; `None`: there is none.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>, NodeError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(|error| failed(path, &error.to_string())),
    }
}

fn failed(path: &Path, words: &str) -> NodeError {
    NodeError::File { path: path.display().to_string(), words: words.to_owned() }
}
