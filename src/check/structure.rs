//! What reading found wrong, as findings.

use super::{
    finding::{Finding, Related},
    rules::{Rule, structure as rule},
    sheet::{Args, Sheet, args, list},
};
use crate::spec::{Path, Problem, ProblemKind, Seg};
use std::collections::HashSet;

pub(super) fn check(sheet: &mut Sheet) {
    let doc = sheet.doc;
    let suggested: HashSet<Path> = doc.problems.iter().filter_map(suggested).collect();
    for problem in &doc.problems {
        if let ProblemKind::Missing { key, .. } = &problem.kind
            && suggested.contains(&problem.path.key(key))
        {
            continue;
        }
        let (rule, args) = words(problem);
        let related = match &problem.kind {
            ProblemKind::DuplicateKey { first, .. } => {
                vec![Related { at: problem.path.clone(), span: *first, label: "first given here" }]
            }
            _ => Vec::new(),
        };
        sheet.add_at(Finding { rule, at: problem.path.clone(), span: problem.span, related, args });
    }
}

/// The known key that an unknown one was probably meant to be.
fn suggested(problem: &Problem) -> Option<Path> {
    match &problem.kind {
        ProblemKind::UnknownKey { key, suggestion, known, .. } => {
            let suggestion = suggestion.as_deref().or_else(|| longer_or_shorter(key, known))?;
            Some(problem.path.parent().key(suggestion))
        }
        _ => None,
    }
}

fn words(problem: &Problem) -> (&'static Rule, Args) {
    match &problem.kind {
        ProblemKind::Syntax { message } => (&rule::SYNTAX, args! { detail: message }),
        ProblemKind::Tab => (&rule::TAB, args! {}),
        ProblemKind::Empty => (&rule::EMPTY, args! {}),
        ProblemKind::SecondDocument => (&rule::SECOND_DOCUMENT, args! {}),
        ProblemKind::DuplicateKey { key, first } => (&rule::DUPLICATE_KEY, args! { key: key, line: first.line }),
        ProblemKind::UnknownAnchor => (&rule::UNKNOWN_ANCHOR, args! {}),
        ProblemKind::TooDeep { max } => (&rule::TOO_DEEP, args! { max: max }),
        ProblemKind::TooLarge { max } => (&rule::TOO_LARGE, args! { max: max }),
        ProblemKind::UnknownKey { key, suggestion, belongs, known } => {
            let suggestion = suggestion.as_deref().or_else(|| longer_or_shorter(key, known));
            (&rule::UNKNOWN_KEY, unknown_key(key, suggestion, belongs.as_deref(), known))
        }
        ProblemKind::Missing { key, expected } => {
            let mut args = args! { key: key };
            match expected {
                _ if key == "version" => args.push(("line", "version: 1".to_owned())),
                Some(expected) => args.push(("expected", expected.clone())),
                None => {}
            }
            (&rule::MISSING, args)
        }
        ProblemKind::NoValue => {
            let key = problem.path.0.last().and_then(|seg| match seg {
                Seg::Key(key) => Some(("key", key.clone())),
                Seg::Index(_) => None,
            });
            (&rule::NO_VALUE, key.into_iter().collect())
        }
        ProblemKind::WrongType { expected, found, text } => {
            (&rule::WRONG_TYPE, wrong_type(expected, found, text.as_deref()))
        }
        ProblemKind::NotOneOf { found, allowed, suggestion } => {
            let mut args = args! { found: shortened(found), allowed: list(allowed) };
            args.extend(suggestion.iter().map(|word| ("suggestion", word.clone())));
            (&rule::NOT_ONE_OF, args)
        }
        ProblemKind::Pattern { found, expected } => (&rule::BAD_FORMAT, bad_format(found, expected)),
        ProblemKind::OutOfRange { found, min, max } => {
            let mut args = args! { found: found };
            args.extend(min.iter().map(|min| ("min", min.clone())));
            args.extend(max.iter().map(|max| ("max", max.clone())));
            (&rule::OUT_OF_RANGE, args)
        }
        ProblemKind::TooFew { min, found } => (&rule::TOO_FEW, args! { min: min, found: found }),
        ProblemKind::TooMany { max, found } => (&rule::TOO_MANY, args! { max: max, found: found }),
        ProblemKind::Internal { message } => (&rule::INTERNAL, args! { detail: message }),
    }
}

/// `expected` is the schema's title: `a name: lower-case letters`, or `an ARN such as ...`.
fn bad_format(found: &str, expected: &str) -> Args {
    let mut args = args! { found: shortened(found) };
    if let Some((kind, example)) = expected.split_once(" such as ") {
        args.extend(args! { expected: kind, example: example });
    } else if let Some((kind, form)) = expected.split_once(": ") {
        args.extend(args! { expected: kind, form: form });
    } else {
        args.extend(args! { expected: expected });
    }
    args
}

/// The known key whose words begin with those of `key`, or the other way round, when there is only one:
/// `max` for `max_count`, `key_name` for `key`.
fn longer_or_shorter<'k>(key: &str, known: &'k [String]) -> Option<&'k str> {
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    let key = key.to_ascii_lowercase().replace('-', "_");
    let mut near = known.iter().filter(|known| begins(known, &key) || begins(&key, known));
    near.next().filter(|_| near.next().is_none()).map(String::as_str)
}

fn unknown_key(key: &str, suggestion: Option<&str>, belongs: Option<&str>, known: &[String]) -> Args {
    let mut args = args! { key: shortened(key) };
    match (suggestion, belongs) {
        (Some(suggestion), _) => args.push(("suggestion", suggestion.to_owned())),
        (None, Some(belongs)) => args.push(("belongs", belongs.to_owned())),
        (None, None) => args.push(("known", list(known))),
    }
    args
}

fn wrong_type(expected: &str, found: &str, text: Option<&str>) -> Args {
    let mut args = args! { expected: expected, found: found };
    let Some(text) = text else { return args };
    args.push(("text", shortened(text)));
    let plain = text.trim().to_ascii_lowercase();
    match (expected, plain.as_str()) {
        ("true or false", "true" | "false") => args.push(("unquoted", plain)),
        ("true or false", "yes" | "on" | "y" | "1") => args.push(("boolean", "true".to_owned())),
        ("true or false", "no" | "off" | "n" | "0") => args.push(("boolean", "false".to_owned())),
        ("a number" | "a whole number", number) if number.parse::<f64>().is_ok() && found == "text" => {
            args.push(("unquoted", number.to_owned()));
        }
        ("text", _) => args.push(("quoted", shortened(text))),
        ("a list", _) => args.push(("item", shortened(text))),
        _ => {}
    }
    args
}

/// Keeps messages readable when the value is a whole paragraph.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > MOST || line.len() < text.trim_end().len() {
        let start: String = line.chars().take(MOST).collect();
        return format!("{start}…");
    }
    line.to_owned()
}
