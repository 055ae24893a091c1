//! Waiting for the head node: a cluster is made when its head node reports the revision that it runs.

use super::{ApplyError, Console, Event, HeadSilence, Listener, Stop, context::Pace};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind},
    observe::{HeadFailure, HeadNode, HeadSays, head_instance},
};

/// Seconds between two words about a head node that has not reported yet.
const TELL: i64 = 60;
/// Seconds between two looks at the instance itself.
const LOOK: i64 = 60;
/// Lines of a console that are kept.
const LINES: usize = 20;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadWait {
    /// The artifact bucket.
    pub bucket: String,
    /// The cluster.
    pub cluster: String,
    /// The revision that the head node is to report, or a newer one.
    pub revision: u64,
    /// For how many seconds at most.
    pub limit: u32,
    /// Whether it was published before, and may have failed before.
    pub again: bool,
}

/// Waits until the head node reports the revision; true: it had done so before.
///
/// A cloud that does not answer is asked again until time is up. A failure that was there before, of a set-up that the
/// head node tries again by itself, counts only when it has not been mended in time.
///
/// # Errors
/// When its set-up fails, when it does not report in time or does not run, or when somebody does not want to wait any
/// longer.
pub async fn await_head(
    cloud: &Cloud,
    wait: &HeadWait,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<bool, ApplyError> {
    let mut watch = Watch { cloud, wait, listener, instance: None, known: None, told: 0, looked: 0, unseen: false };
    let (began, mut pace, mut first) = (cloud.clock.now(), Pace::new(), true);
    let mut head = None;
    loop {
        let seconds = cloud.clock.now().0 - began.0;
        match watch.look(seconds).await {
            Ok(Some(seen)) if seen.runs(wait.revision) => return Ok(first),
            Ok(Some(seen)) => head = Some(watch.judge(seen, first)?),
            Ok(None) => {}
            Err(error) => watch.pass(error)?,
        }
        first = false;
        let state = watch.ended(seconds).await?;
        if state.is_some() || seconds >= i64::from(wait.limit) {
            return Err(watch.give_up(head, seconds, state).await);
        }
        if stop.is_set() {
            return Err(ApplyError::StoppedWaiting { revision: wait.revision });
        }
        watch.tell(seconds, head.as_ref());
        cloud.clock.sleep(pace.next_pause()).await;
    }
}

struct Watch<'a> {
    cloud: &'a Cloud,
    wait: &'a HeadWait,
    listener: &'a dyn Listener,
    instance: Option<String>,
    /// The failure that was there before.
    known: Option<HeadFailure>,
    told: i64,
    looked: i64,
    /// Whether the cloud did not answer when it was asked last.
    unseen: bool,
}

impl Watch<'_> {
    async fn look(&mut self, seconds: i64) -> Result<Option<HeadNode>, CloudError> {
        if self.instance.is_none() {
            self.instance = head_instance(self.cloud, &self.wait.cluster).await?;
            self.looked = seconds;
        }
        let says = HeadSays::read(self.cloud, &self.wait.bucket, &self.wait.cluster).await?;
        self.unseen = false;
        Ok(self.instance.as_ref().map(|instance| says.of_instance(instance, None)))
    }

    /// Ends the wait for a failure that nobody mends by itself.
    fn judge(&mut self, head: HeadNode, first: bool) -> Result<HeadNode, ApplyError> {
        let failure = head.failure_of(self.wait.revision).cloned();
        if first && self.wait.again {
            self.known = failure.clone().filter(|failure| failure.tries_again);
        }
        match failure {
            Some(failure) if Some(&failure) != self.known.as_ref() => Err(self.failed(&head, failure)),
            _ => Ok(head),
        }
    }

    fn failed(&self, head: &HeadNode, failure: HeadFailure) -> ApplyError {
        ApplyError::HeadFailed { revision: self.wait.revision, instance: head.instance.clone(), failure }
    }

    /// Passes over an error that may be over soon.
    fn pass(&mut self, error: CloudError) -> Result<(), ApplyError> {
        if !matches!(error.kind, ErrorKind::Network | ErrorKind::Throttled | ErrorKind::Unavailable) {
            return Err(error.into());
        }
        if !std::mem::replace(&mut self.unseen, true) {
            self.tell_event(&Event::HeadUnseen { error: error.to_string() });
        }
        Ok(())
    }

    /// EC2's word for the state of an instance that does not run and will not by itself.
    async fn ended(&mut self, seconds: i64) -> Result<Option<String>, ApplyError> {
        let Some(instance) = self.instance.clone().filter(|_| seconds - self.looked >= LOOK) else { return Ok(None) };
        self.looked = seconds;
        match self.cloud.compute.instances(std::slice::from_ref(&instance)).await {
            Ok(found) => match found.into_iter().find(|one| one.id == instance) {
                // EC2 forgets what has ended after a while.
                None => Ok(Some("gone".to_owned())),
                Some(one) => Ok(Some(one).filter(|one| !one.is_alive()).map(|one| one.state)),
            },
            Err(error) => self.pass(error).map(|()| None),
        }
    }

    async fn give_up(&self, head: Option<HeadNode>, seconds: i64, state: Option<String>) -> ApplyError {
        // Who has ended tries nothing again.
        if let (Some(head), Some(failure), None) = (&head, self.known.clone(), &state) {
            return self.failed(head, failure);
        }
        let console = match &self.instance {
            None => Console::Empty,
            Some(instance) => match self.cloud.compute.console(instance).await {
                Ok(Some(text)) => last_lines(&text),
                Ok(None) => Console::Empty,
                Err(error) => Console::Unknown(error),
            },
        };
        let reported = head.and_then(|head| head.reported);
        let (revision, instance) = (self.wait.revision, self.instance.clone());
        ApplyError::HeadSilent(Box::new(HeadSilence { revision, instance, seconds, reported, state, console }))
    }

    fn tell(&mut self, seconds: i64, head: Option<&HeadNode>) {
        if seconds - self.told >= TELL {
            self.told = seconds;
            let reported = head.and_then(|head| head.reported);
            self.tell_event(&Event::HeadAwaited { revision: self.wait.revision, seconds, reported });
        }
    }

    fn tell_event(&self, event: &Event) {
        self.listener.event(self.cloud.clock.now(), event);
    }
}

fn last_lines(text: &str) -> Console {
    let lines: Vec<String> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(printable).collect();
    if lines.is_empty() { Console::Empty } else { Console::Lines(lines[lines.len().saturating_sub(LINES)..].to_vec()) }
}

/// A console is a terminal's: what moves cursors and colours words is left out.
fn printable(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            let _ = letters.by_ref().find(|next| next.is_ascii_alphabetic());
        } else if !letter.is_control() {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_console_is_plain_text() {
        let text = format!("{}\u{1b}[0;1;31mFailed\u{1b}[0m to mount\r\n\n", "line\n".repeat(30));
        let Console::Lines(lines) = last_lines(&text) else { panic!("no lines") };
        assert_eq!((lines.len(), lines[19].as_str()), (LINES, "Failed to mount"));
        assert_eq!(last_lines("\r\n\n"), Console::Empty);
    }
}
