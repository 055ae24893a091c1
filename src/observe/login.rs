//! Login nodes whose set-up failed, as their consoles say it: they have no right to write it down anywhere else.

use super::Live;
use crate::cloud::{Cloud, InstanceState};

/// A login node that people cannot use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LoginFailure {
    /// Its instance.
    pub instance: String,
    /// Its name, `CLUSTER-login-POOL`.
    pub name: String,
    /// What its set-up said last.
    pub line: String,
    /// Whether it sets itself up again.
    pub tries_again: bool,
}

/// Asks all login nodes that there are. A console that cannot be read says nothing: whoever looks may not have the right.
pub async fn login_failures(cloud: &Cloud, live: &Live) -> Vec<LoginFailure> {
    let mut failures = Vec::new();
    for node in live.instances.iter().filter(|one| one.has_role("login") && one.is_alive()) {
        let Ok(Some(console)) = cloud.compute.console(&node.id).await else { continue };
        failures.extend(failure(node, &console));
    }
    failures
}

/// What a console says of a set-up that failed and has not come to its end since.
pub fn failure(node: &InstanceState, console: &str) -> Option<LoginFailure> {
    let (line, tries_again) = last_words(console)?;
    let name = node.tags.get("Name").cloned().unwrap_or_default();
    Some(LoginFailure { instance: node.id.clone(), name, line, tries_again })
}

fn last_words(console: &str) -> Option<(String, bool)> {
    let words = console.lines().rev().find_map(|line| {
        let (_, words) = line.split_once("hpcctl: ")?;
        ["set-up done", FAILED, AGAIN].iter().any(|known| words.starts_with(known)).then(|| words.trim_end())
    })?;
    let line = words.strip_prefix(FAILED).or_else(|| words.strip_prefix(AGAIN))?;
    Some((line.to_owned(), words.starts_with(AGAIN)))
}

/// How templates/shell/login.sh puts it.
const FAILED: &str = "set-up failed: ";
const AGAIN: &str = "the set-up starts again in a minute: ";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let again = "[   9.1] cloud-init[7]: 2026-01-01T00:00:00Z hpcctl: the set-up starts again in a minute: cannot mount /home\r\n";
        assert_eq!(last_words(again), Some(("cannot mount /home".to_owned(), true)));
        let failed = format!("{again}2026-01-01T00:20:00Z hpcctl: set-up failed: line 7: false\n\nlogin: ");
        assert_eq!(last_words(&failed), Some(("line 7: false".to_owned(), false)));
        assert_eq!(last_words(&format!("{failed}2026-01-01T00:30:00Z hpcctl: set-up done\n")), None);
        assert_eq!(last_words("hpcctl: waiting until the head node says where it is\n"), None);
    }
}
