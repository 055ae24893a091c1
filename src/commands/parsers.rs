//! The files that commands are given. `tests/fuzz.rs` feeds them.

use super::{saved::saved, validate::check_bytes};
use crate::{
    catalog::InstanceCatalog,
    check::Facts,
    cloud::{Timestamp, wrong_answer},
    observe::SlurmReport,
    report::{
        findings,
        paint::Paint,
        plan_markdown::plan_markdown,
        plan_text::{PlanView, plan_text},
        slurm,
    },
    spec,
};

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] = &[
    ("cluster-file", cluster_file),
    ("cluster-path", |text| !spec::Path::parse(&String::from_utf8_lossy(text)).to_string().is_empty()),
    ("plan", plan),
    ("answer-of-aws", answer),
    ("status-of-head", status),
    ("instance-catalog", |text| InstanceCatalog::from_text(&String::from_utf8_lossy(text)).is_ok()),
];

/// A cluster file, what is found in it, and when nothing is, all that is made of it.
fn cluster_file(text: &[u8]) -> bool {
    let facts = Facts { catalog: Some(InstanceCatalog::embedded()), ..Facts::default() };
    let checked = check_bytes("fuzz.yaml", text.to_vec(), &facts);
    drop(findings::text(&checked.view(), false));
    !checked.has_errors()
}

/// A plan as `show` and `apply` read it.
fn plan(text: &[u8]) -> bool {
    let Ok(plan) = saved(&String::from_utf8_lossy(text)) else { return false };
    plan.is_intact();
    drop(plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: true }));
    drop(plan_markdown(&plan, &[]));
    true
}

fn answer(body: &[u8]) -> bool {
    wrong_answer("S3", false, body);
    wrong_answer("EC2", true, body).is_none()
}

/// What the head node reports, as `status` shows it.
fn status(text: &[u8]) -> bool {
    let Some(report) = SlurmReport::parse(text) else { return false };
    let mut out = String::new();
    slurm::text(&report, Timestamp(1_767_225_600), Paint::PLAIN, &mut out);
    !out.is_empty()
}
