//! The sheet on which checks write what they find.

use super::{
    facts::Facts,
    finding::{Finding, Related},
    rules::Rule,
};
use crate::{
    catalog::InstanceType,
    spec::{Document, Node, NodeKind, Path, ProblemKind, Seg, Span, SubnetId},
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
};

/// What fills the gaps of a rule's words.
pub(super) type Args = Vec<(&'static str, String)>;

/// `args! { name: value, ... }`: what fills the gaps of a rule's words.
macro_rules! args {
    ($($name:ident: $value:expr),* $(,)?) => { vec![$((stringify!($name), $value.to_string())),*] };
}
pub(super) use args;

/// Findings, and what keeps them honest.
pub(super) struct Sheet<'a> {
    pub(super) doc: &'a Document,
    pub(super) facts: Facts<'a>,
    poisoned: BTreeSet<&'a Path>,
    /// Mappings that hold an unknown key, which may be the one that seems to be missing.
    with_unknown_key: HashSet<Path>,
    types: HashMap<String, Option<Rc<InstanceType>>>,
    zones: HashMap<&'a str, &'a str>,
    findings: Vec<Finding>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(doc: &'a Document, facts: &Facts<'a>) -> Self {
        let unknown = doc.problems.iter().filter(|problem| matches!(problem.kind, ProblemKind::UnknownKey { .. }));
        let zones = doc.cluster.iter().flat_map(|cluster| &cluster.network.subnet_zones);
        Self {
            doc,
            facts: *facts,
            poisoned: doc.poisoned.iter().collect(),
            with_unknown_key: unknown.map(|problem| problem.path.parent()).collect(),
            types: HashMap::new(),
            zones: zones.map(|entry| (entry.subnet.as_str(), entry.zone.as_str())).collect(),
            findings: Vec::new(),
        }
    }

    /// Writes down a finding whose caret stands below the value at `at`.
    pub(super) fn add(&mut self, rule: &'static Rule, at: Path, args: Args) {
        self.add_with(rule, at, Vec::new(), args);
    }

    /// Writes down a finding whose caret stands below the key at `at`: the key should not be there.
    pub(super) fn add_key(&mut self, rule: &'static Rule, at: Path, args: Args) {
        let span = self.key_span(&at);
        self.put(Finding { rule, at, span, related: Vec::new(), args });
    }

    /// Writes down that the key at `at` is missing; silent when an unknown key beside it may be that key.
    pub(super) fn add_missing(&mut self, rule: &'static Rule, at: Path, args: Args) {
        if !self.with_unknown_key.contains(&at.parent()) {
            let span = self.doc.span(&at);
            self.put(Finding { rule, at, span, related: Vec::new(), args });
        }
    }

    /// Like [`Sheet::add`], with other places that belong to it.
    pub(super) fn add_with(&mut self, rule: &'static Rule, at: Path, related: Vec<(Path, &'static str)>, args: Args) {
        let span = self.doc.span(&at);
        let related = related.into_iter().map(|(at, label)| Related { span: self.doc.span(&at), at, label });
        let related = related.collect();
        self.put(Finding { rule, at, span, related, args });
    }

    /// Writes down a finding at a place of the text, whatever the tree says.
    pub(super) fn add_at(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn put(&mut self, finding: Finding) {
        let honest = self.is_given(&finding.at) && finding.related.iter().all(|other| self.is_given(&other.at));
        if honest {
            self.findings.push(finding);
        }
    }

    /// Whether neither the value at `path` nor one above it is a stand-in.
    pub(super) fn is_given(&self, path: &Path) -> bool {
        if self.poisoned.is_empty() {
            return true;
        }
        let mut prefix = path.clone();
        loop {
            if self.poisoned.contains(&prefix) {
                return false;
            }
            if prefix.0.pop().is_none() {
                return true;
            }
        }
    }

    /// Whether no value at, above or below `path` is a stand-in.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        self.is_given(path) && self.poisoned.range::<&Path, _>(path..).next().is_none_or(|next| !path.contains(next))
    }

    /// The facts of an instance type; `None` when it is not known.
    pub(super) fn instance(&mut self, name: &str) -> Option<Rc<InstanceType>> {
        if let Some(known) = self.types.get(name) {
            return known.clone();
        }
        let found = self.facts.catalog.and_then(|catalog| catalog.get(name)).map(Rc::new);
        self.types.insert(name.to_owned(), found.clone());
        found
    }

    /// The zone in which a subnet lies, as the file or AWS says.
    pub(super) fn zone(&self, subnet: &SubnetId) -> Option<&'a str> {
        let told = self.zones.get(subnet.as_str()).copied();
        told.or_else(|| self.facts.ground?.zone(subnet.as_str()))
    }

    /// Whether the mapping at `at` holds an unknown key, which may be the one that seems to be missing.
    pub(super) fn may_be_misspelt(&self, at: &Path) -> bool {
        self.with_unknown_key.contains(at)
    }

    /// The keys of the mapping at `at`, in the order of the file.
    pub(super) fn keys(&self, at: &Path) -> Vec<String> {
        match self.node(at).map(|node| &node.kind) {
            Some(NodeKind::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn node(&self, path: &Path) -> Option<&'a Node> {
        path.0.iter().try_fold(self.doc.tree.as_ref()?, |node, seg| match seg {
            Seg::Key(key) => node.entry(key).map(|entry| &entry.value),
            Seg::Index(index) => node.item(*index),
        })
    }

    /// The line at which the value at `path` stands.
    pub(super) fn line(&self, path: &Path) -> usize {
        self.doc.line(path)
    }

    /// Where the last key of `path` stands; like [`Document::span`] for an element of a list.
    fn key_span(&self, path: &Path) -> Span {
        let Some(Seg::Key(key)) = path.0.last() else { return self.doc.span(path) };
        let entry = self.node(&path.parent()).and_then(|node| node.entry(key));
        entry.map_or_else(|| self.doc.span(path), |entry| entry.key_span)
    }

    /// All findings in the order of the file, each once.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        let order = |finding: &Finding| (finding.span.start, finding.span.line, finding.span.end, finding.rule.code);
        self.findings.sort_by_key(order);
        self.findings.dedup_by(|a, b| order(a) == order(b) && a.args == b.args);
        self.findings
    }
}

/// The word by which the file calls a value of a closed list.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A list for a gap such as `{allowed*}`.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join("\n")
}
