//! REPORT: data in, views out: text, JSON, markdown, SARIF, and the words of pull requests.
//!
//! Every sentence that a person reads about findings is made here, from data that the other rooms made.
//! This room decides nothing, does no I/O, and is imported by `commands` alone.

pub mod findings;
