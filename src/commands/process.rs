//! What this process is: for locks, and for Ctrl-C.

use crate::apply::{Owner, Stop};

/// This process as the owner of a lock.
pub fn owner(arn: &str) -> Owner {
    Owner { arn: arn.to_owned(), host: host(), pid: std::process::id() }
}

/// Whether an owner was a process of this machine that has died.
pub fn is_dead(owner: &Owner) -> bool {
    owner.host == host() && !std::path::Path::new(&format!("/proc/{}", owner.pid)).exists()
}

fn host() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// Asks to stop at the first Ctrl-C (or SIGTERM), and ends the process at the second.
pub async fn watch_signals(stop: Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_set() {
            std::process::exit(i32::from(crate::report::errors::exit::INTERRUPTED));
        }
        stop.set();
    }
}
