//! The state file: one JSON document, written whole, guarded by a lock file.

use super::world::{FORMAT_VERSION, KIND, World};
use crate::cloud::{CloudError, ErrorKind, Result, read_text};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The largest state file, in bytes.
const MOST: u64 = 256 << 20;

/// Where the world is kept.
pub(super) struct Store {
    /// `None`: in memory only. May be a link to where a rehearsal keeps the file.
    given: Option<PathBuf>,
    /// What `given` leads to, since the lock was last taken.
    path: Option<PathBuf>,
    /// What the file looked like when it was last read or written.
    seen: Option<Stamp>,
}

#[derive(PartialEq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// Holds the advisory lock; the system lets go of it when the process ends.
pub(super) struct Guard(#[allow(dead_code, reason = "held until it is dropped")] Option<File>);

impl Store {
    pub(super) fn new(path: Option<&Path>) -> Self {
        Self { given: path.map(Path::to_owned), path: path.map(target), seen: None }
    }

    /// Waits for other processes to finish their call.
    pub(super) fn lock(&mut self) -> Result<Guard> {
        loop {
            let guard = self.lock_once()?;
            // Somebody may have moved the file away and left a link.
            let leads_to = self.given.as_deref().map(target);
            if leads_to == self.path {
                return Ok(guard);
            }
            self.path = leads_to;
        }
    }

    fn lock_once(&self) -> Result<Guard> {
        let Some(path) = &self.path else { return Ok(Guard(None)) };
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|e| self.unusable(&format!("cannot make its folder: {e}")))?;
        }
        let lock = File::options().create(true).truncate(false).write(true).open(beside(path, "lock"));
        let lock = lock.and_then(|file| file.lock().map(|()| file));
        lock.map(|file| Guard(Some(file))).map_err(|e| self.unusable(&format!("cannot be locked: {e}")))
    }

    /// The world in the file, when it is not the one that was last seen; call with the lock held.
    pub(super) fn read_if_changed(&mut self) -> Result<Option<World>> {
        let Some(path) = &self.path else { return Ok(None) };
        let stamp = stamp(path);
        if stamp == self.seen {
            return Ok(None);
        }
        if stamp.is_none() {
            // Somebody removed the file: begin anew, as they meant.
            self.seen = None;
            return Ok(Some(World::default()));
        }
        let text = read_text(path, MOST).map_err(|e| self.unusable(&format!("cannot be read: {e}")))?;
        let world = self.parse(&text)?;
        self.seen = stamp;
        Ok(Some(world))
    }

    pub(super) fn parse(&self, text: &str) -> Result<World> {
        #[derive(serde::Deserialize)]
        struct Header {
            kind: String,
            format_version: u32,
        }
        let header: Header =
            serde_json::from_str(text).map_err(|e| self.error(&format!("is damaged or no sandbox state: {e}")))?;
        if header.kind != KIND {
            return Err(self.error(&format!("is of kind `{}`, not `{KIND}`", header.kind)));
        }
        if header.format_version != FORMAT_VERSION {
            let version = header.format_version;
            return Err(self.error(&format!("has format version {version}; this program reads {FORMAT_VERSION}")));
        }
        serde_json::from_str(text).map_err(|e| self.error(&format!("is damaged: {e}")))
    }

    /// Writes the world beside the file and renames it over; call with the lock held.
    pub(super) fn write(&mut self, world: &World) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut text =
            serde_json::to_vec_pretty(world).map_err(|e| self.unusable(&format!("cannot be put in words: {e}")))?;
        text.push(b'\n');
        let next = beside(path, "next");
        // Left by a process that died, maybe another user's.
        fs::remove_file(&next).ok();
        let written = File::create(&next).and_then(|mut file| file.write_all(&text));
        written
            .and_then(|()| fs::rename(&next, path))
            .map_err(|e| self.unusable(&format!("cannot be written: {e}")))?;
        self.seen = stamp(path);
        Ok(())
    }

    /// The file itself is not what it should be.
    fn error(&self, what: &str) -> CloudError {
        self.unusable(&format!("{what}; move it away to begin with an empty account"))
    }

    /// The disk or the rights to it fail; the file is left as it was.
    fn unusable(&self, what: &str) -> CloudError {
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        CloudError {
            kind: ErrorKind::Invalid,
            service: "sandbox",
            operation: "State",
            code: None,
            message: format!("the state file `{path}` {what}"),
            request_id: None,
        }
    }
}

/// What a link leads to; the path itself when it is none.
fn target(path: &Path) -> PathBuf {
    match fs::read_link(path) {
        Ok(to) => path.parent().unwrap_or(Path::new("")).join(to),
        Err(_) => path.to_owned(),
    }
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&data);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { modified: data.modified().ok(), length: data.len(), inode })
}
