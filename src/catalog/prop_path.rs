//! The path of a property inside a resource.

use std::fmt;

/// A property's path as CloudFormation's schemas write it, without `/properties/`:
/// `LustreConfiguration/ImportPath`, `SecurityGroupIngress/*/CidrIp`, where `*` is any list element.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PropPath(String);

impl PropPath {
    /// From the written form; list indexes may be numbers or `*`.
    pub fn new(path: &str) -> Self {
        Self(path.trim_matches('/').to_owned())
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment: a property of the resource itself.
    pub fn top(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// With dots, as `Fn::GetAtt` names a nested attribute: `Endpoint.Address`.
    pub fn dotted(&self) -> String {
        self.0.replace('/', ".")
    }

    /// Whether `other` is this property or lies inside it. List indexes do not count.
    pub fn covers(&self, other: &Self) -> bool {
        let mut theirs = names(&other.0);
        names(&self.0).all(|name| theirs.next() == Some(name))
    }
}

impl fmt::Display for PropPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PropPath {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

/// The segments that name properties: some schemas leave the `*` of a list out, so that indexes
/// cannot be compared.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|s| *s != "*" && !s.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::PropPath;

    fn covers(outer: &str, inner: &str) -> bool {
        PropPath::new(outer).covers(&PropPath::new(inner))
    }

    #[test]
    fn a_path_covers_itself_and_what_is_inside() {
        assert!(covers("A", "A"));
        assert!(covers("A", "A/B/0/C"));
        assert!(covers("A/*/B", "A/3/B"));
        assert!(covers("A/B", "A/3/B/C"));
        assert!(!covers("A/B", "A"));
        assert!(!covers("A", "AB"));
    }

    #[test]
    fn other_forms() {
        let path = PropPath::new("/Endpoint/Address");
        assert_eq!(
            (path.as_str(), path.top()),
            ("Endpoint/Address", "Endpoint")
        );
        assert_eq!(
            (path.dotted(), path.to_string()),
            ("Endpoint.Address".into(), "Endpoint/Address".into())
        );
    }
}
