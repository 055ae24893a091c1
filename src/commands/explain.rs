//! `hpcctl explain CODE`: the page of a rule.

use crate::{
    check::rules::{RULES, find},
    report::findings::rule_page,
    spec::walk::closest,
};
use std::io::{self, Write};

/// Prints the page of the rule that `text` names: `HPC1034`, `1034`, `hpc1034` or its short name.
///
/// Gives the exit code: 0, or 1 when there is no such rule; then `err` says which one may have been meant.
pub fn explain(text: &str, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    if let Some(rule) = find(text) {
        out.write_all(rule_page(rule).as_bytes())?;
        return Ok(0);
    }
    write!(err, "there is no rule `{text}`")?;
    match nearest(text) {
        Some(near) => writeln!(err, "; did you mean `{near}`?")?,
        None => writeln!(err, "; `hpcctl explain` without a code lists them")?,
    }
    Ok(1)
}

/// Prints code, severity and title of every rule.
pub fn list(out: &mut dyn Write) -> io::Result<()> {
    for rule in RULES {
        writeln!(out, "{}  {:<34} {}", rule.id(), rule.name, rule.title)?;
    }
    Ok(())
}

/// The rule that was probably meant: by its name, or by the code next to the one given.
fn nearest(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    if let Ok(code) = lower.strip_prefix("hpc").unwrap_or(&lower).parse::<u16>() {
        let near = RULES.iter().min_by_key(|rule| rule.code.abs_diff(code))?;
        return (near.code.abs_diff(code) < 10).then(|| near.id());
    }
    closest(&lower, RULES.iter().map(|rule| rule.name)).map(str::to_owned)
}
