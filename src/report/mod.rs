//! REPORT: everybody's data in, views out: text, JSON, markdown and more. Sentences are made here and nowhere
//! else, so that all views agree. Only `commands` imports this room.

pub mod codes;
pub mod errors;
pub mod events;
pub mod findings;
pub mod head;
pub mod kept;
pub mod node;
pub mod operate;
pub mod paint;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
mod refusals;
pub mod slurm;
pub mod status;
pub mod values;
pub mod words;
