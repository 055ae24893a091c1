//! A cluster file that has been read: text, tree, problems, and the typed cluster.

use super::{
    Cluster, Path, Seg,
    schema::cluster_schema,
    tree::{self, Node, Span},
    walk::{self, Problem, ProblemKind},
};

/// A cluster file that has been read.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file's name, as the user gave it.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
    /// The tree, when the text is YAML.
    pub tree: Option<Node>,
    /// What is wrong with text, keys and types.
    pub problems: Vec<Problem>,
    /// Places whose value in `cluster` is a stand-in and not the user's.
    pub poisoned: Vec<Path>,
    /// The cluster, with stand-ins where the file is wrong; `None` when the text is not YAML at all.
    pub cluster: Option<Cluster>,
}

/// Reads a cluster file. Never fails: what is wrong is in [`Document::problems`].
pub fn read(name: &str, text: &str) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (tree, mut problems) = tree::parse(text);
    let mut poisoned = Vec::new();
    let mut cluster = None;
    let stopped =
        |problem: &Problem| !matches!(problem.kind, ProblemKind::DuplicateKey { .. } | ProblemKind::UnknownAnchor);
    if let Some(tree) = tree.as_ref().filter(|_| !problems.iter().any(stopped)) {
        let walked = walk::walk(tree, cluster_schema());
        problems.extend(walked.problems);
        poisoned = walked.poisoned;
        match serde_json::from_value(walked.value) {
            Ok(typed) => cluster = Some(typed),
            Err(error) => problems.push(Problem {
                kind: ProblemKind::Internal { message: error.to_string() },
                path: Path::root(),
                span: tree.span,
            }),
        }
    }
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    Document { name: name.to_owned(), text: text.to_owned(), tree, problems, poisoned, cluster }
}

impl Document {
    /// Where the value at `path` stands; the nearest place above it when the file does not have it.
    ///
    /// For a mapping this is its key, not the whole block, so that a caret stays on one line.
    pub fn span(&self, path: &Path) -> Span {
        let Some(mut node) = self.tree.as_ref() else { return Span::default() };
        let mut span = Span { end: node.span.start, ..node.span };
        for seg in &path.0 {
            let next = match seg {
                Seg::Key(key) => node.entry(key).map(|entry| (&entry.value, entry.key_span)),
                Seg::Index(index) => node.item(*index).map(|item| (item, item.span)),
            };
            let Some((value, place)) = next else { break };
            span = match value.kind {
                tree::NodeKind::Map(_) | tree::NodeKind::Seq(_) => first_line(&self.text, place),
                _ => value.span,
            };
            if span.start == span.end {
                span = place;
            }
            node = value;
        }
        span
    }

    /// The line (from 1) at which the value at `path` stands.
    pub fn line(&self, path: &Path) -> usize {
        self.span(path).line
    }

    /// Whether the file itself gives a value at `path`.
    pub fn gives(&self, path: &Path) -> bool {
        let Some(mut node) = self.tree.as_ref() else { return false };
        for seg in &path.0 {
            let next = match seg {
                Seg::Key(key) => node.entry(key).map(|entry| &entry.value),
                Seg::Index(index) => node.item(*index),
            };
            let Some(next) = next else { return false };
            node = next;
        }
        true
    }

    /// Whether the value at `path`, or one above it, is a stand-in.
    pub fn is_poisoned(&self, path: &Path) -> bool {
        self.poisoned.iter().any(|poisoned| poisoned.contains(path))
    }

    /// Whether a value at or below `path` is a stand-in.
    pub fn is_poisoned_below(&self, path: &Path) -> bool {
        self.poisoned.iter().any(|poisoned| path.contains(poisoned) || poisoned.contains(path))
    }
}

/// The part of `span` on its first line.
fn first_line(text: &str, span: Span) -> Span {
    let slice = &text[span.start..span.end];
    let length = slice.find(['\n', '\r']).unwrap_or(slice.len());
    Span { end: span.start + length, ..span }
}
