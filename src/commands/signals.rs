//! Ctrl-C, SIGTERM and a terminal that is closed, from the first moment of the process on.
//!
//! A thread of its own hears them, so nothing that the command does can be in the way. While a command works on a cloud, the
//! first signal asks it to stop: it ends in order and gives its lock back. Before and after that there is nothing to put in
//! order: the process ends.

use crate::{apply::Stop, report::errors::exit};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Who hears of signals; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// `None`: nobody listens.
    ear: Option<Arc<Mutex<Ear>>>,
}

#[derive(Debug, Default)]
struct Ear {
    /// The wish of whoever works.
    stop: Option<Stop>,
    /// Whether it was told to stop.
    told: bool,
}

impl Signals {
    /// Listens from now on. A process that is somebody's child, as the programs on nodes are, listens only while it works.
    pub fn listen() -> Self {
        if std::env::args_os().any(|word| word == "node" || word == "rehearsal") {
            return Self::default();
        }
        let ear = Arc::new(Mutex::new(Ear::default()));
        let (ready, listens) = mpsc::channel();
        let heard = ear.clone();
        let listener = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Some(mut heeded) = Heeded::open() else { return };
                let _ = ready.send(());
                loop {
                    let hangup = heeded.next().await;
                    arrived(&heard, hangup);
                }
            });
        };
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(listener);
        // An error: the thread has ended and hears nothing.
        match thread.is_ok() && listens.recv().is_ok() {
            true => Self { ear: Some(ear) },
            false => Self::default(),
        }
    }

    /// Runs work that hears of signals by its wish to stop.
    pub async fn during<T>(&self, stop: Stop, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        let Some(ear) = &self.ear else {
            // Polled first, so that it listens before the work begins.
            return tokio::select! {
                biased;
                () = watch(stop) => Err(Interrupted),
                result = work => Ok(result),
            };
        };
        *ear.lock().unwrap_or_else(PoisonError::into_inner) = Ear { stop: Some(stop), told: false };
        let result = work.await;
        *ear.lock().unwrap_or_else(PoisonError::into_inner) = Ear::default();
        Ok(result)
    }
}

/// Work was broken off.
#[derive(Debug)]
pub struct Interrupted;

/// Does what a signal asks for.
fn arrived(ear: &Mutex<Ear>, hangup: bool) {
    // Held until the process has ended: nobody begins to work meanwhile.
    let mut ear = ear.lock().unwrap_or_else(PoisonError::into_inner);
    match &ear.stop {
        Some(stop) if !ear.told => {
            stop.set();
            ear.told = true;
        }
        // The shell and the kernel both say that the terminal is gone.
        Some(_) if hangup => {}
        _ => std::process::exit(i32::from(exit::INTERRUPTED)),
    }
}

/// Asks to stop at the first signal, and ends the process at the second.
async fn watch(stop: Stop) {
    let Some(mut heeded) = Heeded::open() else { return std::future::pending().await };
    let ear = Mutex::new(Ear { stop: Some(stop), told: false });
    loop {
        let hangup = heeded.next().await;
        arrived(&ear, hangup);
    }
}

/// The signals that are heeded.
struct Heeded {
    interrupt: Signal,
    terminate: Signal,
    /// `None`: whoever began the process wants it to go on when the terminal is closed (`nohup`).
    hangup: Option<Signal>,
}

impl Heeded {
    fn open() -> Option<Self> {
        let hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup()).ok()?) };
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        Some(Self { interrupt, terminate: signal(SignalKind::terminate()).ok()?, hangup })
    }

    /// Waits for one; true: the terminal is gone.
    async fn next(&mut self) -> bool {
        let Self { interrupt, terminate, hangup } = self;
        let hung_up = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            _ = hung_up => true,
        }
    }
}

/// Whether SIGHUP was ignored when the process began: the first bit of the mask in `/proc/self/status` (proc(5)).
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
