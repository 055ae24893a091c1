//! Template values in one line, as a person reads them.

use crate::plan::After;
use serde_json::Value;

/// The longest value shown in one line.
const LIMIT: usize = 96;

/// The longest value shown where everything is to be seen.
const VERBOSE_LIMIT: usize = 2000;
/// What is shown of what is alike before the first difference.
const ALIKE: usize = 24;

/// A value that was and the one to be, each in one line. Long ones are cut where they differ, never to the same text.
pub fn change(before: Option<&Value>, after: &After, verbose: bool) -> (String, String) {
    let before = before.map_or_else(|| "(not set)".to_owned(), plain);
    let after = match after {
        After::Known(known) => plain(known),
        After::Unset => "(not set)".to_owned(),
        After::KnownAfterApply => "(known after apply)".to_owned(),
    };
    let limit = if verbose { VERBOSE_LIMIT } else { LIMIT };
    let long = before.chars().count() > limit && after.chars().count() > limit;
    let alike = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let skip = if long && alike + ALIKE > limit { alike - ALIKE.min(alike) } else { 0 };
    (cut(&before, skip, limit), cut(&after, skip, limit))
}

fn cut(text: &str, skip: usize, limit: usize) -> String {
    let rest: Vec<char> = text.chars().skip(skip).collect();
    let front = if skip > 0 { "…" } else { "" };
    match rest.len() > limit {
        true => format!("{front}{}…", rest[..limit - 1].iter().collect::<String>()),
        false => format!("{front}{}", rest.iter().collect::<String>()),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\n', "⏎"),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((key, inner)) => intrinsic(key, inner).unwrap_or_else(|| value.to_string()),
            None => String::new(),
        },
        other => other.to_string(),
    }
}

fn intrinsic(key: &str, inner: &Value) -> Option<String> {
    match key {
        "Ref" => Some(format!("<{}>", inner.as_str()?)),
        "Fn::GetAtt" => {
            let parts: Vec<String> = match inner {
                Value::Array(parts) => parts.iter().map(plain).collect(),
                other => vec![plain(other)],
            };
            Some(format!("<{}>", parts.join(".")))
        }
        "Fn::Sub" => Some(plain(inner.get(0).unwrap_or(inner))),
        "Fn::Base64" => Some(plain(inner)),
        _ => None,
    }
}
