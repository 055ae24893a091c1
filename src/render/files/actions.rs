//! Custom actions as the scripts call them.

use crate::spec::{CustomAction, CustomActions};
use serde::Serialize;

/// The actions of a node, numbered from 1 at each moment.
#[derive(Debug, Default, Serialize)]
pub(super) struct Actions {
    on_start: Vec<Action>,
    on_configured: Vec<Action>,
    on_updated: Vec<Action>,
}

/// One script with its arguments.
#[derive(Debug, Serialize)]
struct Action {
    number: usize,
    script: String,
    args: Vec<String>,
}

/// The actions, none when there are none.
pub(super) fn actions(of: Option<&CustomActions>) -> Actions {
    let Some(CustomActions { on_start, on_configured, on_updated }) = of else { return Actions::default() };
    Actions { on_start: numbered(on_start), on_configured: numbered(on_configured), on_updated: numbered(on_updated) }
}

fn numbered(actions: &[CustomAction]) -> Vec<Action> {
    let one = |(index, CustomAction { script, args }): (usize, &CustomAction)| Action {
        number: index + 1,
        script: script.to_string(),
        args: args.clone(),
    };
    actions.iter().enumerate().map(one).collect()
}
