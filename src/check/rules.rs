//! The table of rules, one file for each hundred codes.
//!
//! A gap such as `{type}` is filled with one value, `{types*}` with a list. Where a text holds ` || `, the
//! first part all of whose gaps are filled is the one to show.

/// Declares rules: a static for each, and the list of all in the file.
macro_rules! rules {
    ($($code:literal $id:ident $severity:ident $name:literal $title:literal
       $message:literal $remedy:literal $explanation:literal)*) => {
        $(
            #[doc = $title]
            pub static $id: Rule = Rule {
                code: $code,
                name: $name,
                severity: Severity::$severity,
                title: $title,
                message: $message,
                remedy: $remedy,
                explanation: $explanation,
            };
        )*
        pub(super) const RULES: &[&Rule] = &[$(&$id),*];
    };
}

pub mod capacity;
pub mod export;
pub mod images;
pub mod limits;
pub mod monitoring;
pub mod names;
pub mod network;
pub mod nodes;
pub mod preflight;
pub mod rights;
pub mod slurm;
pub mod storage;
pub mod structure;
pub mod told;
pub mod unsupported;
pub mod volumes;

/// A rule that a cluster file must keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code, printed as `HPC1034`.
    pub code: u16,
    /// Its short name, such as `efa-unsupported`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The rule in one line.
    pub title: &'static str,
    /// What is wrong, with `{named}` gaps.
    pub message: &'static str,
    /// What to do, with `{named}` gaps.
    pub remedy: &'static str,
    /// Why the rule is there, and where it comes from; markdown.
    pub explanation: &'static str,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The cluster cannot be built like this.
    Error,
    /// It can, but it is probably not meant.
    Warning,
}

const PARTS: &[&[&Rule]] = &[
    structure::RULES,
    names::RULES,
    network::RULES,
    nodes::RULES,
    capacity::RULES,
    storage::RULES,
    volumes::RULES,
    slurm::RULES,
    monitoring::RULES,
    told::RULES,
    export::RULES,
    images::RULES,
    rights::RULES,
    preflight::RULES,
    limits::RULES,
    unsupported::RULES,
];

const COUNT: usize = {
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

static ALL: [&Rule; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut to) = (0, 0);
    while part < PARTS.len() {
        let mut from = 0;
        while from < PARTS[part].len() {
            all[to] = PARTS[part][from];
            from += 1;
            to += 1;
        }
        part += 1;
    }
    all
};

/// Every rule, in the order of the codes.
pub static RULES: &[&Rule] = &ALL;

impl Rule {
    /// The code as people read it, such as `HPC1034`.
    pub fn id(&self) -> String {
        format!("HPC{}", self.code)
    }
}

/// The rule that `text` names: `HPC1034`, `hpc1034`, `1034`, or its short name.
pub fn find(text: &str) -> Option<&'static Rule> {
    let text = text.trim().to_ascii_lowercase();
    let code: Option<u16> = text.strip_prefix("hpc").unwrap_or(&text).parse().ok();
    RULES.iter().copied().find(|rule| Some(rule.code) == code || rule.name == text)
}
