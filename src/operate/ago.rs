//! How long ago: `90s`, `15m`, `1h`, `2d`.

/// Seconds of a time span; `None` when it is none.
pub fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = plain.then(|| number.parse().ok()).flatten()?;
    number.checked_mul(seconds).filter(|seconds| *seconds <= 10 * 366 * 86_400)
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        assert_eq!(
            ["90s", "15m", "1h", "2d", "0s"].map(ago),
            [Some(90), Some(900), Some(3600), Some(172_800), Some(0)]
        );
        assert_eq!(["", "h", "1", "-1h", "+1h", "1w", "1.5h", "99999999999d", "1é"].map(ago), [None; 9]);
    }
}
