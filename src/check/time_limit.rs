//! Run times as Slurm writes them.

/// Seconds of `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` or
/// `days-hours:minutes:seconds`; the greatest number for a time without limit (man sbatch, `--time`).
pub(super) fn seconds(text: &str) -> Option<u64> {
    if matches!(text, "UNLIMITED" | "INFINITE") {
        return Some(u64::MAX);
    }
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days.parse::<u64>().ok()?), rest),
        None => (None, text),
    };
    let parts: Vec<u64> = rest.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match (days.is_some(), parts.as_slice()) {
        (true, [hours]) => (*hours, 0, 0),
        (true, [hours, minutes]) => (*hours, *minutes, 0),
        (false, [minutes]) => (0, *minutes, 0),
        (false, [minutes, seconds]) => (0, *minutes, *seconds),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let hours = days.unwrap_or(0).saturating_mul(24).saturating_add(hours);
    Some(hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60)).saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_as_slurm_reads_them() {
        assert_eq!(seconds("90"), Some(5400));
        assert_eq!(seconds("1:30"), Some(90));
        assert_eq!(seconds("2:00:00"), Some(7200));
        assert_eq!(seconds("1-12"), Some(129_600));
        assert_eq!(seconds("1-00:30"), Some(88_200));
        assert_eq!(seconds("1-00:00:01"), Some(86_401));
        assert_eq!(seconds("UNLIMITED"), Some(u64::MAX));
        assert_eq!(seconds("soon"), None);
    }
}
