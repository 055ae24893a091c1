//! Lines of slurm.conf: options in order, and the user's options over ours.

use std::collections::BTreeMap;

/// A line such as `NodeName=a CPUs=2`. Keys keep their order; none comes twice.
#[derive(Debug, Clone, Default)]
pub(super) struct ConfLine(Vec<(String, String)>);

/// Words for the same thing. One of them on a line leaves no room for the others.
const ALIASES: &[&[&str]] = &[
    &["Sockets", "SocketsPerBoard"],
    &["CPUs", "Procs"],
    &["Feature", "Features"],
    &["OverSubscribe", "Shared"],
    &["DefMemPerCPU", "DefMemPerNode"],
];

impl ConfLine {
    /// Adds an option.
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.put(key, value.to_string());
        self
    }

    /// Adds an option if there is one.
    pub fn maybe(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// Lays the user's options over ours: a key that is there gets the user's value, others go to the end.
    pub fn overlay(mut self, options: &BTreeMap<String, String>) -> Self {
        for (key, value) in options {
            self.put(key, value.clone());
        }
        // `Boards` goes with `SocketsPerBoard` only.
        if options.keys().any(|key| key.eq_ignore_ascii_case("Sockets")) {
            self.0.retain(|(key, _)| !key.eq_ignore_ascii_case("Boards"));
        }
        self
    }

    fn put(&mut self, key: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| same(known, key)) {
            Some(entry) => *entry = (key.to_owned(), value),
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// The line's text.
    pub fn text(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
        words.join(" ")
    }
}

/// Whether two keys mean the same option.
pub(super) fn same(a: &str, b: &str) -> bool {
    let has = |group: &&&[&str], key: &str| group.iter().any(|alias| alias.eq_ignore_ascii_case(key));
    a.eq_ignore_ascii_case(b) || ALIASES.iter().any(|group| has(&group, a) && has(&group, b))
}

/// A value as slurm.conf takes it: one line, in quotes when it has spaces.
pub(super) fn quoted(value: &str) -> String {
    let value = value.replace(['\n', '\r'], " ");
    match value.contains(char::is_whitespace) && !value.starts_with('"') {
        true => format!("\"{value}\""),
        false => value,
    }
}

/// A numbered set of nodes: `cfd-od-[1-20]`, `cfd-od-1`.
pub(super) fn node_range(prefix: &str, last: u32) -> String {
    match last {
        1 => format!("{prefix}1"),
        _ => format!("{prefix}[1-{last}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_users_options_take_the_place_of_ours() {
        let line = ConfLine::default().set("NodeName", "a").set("Boards", 1).set("SocketsPerBoard", 1).set("Weight", 1);
        let with = |pairs| line.clone().overlay(&options(pairs)).text();
        assert_eq!(with(&[("weight", "7")]), "NodeName=a Boards=1 SocketsPerBoard=1 weight=7");
        assert_eq!(with(&[("Sockets", "2")]), "NodeName=a Sockets=2 Weight=1");
        assert_eq!(
            with(&[("MemSpecLimit", "1024")]),
            "NodeName=a Boards=1 SocketsPerBoard=1 Weight=1 MemSpecLimit=1024"
        );
    }

    #[test]
    fn values_stay_on_their_line() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("a\nSlurmUser=root"), "\"a SlurmUser=root\"");
        assert_eq!(node_range("q-p-", 1), "q-p-1");
        assert_eq!(node_range("q-p-", 20), "q-p-[1-20]");
    }
}
