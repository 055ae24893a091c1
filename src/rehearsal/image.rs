//! What machines are made of: `templates/rehearsal/`, carried by the program.

use super::error::{RehearsalError, failed};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

/// Files under `templates/rehearsal/`, each with its mode.
macro_rules! files {
    ($($mode:literal $name:literal),+ $(,)?) => {
        &[$(($name, $mode, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/rehearsal/", $name)))),+]
    };
}

const FILES: &[(&str, u32, &str)] = files![
    0o755 "machine.sh",
    0o755 "image/usr/bin/aws",
    0o755 "image/usr/bin/systemctl",
    0o755 "image/usr/lib/rehearsal/before/slurmctld",
    0o755 "image/usr/lib/rehearsal/hpcctl",
    0o755 "image/usr/lib/rehearsal/present",
    0o755 "image/usr/lib/rehearsal/share-name",
    0o755 "image/usr/lib/rehearsal/unit",
    0o644 "image/usr/lib/systemd/system/nfs-kernel-server.service",
    0o755 "image/usr/sbin/exportfs",
    0o755 "image/usr/sbin/mount.lustre",
];

/// Links, and what they lead to.
const LINKS: &[(&str, &str)] = &[
    ("image/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", PRESENT),
    ("image/usr/bin/apt-get", PRESENT),
    ("image/usr/bin/dpkg-query", PRESENT),
    ("image/usr/bin/hostnamectl", PRESENT),
    ("image/usr/sbin/modinfo", PRESENT),
    ("image/usr/sbin/mount.efs", "mount.lustre"),
    ("image/usr/sbin/mount.nfs4", "mount.lustre"),
];
const PRESENT: &str = "/usr/lib/rehearsal/present";

/// Writes everything below a directory.
pub(super) fn unpack(to: &Path) -> Result<(), RehearsalError> {
    for (name, mode, text) in FILES {
        write(&to.join(name), |path| {
            fs::write(path, text)?;
            fs::set_permissions(path, fs::Permissions::from_mode(*mode))
        })?;
    }
    for (name, target) in LINKS {
        write(&to.join(name), |path| {
            fs::remove_file(path).ok();
            symlink(target, path)
        })?;
    }
    Ok(())
}

fn write(path: &Path, work: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), RehearsalError> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| work(path)).map_err(|error| failed(path, &error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// What is in the source tree and what the program carries must be the same.
    #[test]
    fn nothing_of_the_image_is_forgotten() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("templates/rehearsal");
        let (mut folders, mut found) = (vec![root.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                match fs::symlink_metadata(&path).unwrap() {
                    data if data.is_dir() => folders.push(path),
                    data if data.is_symlink() => {
                        let target = fs::read_link(&path).unwrap().to_string_lossy().into_owned();
                        assert!(LINKS.contains(&(&name, &target)), "{name} -> {target} is not carried");
                        found.push(name);
                    }
                    data => {
                        // A checkout has what the umask leaves of a mode; who may execute does not hang on it.
                        let runs = |mode: u32| mode & 0o100 != 0;
                        let known = FILES.iter().find(|(file, ..)| *file == name);
                        assert_eq!(known.map(|known| runs(known.1)), Some(runs(data.permissions().mode())), "{name}");
                        found.push(name);
                    }
                }
            }
        }
        assert_eq!(found.len(), FILES.len() + LINKS.len());
    }
}
