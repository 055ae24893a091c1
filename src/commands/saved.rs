//! Saved plans: telling them from cluster files, and reading no more from them than was reviewed.

use crate::{
    plan::{PLAN_FORMAT, PLAN_KIND, Plan},
    report::errors::{Failure, exit},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Whether a text says that it is a document of this program, and so no cluster file: those may be JSON as well.
pub fn is_document(text: &str) -> bool {
    if !text.trim_start().starts_with('{') {
        return false;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => value.get("kind").is_some() || value.get("format_version").is_some(),
        // A plan that was cut off is one all the same.
        Err(_) => text.contains(&format!("\"{PLAN_KIND}\"")),
    }
}

/// Reads a saved plan.
///
/// # Errors
/// When it is none, of another format, or says something that its digest does not cover.
pub fn saved(text: &str) -> Result<Plan, Failure> {
    let bad =
        |message: String| Failure::new("HPC2014", message, "make one with `hpcctl plan FILE --out PLAN`", exit::ERROR);
    let value: Strict = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => uncovered(&error.to_string()),
        false => bad(format!("failed to read the plan: {error}")),
    })?;
    let value = value.0;
    let kind = value.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default();
    if kind != PLAN_KIND {
        return Err(bad(format!("this is no plan: its `kind` is `{kind}`")));
    }
    let version = value.get("format_version").and_then(|version| version.as_str()).unwrap_or_default();
    if version.split('.').next() != PLAN_FORMAT.split('.').next() {
        return Err(bad(format!("the plan's format is {version}, this hpcctl reads {PLAN_FORMAT}")));
    }
    let plan: Plan =
        serde_json::from_value(value.clone()).map_err(|error| bad(format!("failed to read the plan: {error}")))?;
    let understood = serde_json::to_value(&plan).unwrap_or_default();
    match unknown(&value, &understood, "") {
        Some(path) => Err(uncovered(&format!("it has a field that this hpcctl does not know: `{path}`"))),
        None => Ok(plan),
    }
}

/// What a reviewer reads in the file must be what is carried out.
fn uncovered(what: &str) -> Failure {
    let remedy = "make the plan anew with `hpcctl plan FILE --out PLAN`, and apply the file as it was written";
    Failure::new("HPC2187", format!("the plan says something that is not applied: {what}"), remedy, exit::ERROR)
}

/// The first place that is in a document and not in what was understood of it.
fn unknown(given: &Value, understood: &Value, path: &str) -> Option<String> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => given.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match understood.get(key) {
                Some(inner) => unknown(value, inner, &path),
                None => Some(path),
            }
        }),
        (Value::Array(given), Value::Array(understood)) if given.len() != understood.len() => Some(path.to_owned()),
        (Value::Array(given), Value::Array(understood)) => {
            let pairs = given.iter().zip(understood).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (given, understood))| unknown(given, understood, &format!("{path}.{index}")))
        }
        _ => None,
    }
}

/// JSON in which no key stands twice: readers differ in which one counts.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once).map(Self)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if all.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            all.insert(key, value);
        }
        Ok(Value::Object(all))
    }
}
