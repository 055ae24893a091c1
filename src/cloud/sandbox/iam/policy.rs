//! Policies, and whether they allow something.

use super::pattern::fits;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wanted of AWS: an action on a resource, and what is known of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Such as `s3:GetObject`.
    pub action: String,
    /// Its ARN; `*` where the action knows no resources.
    pub resource: String,
    /// Condition keys with their values.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Access {
    /// An action on a resource.
    pub fn new(action: &str, resource: impl Into<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.into(), context: BTreeMap::new() }
    }

    /// With a condition key's value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.entry(key.to_ascii_lowercase()).or_default().push(value.into());
        self
    }

    /// With a key for each tag, such as `aws:RequestTag/NAME`.
    #[must_use]
    pub fn tagged<'t>(self, key: &str, tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> Self {
        tags.into_iter().fold(self, |all, (name, value)| all.with(&format!("{key}/{name}"), value))
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    NotAllowed,
}

/// A policy of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    /// `ForAllValues`, `ForAnyValue`, or nothing.
    set: Option<&'static str>,
    operator: &'static str,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// The operators that are known.
const OPERATORS: [&str; 8] =
    ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnLike", "ArnEquals", "Bool", "Null"];
const SETS: [&str; 2] = ["ForAllValues", "ForAnyValue"];

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// When it holds something that is not known here.
    pub fn parse(document: &Value) -> Result<Self, String> {
        let statements = document.get("Statement").ok_or("no Statement")?;
        let all = statements.as_array().cloned().unwrap_or_else(|| vec![statements.clone()]);
        Ok(Self { statements: all.iter().map(Statement::parse).collect::<Result<_, _>>()? })
    }

    /// What all these policies together say.
    pub fn decide(policies: &[Self], access: &Access) -> Decision {
        let fitting = || policies.iter().flat_map(|policy| &policy.statements).filter(|one| one.fits(access));
        if fitting().any(|statement| !statement.allows) {
            Decision::Denied
        } else if fitting().any(|statement| statement.allows) {
            Decision::Allowed
        } else {
            Decision::NotAllowed
        }
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Self, String> {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let keys = value.as_object().ok_or("a statement is no mapping")?.keys();
        if let Some(unknown) = keys.clone().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("`{unknown}` is not known here"));
        }
        let mut conditions = Vec::new();
        for (operator, pairs) in value.get("Condition").and_then(Value::as_object).into_iter().flatten() {
            for (key, values) in pairs.as_object().into_iter().flatten() {
                conditions.push(Condition::parse(operator, key, values)?);
            }
        }
        Ok(Self {
            allows: match value.get("Effect").and_then(Value::as_str) {
                Some("Allow") => true,
                Some("Deny") => false,
                other => return Err(format!("the effect is {other:?}")),
            },
            actions: texts(value.get("Action"))?,
            resources: texts(value.get("Resource"))?,
            conditions,
        })
    }

    fn fits(&self, access: &Access) -> bool {
        let action = access.action.to_ascii_lowercase();
        self.actions.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|pattern| fits(pattern, &access.resource))
            && self.conditions.iter().all(|condition| condition.holds(access))
    }
}

impl Condition {
    fn parse(word: &str, key: &str, values: &Value) -> Result<Self, String> {
        let (set, rest) = match word.split_once(':') {
            Some((set, rest)) => (Some(SETS.into_iter().find(|known| *known == set).ok_or(word)?), rest),
            None => (None, word),
        };
        let plain = rest.strip_suffix("IfExists").unwrap_or(rest);
        let operator = OPERATORS.into_iter().find(|known| *known == plain);
        Ok(Self {
            set,
            operator: operator.ok_or_else(|| format!("the operator `{word}` is not known here"))?,
            if_exists: plain.len() < rest.len(),
            key: key.to_ascii_lowercase(),
            values: texts(Some(values))?,
        })
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>
    fn holds(&self, access: &Access) -> bool {
        let found = access.context.get(&self.key).filter(|values| !values.is_empty());
        if self.operator == "Null" {
            return self.values.iter().any(|wanted| (wanted == "true") == found.is_none());
        }
        let negated = self.operator.contains("Not");
        let Some(found) = found else { return self.if_exists || negated || self.set == Some("ForAllValues") };
        let one = |value: &String| self.values.iter().any(|wanted| self.compares(wanted, value)) != negated;
        if self.set == Some("ForAllValues") { found.iter().all(one) } else { found.iter().any(one) }
    }

    fn compares(&self, wanted: &str, value: &str) -> bool {
        match self.operator {
            "StringEquals" | "StringNotEquals" => wanted == value,
            "Bool" => wanted.eq_ignore_ascii_case(value),
            _ => fits(wanted, value),
        }
    }
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("{other} is no text")),
    };
    match value {
        Some(Value::Array(all)) => all.iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
        None => Err("a statement lacks actions or resources".to_owned()),
    }
}
