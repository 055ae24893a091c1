//! Colour, where it is wanted. Everything reads as well without.

/// Paints text, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Whether to colour.
    pub color: bool,
}

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self { color: false };

    fn with(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Something that is made.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Something that changes.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Something that goes, or is wrong.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Something to notice.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Something to pass over.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}
