//! Words with gaps, and what fills them.

use crate::check::Finding;

/// What a finding says is wrong.
pub fn message(finding: &Finding) -> String {
    fill(finding.rule.message, &finding.args)
}

/// What a finding says to do.
pub fn remedy(finding: &Finding) -> String {
    fill(finding.rule.remedy, &finding.args)
}

/// Fills the gaps of `template`: `{name}` with a value, `{name*}` with a list (one item a line) in backticks.
///
/// Where the template holds ` || `, the first part all of whose gaps are filled is taken, else the last one.
/// A gap that nothing fills stays as it is written.
pub fn fill(template: &str, args: &[(&'static str, String)]) -> String {
    let mut parts = template.split(" || ");
    let last = parts.clone().last().unwrap_or(template);
    let filled = |part: &&str| gaps(part).all(|gap| value(gap, args).is_some());
    fill_part(parts.find(filled).unwrap_or(last), args)
}

/// The names of the gaps in `text`, without the star of lists.
pub fn gaps(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|(gap, _)| gap.map(|gap| gap.trim_end_matches('*')))
}

fn value<'a>(gap: &str, args: &'a [(&'static str, String)]) -> Option<&'a str> {
    args.iter().find(|(name, _)| *name == gap).map(|(_, value)| value.as_str())
}

fn fill_part(part: &str, args: &[(&'static str, String)]) -> String {
    let mut out = String::with_capacity(part.len() + 32);
    for (gap, text) in pieces(part) {
        match gap {
            None => out.push_str(text),
            Some(gap) => match (value(gap.trim_end_matches('*'), args), gap.ends_with('*')) {
                (Some(value), false) => out.push_str(value),
                (Some(value), true) => out.push_str(&one_of(value)),
                (None, _) => out.push_str(text),
            },
        }
    }
    out
}

/// The pieces of a text in order: plain ones, and gaps with their name.
fn pieces(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (gap, length) = match gap_at(rest) {
            Some(gap) => (Some(gap), gap.len() + 2),
            None => {
                let inner = rest.char_indices().skip(1).map(|(at, _)| at).find(|at| gap_at(&rest[*at..]).is_some());
                (None, inner.unwrap_or(rest.len()))
            }
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some((gap, piece))
    })
}

/// The name of the gap with which `text` begins: lower-case letters, digits and underscores, perhaps a star.
fn gap_at(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?.split_once('}')?.0;
    let name = inner.strip_suffix('*').unwrap_or(inner);
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    plain.then_some(inner)
}

/// `a`, `b` or `c`.
fn one_of(list: &str) -> String {
    let items: Vec<String> = list.lines().map(|item| format!("`{item}`")).collect();
    match items.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{fill, gaps};

    #[test]
    fn gaps_are_filled_with_values_and_lists() {
        let args = [("key", "efa".to_owned()), ("allowed", "a\nb\nc".to_owned())];
        assert_eq!(fill("`{key}`: use {allowed*}", &args), "`efa`: use `a`, `b` or `c`");
        assert_eq!(fill("did you mean `{near}`? || use {allowed*} || nothing", &args), "use `a`, `b` or `c`");
        assert_eq!(fill("did you mean `{near}`? || look it up", &[]), "look it up");
    }

    #[test]
    fn braces_that_are_no_gaps_stay() {
        assert_eq!(fill("add `create: {}` or `{id: cr-...}`", &[]), "add `create: {}` or `{id: cr-...}`");
        assert_eq!(gaps("`{a}` {b*} {} {C}").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn values_are_not_filled_again() {
        let args = [("a", "{b}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(fill("{a} {b}", &args), "{b} x");
    }
}
