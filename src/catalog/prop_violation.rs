//! What can be wrong with a resource's properties.

use super::prop_path::PropPath;
use super::prop_schema::Kind;

/// Something wrong with a resource's properties.
#[derive(Debug, Clone, PartialEq)]
pub struct PropViolation {
    /// Where, with list indexes as numbers; empty for the resource as a whole.
    pub path: PropPath,
    /// What.
    pub kind: ViolationKind,
}

/// What is wrong with a property.
#[derive(Debug, Clone, PartialEq)]
pub enum ViolationKind {
    /// There is no property of that name.
    Unknown {
        /// The one that was most likely meant.
        closest: Option<String>,
    },
    /// It must be there.
    Missing,
    /// AWS sets it, a template cannot.
    ReadOnly,
    /// It is of another type.
    WrongType {
        /// Any of these would do.
        expected: Vec<Kind>,
        /// What it is.
        found: Kind,
    },
    /// It is none of the values that there are.
    NotAllowed {
        /// Those that there are.
        allowed: Vec<String>,
        /// What it is.
        found: String,
    },
    /// It does not match the regular expression.
    Pattern {
        /// The expression.
        pattern: String,
    },
    /// The number is too small or too large.
    Range {
        /// Least.
        min: Option<f64>,
        /// Greatest.
        max: Option<f64>,
    },
    /// The string has too few or too many characters, the list too few or too many elements.
    Length {
        /// Least.
        min: Option<usize>,
        /// Greatest.
        max: Option<usize>,
        /// How many there are.
        found: usize,
    },
    /// Exactly one of these must be there.
    ExactlyOne {
        /// Their names.
        of: Vec<String>,
        /// How many there are.
        found: usize,
    },
    /// At least one of these must be there.
    AtLeastOne {
        /// Their names.
        of: Vec<String>,
    },
    /// It must be there because another one is.
    NeededBy {
        /// The other one.
        by: String,
    },
    /// It must not be there together with another one.
    ExcludedBy {
        /// The other one.
        by: String,
    },
}
