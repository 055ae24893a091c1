//! IAM policies.

use super::{Val, props::Props};
use std::collections::BTreeMap;

/// One statement of a policy.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    sid: &'static str,
    effect: &'static str,
    actions: Vec<&'static str>,
    resources: Vec<Val>,
    principal: Option<Val>,
    conditions: BTreeMap<String, Val>,
}

impl Statement {
    pub(super) fn allow(sid: &'static str, actions: &[&'static str]) -> Self {
        Self {
            sid,
            effect: "Allow",
            actions: actions.to_vec(),
            resources: Vec::new(),
            principal: None,
            conditions: BTreeMap::new(),
        }
    }

    pub(super) fn deny(sid: &'static str, actions: &[&'static str]) -> Self {
        Self { effect: "Deny", ..Self::allow(sid, actions) }
    }

    /// Adds a resource: an ARN, in which `${...}` is filled in.
    pub(super) fn on(mut self, arn: impl AsRef<str>) -> Self {
        self.resources.push(text(arn.as_ref()));
        self
    }

    pub(super) fn on_val(mut self, arn: Val) -> Self {
        self.resources.push(arn);
        self
    }

    pub(super) fn by(mut self, principal: Val) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Adds a condition: `operator` on `key` with any of the values.
    pub(super) fn when(mut self, operator: &str, key: &str, value: impl Into<Val>) -> Self {
        let entry = self.conditions.entry(operator.to_owned()).or_insert_with(|| Val::Map(BTreeMap::new()));
        if let Val::Map(keys) = entry {
            keys.insert(key.to_owned(), value.into());
        }
        self
    }

    fn val(self) -> Val {
        let single = |mut items: Vec<Val>| if items.len() == 1 { items.swap_remove(0) } else { Val::List(items) };
        Props::new()
            .set("Sid", self.sid)
            .set("Effect", self.effect)
            .set("Action", single(Val::list(self.actions).into_items()))
            .maybe("Resource", Some(self.resources).filter(|all| !all.is_empty()).map(single))
            .maybe("Principal", self.principal)
            .maybe("Condition", Some(self.conditions).filter(|all| !all.is_empty()).map(Val::Map))
            .into()
    }
}

/// A policy document.
pub(super) fn document(statements: impl IntoIterator<Item = Statement>) -> Val {
    let statements: Vec<Val> = statements.into_iter().map(Statement::val).collect();
    Props::new().set("Version", "2012-10-17").set("Statement", statements).into()
}

/// The policy that lets a service assume a role.
pub(super) fn trust(service: &str) -> Val {
    let principal = Props::new().set("Service", service).into();
    document([Statement::allow("Assume", &["sts:AssumeRole"]).by(principal)])
}

/// Text, with its `${...}` filled in where there are any.
pub(super) fn text(text: &str) -> Val {
    if text.contains("${") { Val::sub(text) } else { Val::from(text) }
}
