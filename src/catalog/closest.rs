//! The nearest known name to a mistyped one.

/// The candidate with the smallest edit distance, if it is near enough to be worth a suggestion:
/// at most a third of the wanted name's letters differ. The first of equals wins.
pub fn closest<'a>(wanted: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    let mut limit = wanted.len() / 3 + 1;
    let mut best = None;
    let mut row = Vec::new();
    for candidate in among {
        let distance = distance(&wanted, candidate, limit, &mut row);
        if distance < limit {
            (limit, best) = (distance, Some(candidate));
        }
    }
    best
}

/// Edit distance where two swapped neighbours cost one, or `limit` as soon as it cannot be less.
fn distance(wanted: &[char], candidate: &str, limit: usize, rows: &mut Vec<usize>) -> usize {
    let candidate: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    if wanted.len().abs_diff(candidate.len()) >= limit {
        return limit;
    }
    // Three rows of the usual matrix: two back, one back, now.
    let width = candidate.len() + 1;
    rows.clear();
    rows.resize(3 * width, 0);
    for (j, cell) in rows[width..2 * width].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=wanted.len() {
        let mut least = i;
        rows[2 * width] = i;
        for j in 1..width {
            let same = wanted[i - 1] == candidate[j - 1];
            let mut cost =
                (rows[width + j] + 1).min(rows[2 * width + j - 1] + 1).min(rows[width + j - 1] + usize::from(!same));
            if i > 1 && j > 1 && wanted[i - 1] == candidate[j - 2] && wanted[i - 2] == candidate[j - 1] {
                cost = cost.min(rows[j - 2] + 1);
            }
            rows[2 * width + j] = cost;
            least = least.min(cost);
        }
        if least >= limit {
            return limit;
        }
        rows.copy_within(width.., 0);
    }
    rows[2 * width - 1].min(limit)
}

#[cfg(test)]
mod tests {
    use super::closest;

    fn near(wanted: &str) -> Option<&'static str> {
        closest(wanted, ["c5.large", "c5n.18xlarge", "c6i.32xlarge"].into_iter())
    }

    #[test]
    fn the_nearest_name_wins() {
        assert_eq!(near("c5n.18xlrage"), Some("c5n.18xlarge"));
        assert_eq!(near("C5N.18XLARGE"), Some("c5n.18xlarge"));
        assert_eq!(near("c5.larg"), Some("c5.large"));
        assert_eq!(near("c5n.18xlarge"), Some("c5n.18xlarge"));
    }

    #[test]
    fn a_far_name_gets_no_suggestion() {
        assert_eq!(near("graviton"), None);
        assert_eq!(near(""), None);
    }
}
