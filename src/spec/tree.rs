//! YAML read into a tree in which every key and every value knows its place.
//!
//! Scalars follow the YAML 1.2 core schema, so `no`, `on` and `12:30` stay strings. Anchors, aliases and
//! merge keys (`<<`) are resolved here, within limits that keep a small file from becoming a large one.

use super::walk::{Problem, ProblemKind};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// The most levels that a file may nest.
const MAX_DEPTH: usize = 64;
/// The most values a file may hold once its aliases are resolved.
const MAX_NODES: usize = 500_000;

/// A range of bytes in a file, with the line and column (both from 1) where it begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// The column of the first byte in characters, from 1.
    pub column: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value stands.
    pub span: Span,
    /// The value.
    pub kind: NodeKind,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(String),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping, in the order of the file, without duplicates.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entry of a mapping with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            NodeKind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The element of a sequence at this index.
    pub fn item(&self, index: usize) -> Option<&Node> {
        match &self.kind {
            NodeKind::Seq(items) => items.get(index),
            _ => None,
        }
    }
}

/// Reads the one document in `text`.
///
/// Gives the tree, as far as one could be made, and the problems met on the way: a syntax error (the parser
/// stops at the first), duplicate keys, unknown anchors, a file that is empty, too deep or too large.
pub fn parse(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut builder = Builder::new(text);
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::DocumentStart(_), span)) => {
                documents += 1;
                if documents > 1 {
                    builder.problem(ProblemKind::SecondDocument, builder.span(&span));
                    break;
                }
            }
            Ok((event, span)) => {
                if !builder.event(event, &span) {
                    break;
                }
            }
            Err(error) => {
                builder.syntax(error.marker(), error.info());
                break;
            }
        }
    }
    builder.finish()
}

struct Builder<'a> {
    text: &'a str,
    /// Byte offset of every character, when the text is not plain ASCII.
    offsets: Option<Vec<usize>>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

enum Frame {
    Seq { span: Span, anchor: usize, items: Vec<Node>, size: usize },
    Map { span: Span, anchor: usize, map: Entries, key: Option<(String, Span)>, merges: Vec<Node>, size: usize },
}

/// The entries of a mapping, and where each key stands first.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    seen: HashMap<String, Span>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let offsets = (!text.is_ascii())
            .then(|| text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).collect());
        Self { text, offsets, stack: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, problems: Vec::new() }
    }

    fn byte(&self, chars: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(chars).copied().unwrap_or(self.text.len()),
            None => chars.min(self.text.len()),
        }
    }

    fn span(&self, span: &saphyr_parser::Span) -> Span {
        let start = self.byte(span.start.index());
        let mut end = self.byte(span.end.index()).max(start);
        while end > start && self.text.as_bytes()[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        Span { start, end, line: span.start.line(), column: span.start.col() + 1 }
    }

    fn problem(&mut self, kind: ProblemKind, span: Span) {
        self.problems.push(Problem { kind, path: super::Path::root(), span });
    }

    fn syntax(&mut self, at: &saphyr_parser::Marker, info: &str) {
        let start = self.byte(at.index());
        let span = Span { start, end: start, line: at.line(), column: at.col() + 1 };
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or("");
        let indent = &line[..line.len() - line.trim_start().len()];
        if indent.contains('\t') {
            let start = line_start + indent.find('\t').unwrap_or(0);
            let column = start - line_start + 1;
            self.problem(ProblemKind::Tab, Span { start, end: start + 1, line: at.line(), column });
        } else if info.ends_with("unknown anchor") {
            let word = self.text[start..].split(|c: char| c.is_whitespace() || ",]}".contains(c)).next().unwrap_or("");
            self.problem(ProblemKind::UnknownAnchor, Span { end: start + word.len(), ..span });
        } else {
            self.problem(ProblemKind::Syntax { message: info.to_owned() }, span);
        }
    }

    /// Takes one event; false: stop here.
    fn event(&mut self, event: Event<'_>, at: &saphyr_parser::Span) -> bool {
        let span = self.span(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                if let Some(Frame::Map { key: key @ None, .. }) = self.stack.last_mut() {
                    *key = Some((text.into_owned(), span));
                    return true;
                }
                let kind = if quoted { NodeKind::Str(text.into_owned()) } else { resolve(&text) };
                self.value(Node { span, kind }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.push(Frame::Seq { span, anchor, items: Vec::new(), size: 1 }),
            Event::MappingStart(anchor, _) => {
                self.push(Frame::Map { span, anchor, map: Entries::default(), key: None, merges: Vec::new(), size: 1 })
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop(&span),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((_, size)) if self.nodes + size > MAX_NODES => {
                    self.problem(ProblemKind::TooLarge { max: MAX_NODES }, span);
                    false
                }
                Some((node, size)) => {
                    let (node, size) = (Node { span, kind: node.kind.clone() }, *size);
                    self.value(node, 0, size)
                }
                None => {
                    self.problem(ProblemKind::UnknownAnchor, span);
                    self.value(Node { span, kind: NodeKind::Null }, 0, 1)
                }
            },
            _ => true,
        }
    }

    fn push(&mut self, frame: Frame) -> bool {
        let span = match &frame {
            Frame::Seq { span, .. } | Frame::Map { span, .. } => *span,
        };
        if let Some(Frame::Map { key: None, .. }) = self.stack.last() {
            self.problem(ProblemKind::Syntax { message: "a mapping or list cannot be a key".to_owned() }, span);
            return false;
        }
        if self.stack.len() >= MAX_DEPTH {
            self.problem(ProblemKind::TooDeep { max: MAX_DEPTH }, span);
            return false;
        }
        self.stack.push(frame);
        true
    }

    fn pop(&mut self, end: &Span) -> bool {
        match self.stack.pop() {
            Some(Frame::Seq { span, anchor, items, size }) => {
                let last = items.last().map_or(span.end, |node| node.span.end);
                let node = Node { span: self.extended(span, last, end), kind: NodeKind::Seq(items) };
                self.value(node, anchor, size)
            }
            Some(Frame::Map { span, anchor, mut map, merges, size, .. }) => {
                for node in merges {
                    merge(&mut map, node);
                }
                let entries = map.list;
                let last = entries.iter().map(|entry| entry.value.span.end.max(entry.key_span.end)).max();
                let node =
                    Node { span: self.extended(span, last.unwrap_or(span.end), end), kind: NodeKind::Map(entries) };
                self.value(node, anchor, size)
            }
            None => false,
        }
    }

    /// The span of a collection: to its closing bracket, or to the end of its last value.
    fn extended(&self, span: Span, last: usize, end: &Span) -> Span {
        let flow = matches!(self.text.as_bytes().get(span.start), Some(b'[' | b'{'));
        Span { end: if flow { end.end } else { last }.max(span.start), ..span }
    }

    fn value(&mut self, node: Node, anchor: usize, size: usize) -> bool {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            self.problem(ProblemKind::TooLarge { max: MAX_NODES }, node.span);
            return false;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let mut duplicate = None;
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::Seq { items, size: total, .. }) => {
                *total += size;
                items.push(node);
            }
            Some(Frame::Map { map, key, merges, size: total, .. }) => {
                *total += size;
                let Some((key, key_span)) = key.take() else { return false };
                if key == "<<" {
                    merges.push(node);
                } else if let Some(&first) = map.seen.get(&key) {
                    duplicate = Some((ProblemKind::DuplicateKey { key, first }, key_span));
                } else {
                    map.push(Entry { key, key_span, value: node });
                }
            }
        }
        if let Some((kind, span)) = duplicate {
            self.problem(kind, span);
        }
        true
    }

    fn finish(mut self) -> (Option<Node>, Vec<Problem>) {
        if self.problems.is_empty() && self.root.as_ref().is_none_or(|node| node.kind == NodeKind::Null) {
            self.problem(ProblemKind::Empty, Span { line: 1, column: 1, ..Span::default() });
            return (None, self.problems);
        }
        (self.root, self.problems)
    }
}

impl Entries {
    fn push(&mut self, entry: Entry) {
        self.seen.insert(entry.key.clone(), entry.key_span);
        self.list.push(entry);
    }
}

/// Adds the entries of a merge key (`<<: *defaults` or `<<: [*a, *b]`) that the mapping does not have itself.
fn merge(map: &mut Entries, node: Node) {
    match node.kind {
        NodeKind::Map(more) => {
            for entry in more {
                if !map.seen.contains_key(&entry.key) {
                    map.push(entry);
                }
            }
        }
        NodeKind::Seq(nodes) => nodes.into_iter().for_each(|node| merge(map, node)),
        _ => {}
    }
}

/// A plain scalar's meaning in the YAML 1.2 core schema.
fn resolve(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_or_else(|_| float(text), NodeKind::Int);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(Ok(number)) = text.strip_prefix(prefix).map(|digits| i64::from_str_radix(digits, radix)) {
            return NodeKind::Int(number);
        }
    }
    let first = digits.trim_start_matches('.').as_bytes().first();
    let numeric = first.is_some_and(u8::is_ascii_digit)
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if numeric { float(text) } else { NodeKind::Str(text.to_owned()) }
}

fn float(text: &str) -> NodeKind {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => NodeKind::Float(number),
        _ => NodeKind::Str(text.to_owned()),
    }
}
