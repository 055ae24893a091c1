//! Images of vendors that existing stacks were made with and that are gone: who takes the newest in their place, and who
//! stays as it is.
//!
//! An image stays what it was, for a newer one must not replace nodes by itself. One that was deregistered launches nothing
//! any more, so that launch templates take the newest; a head node that runs does not need its image until it is replaced.

use super::{Action, Change, Note, head::HEAD_ADDRESS};
use crate::{
    model::{Graph, ParameterSource, Stack, StackKey},
    observe::{Live, LiveStack},
};
use serde_json::Value;

/// CloudFormation looks values of this type up and refuses those that are not there; it does not look at a `String`.
const LOOKED_UP: &str = "AWS::EC2::Image::Id";

/// The image that a stack goes on with: what it has, or the newest when that launches nothing any more.
pub fn chosen<'l>(
    live: &'l Live,
    stack: &StackKey,
    before: Option<&'l String>,
    newest: Option<&'l String>,
    head_anew: bool,
) -> Option<&'l String> {
    match before {
        Some(image) if live.images_gone.contains(image) && renews(stack, head_anew) => newest.or(before),
        Some(image) => Some(image),
        None => newest,
    }
}

fn renews(stack: &StackKey, head_anew: bool) -> bool {
    *stack != StackKey::Head || head_anew
}

/// The images that are gone, of those that an existing stack was made with, by the parameter's name.
fn gone<'l>(stack: &'l Stack, live: &'l Live) -> impl Iterator<Item = (&'l String, &'l String)> {
    let exists = live.stacks.get(&stack.key).filter(|exists| !exists.state.status.must_be_recreated());
    stack.parameters.iter().filter_map(move |(name, parameter)| {
        let ParameterSource::Image { .. } = parameter.source else { return None };
        let image = exists?.state.parameters.get(name)?;
        live.images_gone.contains(image).then_some((name, image))
    })
}

/// Whether the head node is made anew while its image is gone: then its stack needs the newest one too.
pub fn head_needs_newest(graph: &Graph, live: &Live, changes: &[Change]) -> bool {
    let anew =
        |change: &Change| change.address == HEAD_ADDRESS && matches!(change.action, Action::Create | Action::Replace);
    changes.iter().any(anew)
        && graph.stacks.iter().any(|stack| stack.key == StackKey::Head && gone(stack, live).next().is_some())
}

/// The template of a stack that keeps an image that is gone, with its parameter as mere text, so that CloudFormation takes
/// what else changes; `None` when there is none. It stays text once it is.
pub fn settled(template: &Value, stack: &Stack, exists: &LiveStack, live: &Live, differs: bool) -> Option<Value> {
    let text = |name: &str| {
        exists.template.pointer(&format!("/Parameters/{name}/Type")).and_then(Value::as_str) == Some("String")
    };
    let mut settled = template.clone();
    let mut any = false;
    for (name, _) in gone(stack, live).filter(|(name, _)| differs || text(name)) {
        let kind = settled.pointer_mut(&format!("/Parameters/{name}/Type")).filter(|kind| **kind == LOOKED_UP);
        any |= kind.map(|kind| *kind = "String".into()).is_some();
    }
    any.then_some(settled)
}

/// What a reviewer must know of images that are gone.
pub fn notes(graph: &Graph, live: &Live, head_anew: bool) -> Vec<Note> {
    let of_stack = |stack: &Stack| {
        let one = |(name, image): (&String, &String)| {
            let ParameterSource::Image { os, architecture } = stack.parameters.get(name)?.source else { return None };
            let newest = live.images.get(&(os, architecture)).filter(|_| renews(&stack.key, head_anew));
            Some(Note::ImageGone { stack: stack.key.to_string(), image: image.clone(), instead: newest.cloned() })
        };
        gone(stack, live).filter_map(one).collect::<Vec<_>>()
    };
    graph.stacks.iter().flat_map(of_stack).collect()
}
