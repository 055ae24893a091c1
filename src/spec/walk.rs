//! A tree held against the JSON schema: every problem at once, and a value that fits the types.
//!
//! What does not fit is left out where it may be, and else replaced by a stand-in, so that the rest of the
//! file can be typed and checked. The paths of such values are *poisoned*: checks stay silent about them.

use super::{
    Path,
    tree::{Node, NodeKind, Span},
};
use regex_lite::Regex;
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// One thing wrong with a file, before any meaning is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where in the tree.
    pub path: Path,
    /// Where in the text.
    pub span: Span,
}

/// What can be wrong with a file, before any meaning is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemKind {
    /// The text is not YAML.
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// A tab indents a line.
    Tab,
    /// There is nothing in the file.
    Empty,
    /// A second document begins.
    SecondDocument,
    /// A key stands twice in one mapping.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Span,
    },
    /// An alias names no anchor before it.
    UnknownAnchor,
    /// The file nests too deep.
    TooDeep {
        /// The limit in levels.
        max: usize,
    },
    /// The file holds too many values.
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// A key that has no meaning here.
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that it resembles.
        suggestion: Option<String>,
        /// Sibling places in which the key would be known, such as `fsx_lustre`.
        belongs: Option<String>,
        /// The keys that are known here.
        known: Vec<String>,
    },
    /// A required key is not there.
    Missing {
        /// The key.
        key: String,
        /// What it should hold.
        expected: Option<String>,
    },
    /// A key has no value.
    NoValue,
    /// A value of the wrong type.
    WrongType {
        /// The type wanted, in JSON schema's words.
        expected: &'static str,
        /// The type found.
        found: &'static str,
        /// The value found, when it is a scalar.
        text: Option<String>,
    },
    /// A value outside a closed list.
    NotOneOf {
        /// The value.
        found: String,
        /// The list.
        allowed: Vec<String>,
        /// The member that it resembles.
        suggestion: Option<String>,
    },
    /// A text that does not look as it should.
    Pattern {
        /// The text.
        found: String,
        /// What it should be (the schema's title), or the pattern itself.
        expected: String,
    },
    /// A number outside its range.
    OutOfRange {
        /// The number.
        found: String,
        /// The least.
        min: Option<String>,
        /// The most.
        max: Option<String>,
    },
    /// A list or text that is too short.
    TooFew {
        /// The least number of items or characters.
        min: u64,
        /// How many there are.
        found: usize,
    },
    /// A list or text that is too long.
    TooMany {
        /// The most items or characters.
        max: u64,
        /// How many there are.
        found: usize,
    },
    /// The types and the schema disagree: a fault of the program.
    Internal {
        /// What the types said.
        message: String,
    },
}

/// What a walk gives.
pub struct Walked {
    /// A value that fits the schema.
    pub value: Value,
    /// All problems, in the order of the file.
    pub problems: Vec<Problem>,
    /// Places whose value is not the user's.
    pub poisoned: Vec<Path>,
}

/// Holds `node` against `schema`, the root of a JSON schema (draft 2020-12, as the spec's types produce it).
pub fn walk(node: &Node, schema: &Value) -> Walked {
    let mut walker =
        Walker { root: schema, unknown: 0, problems: Vec::new(), poisoned: Vec::new(), patterns: HashMap::new() };
    let value = match walker.value(node, schema, &Path::root()) {
        Some(value) => value,
        None => {
            walker.poisoned.push(Path::root());
            walker.stand_in(schema, &Path::root())
        }
    };
    walker.problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    Walked { value, problems: walker.problems, poisoned: walker.poisoned }
}

/// Unknown keys are looked at closely up to so many; nobody is shown what the others may have been meant to be.
const EXPLAINED: usize = 5000;

struct Walker<'s> {
    root: &'s Value,
    unknown: usize,
    problems: Vec<Problem>,
    poisoned: Vec<Path>,
    patterns: HashMap<&'s str, Option<Regex>>,
}

impl<'s> Walker<'s> {
    fn resolve(&self, schema: &'s Value) -> &'s Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.root.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
            None => schema,
        }
    }

    fn problem(&mut self, kind: ProblemKind, path: &Path, span: Span) {
        self.problems.push(Problem { kind, path: path.clone(), span });
    }

    /// The value as the schema wants it; `None` when it does not fit (and a problem says so).
    fn value(&mut self, node: &Node, schema: &'s Value, path: &Path) -> Option<Value> {
        let schema = self.resolve(schema);
        if node.kind == NodeKind::Null {
            self.problem(ProblemKind::NoValue, path, node.span);
            return None;
        }
        if let Some(allowed) = closed_list(schema) {
            return self.one_of(node, &allowed, path);
        }
        let wanted = schema.get("type").and_then(Value::as_str).unwrap_or("object");
        match (wanted, &node.kind) {
            ("object", NodeKind::Map(_)) => Some(self.object(node, schema, path)),
            ("array", NodeKind::Seq(items)) => Some(self.array(node, items, schema, path)),
            ("string", NodeKind::Str(text)) => self.string(text, node, schema, path),
            ("boolean", NodeKind::Bool(flag)) => Some(Value::Bool(*flag)),
            ("integer", NodeKind::Int(number)) => {
                self.in_range(*number as f64, &number.to_string(), node, schema, path)?;
                Some(Value::from(*number))
            }
            ("number", NodeKind::Int(number)) => {
                self.in_range(*number as f64, &number.to_string(), node, schema, path)?;
                Some(Value::from(*number))
            }
            ("number", NodeKind::Float(number)) => {
                self.in_range(*number, &number.to_string(), node, schema, path)?;
                Number::from_f64(*number).map(Value::Number)
            }
            (wanted, _) => {
                let kind =
                    ProblemKind::WrongType { expected: type_name(wanted), found: found(node), text: scalar(node) };
                self.problem(kind, path, node.span);
                None
            }
        }
    }

    fn object(&mut self, node: &Node, schema: &'s Value, path: &Path) -> Value {
        let NodeKind::Map(entries) = &node.kind else { return Value::Null };
        let properties = schema.get("properties").and_then(Value::as_object);
        let open = schema.get("additionalProperties").filter(|more| more.is_object());
        let required: Vec<&str> = strings(schema.get("required"));
        let mut out = Map::new();
        for entry in entries {
            let at = path.key(&entry.key);
            let Some(schema) = properties.and_then(|known| known.get(&entry.key)).or(open) else {
                self.unknown_key(entry.key.clone(), properties, &at, entry.key_span);
                continue;
            };
            match self.value(&entry.value, schema, &at) {
                Some(value) => {
                    out.insert(entry.key.clone(), value);
                }
                None => {
                    self.poisoned.push(at.clone());
                    if required.contains(&entry.key.as_str()) {
                        let value = self.stand_in(schema, &at);
                        out.insert(entry.key.clone(), value);
                    }
                }
            }
        }
        for key in required {
            if out.contains_key(key) {
                continue;
            }
            let at = path.key(key);
            let Some(schema) = properties.and_then(|known| known.get(key)) else { continue };
            let expected = self.resolve(schema).get("title").and_then(Value::as_str).map(str::to_owned);
            self.problem(ProblemKind::Missing { key: key.to_owned(), expected }, path, head(node));
            let value = self.stand_in(schema, &at);
            self.poisoned.push(at);
            out.insert(key.to_owned(), value);
        }
        Value::Object(out)
    }

    fn unknown_key(&mut self, key: String, properties: Option<&'s Map<String, Value>>, path: &Path, span: Span) {
        self.unknown += 1;
        let properties = properties.filter(|_| self.unknown <= EXPLAINED);
        let known: Vec<String> = properties.map(|known| known.keys().cloned().collect()).unwrap_or_default();
        let suggestion = closest(&key, known.iter().map(String::as_str)).map(str::to_owned);
        let belongs = properties.and_then(|known| {
            let holds = |schema: &&Value| {
                let schema = self.resolve(schema);
                let schema = schema.get("items").map_or(schema, |items| self.resolve(items));
                schema.get("properties").is_some_and(|inner| inner.get(&key).is_some())
            };
            known.iter().find(|(_, schema)| holds(schema)).map(|(name, _)| name.clone())
        });
        self.problem(ProblemKind::UnknownKey { key, suggestion, belongs, known }, path, span);
    }

    fn array(&mut self, node: &Node, items: &[Node], schema: &'s Value, path: &Path) -> Value {
        self.length(items.len(), "minItems", "maxItems", node, schema, path);
        let Some(item_schema) = schema.get("items") else { return Value::Array(Vec::new()) };
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = path.index(index);
            out.push(match self.value(item, item_schema, &at) {
                Some(value) => value,
                None => {
                    self.poisoned.push(at.clone());
                    self.stand_in(item_schema, &at)
                }
            });
        }
        Value::Array(out)
    }

    fn string(&mut self, text: &str, node: &Node, schema: &'s Value, path: &Path) -> Option<Value> {
        if !self.length(text.chars().count(), "minLength", "maxLength", node, schema, path) {
            return None;
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            let regex = self.patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
            if regex.as_ref().is_some_and(|regex| !regex.is_match(text)) {
                let expected = schema.get("title").and_then(Value::as_str);
                let expected = expected.map_or_else(|| format!("a text like `{pattern}`"), str::to_owned);
                self.problem(ProblemKind::Pattern { found: text.to_owned(), expected }, path, node.span);
                return None;
            }
        }
        Some(Value::from(text))
    }

    fn length(&mut self, found: usize, min: &str, max: &str, node: &Node, schema: &Value, path: &Path) -> bool {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        if let Some(min) = bound(min).filter(|min| (found as u64) < *min) {
            self.problem(ProblemKind::TooFew { min, found }, path, node.span);
            return false;
        }
        if let Some(max) = bound(max).filter(|max| (found as u64) > *max) {
            self.problem(ProblemKind::TooMany { max, found }, path, node.span);
            return false;
        }
        true
    }

    fn in_range(&mut self, number: f64, found: &str, node: &Node, schema: &Value, path: &Path) -> Option<()> {
        let min = schema.get("minimum");
        let limit = match schema.get("format").and_then(Value::as_str) {
            Some("uint32") => Some(Value::from(u32::MAX)),
            _ => None,
        };
        let max = schema.get("maximum").or(limit.as_ref());
        let below = min.and_then(Value::as_f64).is_some_and(|min| number < min);
        let above = max.and_then(Value::as_f64).is_some_and(|max| number > max);
        if !below && !above {
            return Some(());
        }
        let written = schema.get("maximum").map(plain_number);
        let kind = ProblemKind::OutOfRange { found: found.to_owned(), min: min.map(plain_number), max: written };
        self.problem(kind, path, node.span);
        None
    }

    fn one_of(&mut self, node: &Node, allowed: &[&str], path: &Path) -> Option<Value> {
        let text = scalar(node);
        if let NodeKind::Str(text) = &node.kind
            && allowed.contains(&text.as_str())
        {
            return Some(Value::from(text.as_str()));
        }
        let kind = match text {
            None => ProblemKind::WrongType { expected: "text", found: found(node), text: None },
            // Numbers in quotes are in the list: say that the quotes are missing.
            Some(text) if allowed.contains(&text.as_str()) => {
                ProblemKind::WrongType { expected: "text", found: found(node), text: Some(text) }
            }
            Some(text) => {
                let exact = allowed.iter().find(|word| {
                    word.eq_ignore_ascii_case(&text.replace('_', "-")) || word.eq_ignore_ascii_case(&text)
                });
                let suggestion = exact.copied().or_else(|| closest(&text, allowed.iter().copied())).map(str::to_owned);
                let allowed = allowed.iter().map(|&word| word.to_owned()).collect();
                ProblemKind::NotOneOf { found: text, allowed, suggestion }
            }
        };
        self.problem(kind, path, node.span);
        None
    }

    /// A value that fits the schema, for a place where the user's does not.
    fn stand_in(&self, schema: &'s Value, path: &Path) -> Value {
        let schema = self.resolve(schema);
        if let Some(first) = closed_list(schema).and_then(|allowed| allowed.first().copied()) {
            return Value::from(first);
        }
        if let Some(default) = schema.get("default") {
            return default.clone();
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => {
                schema.get("examples").and_then(|list| list.get(0)).cloned().unwrap_or_else(|| Value::from("x"))
            }
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| Value::from(1)),
            Some("boolean") => Value::Bool(false),
            Some("array") => Value::Array(Vec::new()),
            _ => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let required = strings(schema.get("required"));
                let entries = required.into_iter().filter_map(|key| {
                    let inner = properties?.get(key)?;
                    Some((key.to_owned(), self.stand_in(inner, &path.key(key))))
                });
                Value::Object(entries.collect())
            }
        }
    }
}

/// The words of a closed list: `enum`, or `oneOf` constants.
fn closed_list(schema: &Value) -> Option<Vec<&str>> {
    let listed = strings(schema.get("enum"));
    if !listed.is_empty() {
        return Some(listed);
    }
    let choices = schema.get("oneOf")?.as_array()?;
    let mut words = Vec::new();
    for choice in choices {
        match choice.get("const").and_then(Value::as_str) {
            Some(word) => words.push(word),
            None => words.extend(strings(choice.get("enum"))),
        }
    }
    Some(words)
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn plain_number(number: &Value) -> String {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

fn type_name(wanted: &str) -> &'static str {
    match wanted {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        _ => "a number",
    }
}

fn found(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Null => "nothing",
        NodeKind::Bool(_) => "true or false",
        NodeKind::Int(_) => "a whole number",
        NodeKind::Float(_) => "a number",
        NodeKind::Str(_) => "text",
        NodeKind::Seq(_) => "a list",
        NodeKind::Map(_) => "a mapping",
    }
}

fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Bool(flag) => Some(flag.to_string()),
        NodeKind::Int(number) => Some(number.to_string()),
        NodeKind::Float(number) => Some(number.to_string()),
        NodeKind::Str(text) => Some(text.clone()),
        _ => None,
    }
}

/// The beginning of a mapping: its first key, so that a caret does not underline half the file.
fn head(node: &Node) -> Span {
    match &node.kind {
        NodeKind::Map(entries) if !entries.is_empty() => entries[0].key_span,
        _ => node.span,
    }
}

/// The word nearest to `word`, when it is near enough to be what was meant.
///
/// Case, hyphens and underscores do not count; up to a third of the letters may differ. Of two that are equally
/// near, neither is given.
pub fn closest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(word);
    let limit = (wanted.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str, bool)> = None;
    for candidate in words {
        let near = distance(&wanted, &plain(candidate));
        match best {
            Some((nearest, word, _)) if near == nearest && word != candidate => best = Some((near, word, true)),
            Some((nearest, ..)) if near >= nearest => {}
            _ => best = Some((near, candidate, false)),
        }
    }
    best.filter(|(distance, _, tied)| *distance <= limit && !tied).map(|(_, word, _)| word)
}

/// The number of letters to insert, drop, change or swap (optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
