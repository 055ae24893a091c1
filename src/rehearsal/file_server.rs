//! The file server: what Lustre, EFS and NFS mounts of machines show.

use super::{Place, RehearsalError, error::failed, machine::run as run_program};
use std::fs;

/// File systems that the machines of a rehearsal can mount.
const FILE_SYSTEMS: usize = 16;

/// Makes empty file systems, each a device of its own as Lustre is one: `fuser --mount` must not find the users of another.
/// Machines take the next free one (`share-name` in their image). They end with the rehearsal.
pub(super) async fn start(place: &Place) -> Result<(), RehearsalError> {
    let shared = place.file("shared");
    let mount = async |at: &std::path::Path| {
        fs::create_dir_all(at).map_err(|error| failed(at, &error))?;
        run_program("mount", &["-t", "tmpfs", "-o", "mode=755", "shared", &at.to_string_lossy()]).await
    };
    mount(&shared).await?;
    for number in 0..FILE_SYSTEMS {
        mount(&shared.join(number.to_string())).await?;
    }
    Ok(())
}
