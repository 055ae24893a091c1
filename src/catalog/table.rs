//! A sorted text table: one row a line, the name first, a tab behind it, `#` lines on top.
//!
//! Looking up a name reads a dozen lines of the text and parses one, so that a table of 200 kB costs
//! a command nothing that it does not use.

/// A view on a table's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    body: &'a str,
}

impl<'a> Table<'a> {
    /// Skips the header. The rows must be sorted by name in byte order, as the generator writes them.
    pub(super) fn new(text: &'a str) -> Self {
        let mut body = text;
        while body.starts_with('#') {
            body = body.split_once('\n').map_or("", |(_, rest)| rest);
        }
        Self { body }
    }

    /// The row of that name, without the name and its tab.
    pub(super) fn find(&self, name: &str) -> Option<&'a str> {
        let (mut low, mut high) = (0, self.body.len());
        while low < high {
            let (start, end) = self.line_around(low + (high - low) / 2);
            let (found, row) = split(&self.body[start..end]);
            match found.cmp(name) {
                std::cmp::Ordering::Equal => return Some(row),
                std::cmp::Ordering::Less => low = (end + 1).min(high),
                std::cmp::Ordering::Greater => high = start,
            }
        }
        None
    }

    /// Every name with its row, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.body.lines().map(split)
    }

    /// Every name, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.rows().map(|(name, _)| name)
    }

    /// Start and end of the line that holds the byte at `at`, its newline left out.
    fn line_around(&self, at: usize) -> (usize, usize) {
        let bytes = self.body.as_bytes();
        let start = bytes[..at]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |i| i + 1);
        let end = bytes[at..]
            .iter()
            .position(|b| *b == b'\n')
            .map_or(bytes.len(), |i| at + i);
        (start, end)
    }
}

fn split(line: &str) -> (&str, &str) {
    line.split_once('\t').unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a\n# b\na.1\t1\nb.22\t2\tx\nc\n";

    #[test]
    fn every_row_is_found_and_nothing_else() {
        let table = Table::new(TEXT);
        assert_eq!(table.find("a.1"), Some("1"));
        assert_eq!(table.find("b.22"), Some("2\tx"));
        assert_eq!(table.find("c"), Some(""));
        for absent in ["", "a", "a.11", "b", "bb", "d", "#"] {
            assert_eq!(table.find(absent), None, "{absent}");
        }
        assert_eq!(table.names().collect::<Vec<_>>(), ["a.1", "b.22", "c"]);
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        assert_eq!(Table::new("").find("a"), None);
        assert_eq!(Table::new("# only a header").find("a"), None);
    }
}
