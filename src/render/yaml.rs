//! YAML that readers of YAML 1.1 read as it is meant, CloudFormation among them: there `ON` is true, `7:04:00` is a
//! number to the base of 60, and `2012-10-17` is a date.

/// YAML with every plain word in quotes that YAML 1.1 takes for something else than text.
///
/// <https://yaml.org/type/bool.html>, <https://yaml.org/type/int.html>, <https://yaml.org/type/float.html>,
/// <https://yaml.org/type/timestamp.html>
pub(super) fn for_old_readers(yaml: &str) -> String {
    let mut out = String::with_capacity(yaml.len() + yaml.len() / 16);
    let mut block: Option<usize> = None;
    for line in yaml.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|of| line.trim().is_empty() || indent > of) {
            out.push_str(line);
            continue;
        }
        let text = line.trim_end_matches('\n');
        let (start, key, value) = parts(text);
        // The text of a block is indented deeper than its key, or than the dash of its item.
        block = value.starts_with(['|', '>']).then_some(indent.max(start.rfind('-').unwrap_or(0)));
        out.push_str(start);
        if let Some(key) = key {
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(if value.is_empty() { "" } else { " " });
        }
        out.push_str(&quoted(value));
        out.push_str(&line[text.len()..]);
    }
    out
}

/// What a line begins with (spaces and dashes), its key, and its value.
fn parts(text: &str) -> (&str, Option<&str>, &str) {
    let mut rest = text.trim_start_matches(' ');
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start_matches(' ');
    }
    let start = &text[..text.len() - rest.len()];
    if rest.starts_with(['\'', '"']) {
        return (start, None, rest);
    }
    match rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, ""))) {
        Some((key, value)) => (start, Some(key), value),
        None => (start, None, rest),
    }
}

fn quoted(word: &str) -> String {
    if is_more_than_text(word) { format!("'{word}'") } else { word.to_owned() }
}

/// Whether YAML 1.1 reads a plain word as something else that YAML 1.2 reads as text.
fn is_more_than_text(word: &str) -> bool {
    const WORDS: [&str; 16] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    WORDS.contains(&word) || matches!(word, "=" | "<<") || is_old_number(word) || is_date(word)
}

/// To the base of 60, with underscores, to the base of 2.
fn is_old_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['-', '+']);
    let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b':'));
    let old = digits.contains([':', '_']) || digits.starts_with('0') && digits.len() > 1 && !digits.contains('.');
    digits.starts_with(|first: char| first.is_ascii_digit()) && old && (numeric(digits) || digits.starts_with("0b"))
}

/// `2012-10-17`, with or without a time.
fn is_date(word: &str) -> bool {
    let mut parts = word.splitn(3, '-');
    let digits = |part: Option<&str>, least: usize, most: usize| {
        part.is_some_and(|part| (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (year, month) = (digits(parts.next(), 4, 4), digits(parts.next(), 1, 2));
    year && month && parts.next().is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_readers_see_text_where_text_is_meant() {
        let yaml = "a: ON\nb: 7:04:00\n- y: 'n'\n  c: no\nd: |-\n  on\n  7:04:00\ne:\n- off\n- - 1_000\nf: 2012-10-17\ng: true\nh: 12\ni: 1.5\nj: 0\non:\n  k: {}\nl: ab:cd\n";
        let expected = "a: 'ON'\nb: '7:04:00'\n- 'y': 'n'\n  c: 'no'\nd: |-\n  on\n  7:04:00\ne:\n- 'off'\n- - '1_000'\nf: '2012-10-17'\ng: true\nh: 12\ni: 1.5\nj: 0\n'on':\n  k: {}\nl: ab:cd\n";
        assert_eq!(for_old_readers(yaml), expected);
    }
}
