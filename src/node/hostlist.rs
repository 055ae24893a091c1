//! Slurm's host lists: `cfd-od-[1-3,7],cfd-spot-2`.
//!
//! Source: `scontrol show hostnames` and `scontrol show hostlist` of Slurm, which tests hold this against.

use super::NodeError;
use std::collections::BTreeMap;

/// The most names that a list may stand for: more than Slurm's own limit of nodes (65,533).
const MOST: usize = 100_000;
/// The longest name, in bytes, the most digits of a number and the most brackets of a name: more than any node has. What is
/// longer is damaged, and would be copied a hundred thousand times.
const LONGEST: usize = 255;
const DIGITS: usize = 20;
const BRACKETS: usize = 8;

/// The names in a list, in its order.
///
/// # Errors
/// When brackets are not in pairs, a range is none, or the list stands for too many names.
pub fn expand(list: &str) -> Result<Vec<String>, NodeError> {
    let failed = |words| NodeError::HostList { list: list.to_owned(), words };
    let mut names = Vec::new();
    for part in parts(list).map_err(failed)? {
        let part = part.trim();
        if part.matches('[').count() > BRACKETS {
            return Err(failed("more than eight brackets in a name"));
        }
        expand_part(part, &mut names).map_err(failed)?;
    }
    Ok(names)
}

/// The commas outside brackets separate.
fn parts(list: &str) -> Result<Vec<&str>, &'static str> {
    let (mut depth, mut from, mut found) = (0u32, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '[' if depth > 0 => return Err("a bracket within brackets"),
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1).ok_or("a closing bracket too many")?,
            ',' if depth == 0 => {
                found.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&list[from..]);
    if depth > 0 { Err("a bracket is not closed") } else { Ok(found) }
}

fn expand_part(part: &str, names: &mut Vec<String>) -> Result<(), &'static str> {
    if part.is_empty() {
        return Ok(());
    }
    let Some((before, rest)) = part.split_once('[') else {
        within_bytes(part)?;
        names.push(part.to_owned());
        return within(names.len());
    };
    let (ranges, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
    within_bytes(before)?;
    within_bytes(after.rsplit_once(']').map_or(after, |(_, end)| end))?;
    for range in ranges.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (low, high) = (number(first)?, number(last)?);
        if low > high {
            return Err("a range runs backwards");
        }
        within(usize::try_from(high - low).unwrap_or(usize::MAX))?;
        for index in low..=high {
            // `[08-10]`: as many digits as the first has.
            expand_part(&format!("{before}{index:0width$}{after}", width = first.len()), names)?;
        }
    }
    Ok(())
}

fn within(count: usize) -> Result<(), &'static str> {
    if count > MOST { Err("more than 100,000 names") } else { Ok(()) }
}

fn within_bytes(name: &str) -> Result<(), &'static str> {
    if name.len() > LONGEST { Err("a name longer than 255 bytes") } else { Ok(()) }
}

fn number(digits: &str) -> Result<u64, &'static str> {
    if digits.len() > DIGITS {
        return Err("a number of more than 20 digits");
    }
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all).ok_or("a range without a number")
}

/// The shortest list of these names: numbers behind the same prefix become ranges. Names come in order, once each.
pub fn compress<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut plain = Vec::new();
    let mut numbered: BTreeMap<(&str, usize), Vec<u64>> = BTreeMap::new();
    for name in names {
        let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (prefix, tail) = name.split_at(digits);
        // A leading nought is part of the name: such numbers stay together by their width.
        let width = if tail.starts_with('0') { tail.len() } else { 0 };
        match tail.parse() {
            Ok(index) if tail.len() < 19 => numbered.entry((prefix, width)).or_default().push(index),
            _ => plain.push(name.to_owned()),
        }
    }
    plain.sort();
    plain.dedup();
    plain.extend(numbered.into_iter().map(|((prefix, width), numbers)| ranges(prefix, width, numbers)));
    plain.join(",")
}

fn ranges(prefix: &str, width: usize, mut numbers: Vec<u64>) -> String {
    numbers.sort_unstable();
    numbers.dedup();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for index in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => runs.push((index, index)),
        }
    }
    let run = |(first, last): &(u64, u64)| match first == last {
        true => format!("{first:0width$}"),
        false => format!("{first:0width$}-{last:0width$}"),
    };
    match runs.as_slice() {
        [(first, last)] if first == last => format!("{prefix}{first:0width$}"),
        runs => format!("{prefix}[{}]", runs.iter().map(run).collect::<Vec<_>>().join(",")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_expanded_as_slurm_does() {
        let names = |list| expand(list).unwrap().join(" ");
        assert_eq!(names("cfd-od-[1-3,7],cfd-spot-2"), "cfd-od-1 cfd-od-2 cfd-od-3 cfd-od-7 cfd-spot-2");
        assert_eq!(names("n[08-10]"), "n08 n09 n10");
        assert_eq!(names("r[1-2]n[1-2]"), "r1n1 r1n2 r2n1 r2n2");
        assert_eq!(names(""), "");
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for list in ["a[1-", "a]1", "a[[1]]", "a[3-1]", "a[x]", "a[]", "a[1-99999999999]", "a[1-+3]"] {
            assert!(expand(list).is_err(), "{list}");
        }
        // What would be copied for each name.
        assert!(expand(&format!("n[1-2]{}", "x".repeat(256))).is_err());
        assert!(expand(&format!("n[{}1-3]", "0".repeat(70_000))).is_err());
        assert!(expand(&format!("n{}", "[1]".repeat(9))).is_err());
    }

    #[test]
    fn lists_are_short() {
        assert_eq!(compress(["b-2", "a-1", "b-3", "b-9", "b-2"]), "a-1,b-[2-3,9]");
        assert_eq!(compress(["n09", "n10", "n8", "login"]), "login,n[8,10],n09");
        assert_eq!(compress([]), "");
    }
}
