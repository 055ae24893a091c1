//! What the sandbox reads that others have written. `tests/fuzz.rs` feeds it.

use super::{control::Sandbox, faults::Script, iam, operations, store::Store, template::Template};
use crate::cloud::Stacks;
use serde_json::Value;
use std::path::Path;

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] =
    &[("template", template), ("faults", faults), ("iam-policy", policy), ("sandbox-state", state)];

fn template(text: &[u8]) -> bool {
    Template::parse(&String::from_utf8_lossy(text)).is_ok()
}

fn faults(text: &[u8]) -> bool {
    serde_json::from_slice::<Script>(text).is_ok_and(|script| operations::misnamed(&script).is_none())
}

fn policy(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok_and(|document| iam::Policy::parse(&document).is_ok())
}

/// The state, and what happens next in it.
fn state(text: &[u8]) -> bool {
    let store = Store::new(Some(Path::new("account.json")));
    let Ok(world) = store.parse(&String::from_utf8_lossy(text)) else { return false };
    let sandbox = Sandbox::of(world);
    // A sandbox never waits for anything outside: its futures are ready at once.
    futures_util::FutureExt::now_or_never(sandbox.all_stacks()).is_some_and(|stacks| stacks.is_ok())
}
