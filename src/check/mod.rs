//! CHECK: a read cluster file and facts in, findings out: every mistake at once, each with its place.
//!
//! [`rules`] is the table of all rules: code, severity, and the words about it, with `{named}` gaps.
//! A [`Finding`] is data: which rule, where, and what fills the gaps; `report` makes sentences of it.
//! This room formats no text, stops at no finding, and asks no cloud.

mod finding;
pub mod rules;

pub use finding::{Finding, Related};
pub use rules::{Rule, Severity};
