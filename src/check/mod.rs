//! CHECK: a read cluster file and facts in, findings out: every mistake at once, each with its place.
//!
//! [`rules`] is the table of all rules: code, severity, and the words about it, with `{named}` gaps.
//! A [`Finding`] is data: which rule, where, and what fills the gaps; `report` makes sentences of it.
//! `structure` turns the problems of reading into findings; the other files hold the rules between keys,
//! one noun each, and put what they find on a `sheet`, which stays silent about values that the user did
//! not write (poisoned places). All of it is linear in the size of the file.
//!
//! This room formats no text, stops at no finding, and asks no cloud.

mod accounting;
mod arn;
mod cidr;
mod efa;
mod facts;
mod finding;
mod iam;
mod images;
mod input;
mod instances;
mod interruption;
mod limits;
mod lustre;
mod monitoring;
mod mounts;
mod network;
mod nodes;
mod options;
mod pool;
mod preflight;
mod preflight_nodes;
mod preflight_things;
mod queue;
mod repository;
mod reservation;
pub mod rules;
mod secrets;
mod sheet;
mod slurm;
mod slurm_words;
mod storage;
mod structure;
mod subnets;
mod tags;
mod time_limit;
mod volumes;

pub use facts::{Facts, RoleSize};
pub use finding::{Finding, Related};
pub use input::{MAX_BYTES, no_character, not_utf8, other_encoding, too_large, unreadable};
pub use rules::{RULES, Rule, Severity, names::SECRET_IN_CLEAR};

use crate::spec::Document;

/// Every mistake in a file, in the order of the file.
pub fn check(doc: &Document, facts: &Facts) -> Vec<Finding> {
    let mut sheet = sheet::Sheet::new(doc, facts);
    structure::check(&mut sheet);
    if let Some(cluster) = &doc.cluster {
        network::check(&mut sheet, cluster);
        subnets::check(&mut sheet, cluster);
        nodes::check(&mut sheet, cluster);
        queue::check(&mut sheet, cluster);
        storage::check(&mut sheet, cluster);
        accounting::check(&mut sheet, cluster);
        slurm::check(&mut sheet, cluster);
        monitoring::check(&mut sheet, cluster);
        tags::check(&mut sheet, cluster);
        arn::check(&mut sheet, cluster);
        secrets::check(&mut sheet, cluster);
        preflight::check(&mut sheet, cluster);
        images::check(&mut sheet, cluster);
        limits::roles(&mut sheet);
    }
    sheet.finish()
}
