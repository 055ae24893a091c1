//! Secrets that were typed where everybody can read them.

use super::{
    rules::names as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cluster, Node, NodeKind, Path};
use regex_lite::Regex;

/// Looks at every text of the file.
pub(super) fn check(sheet: &mut Sheet, _: &Cluster) {
    let Some(tree) = &sheet.doc.tree else { return };
    let Some(patterns) = Patterns::new() else { return };
    let mut found = Vec::new();
    patterns.walk(tree, &mut Path::root(), &mut found);
    for (at, what) in found {
        sheet.add(&rule::SECRET_IN_CLEAR, at, args! { what: what });
    }
}

struct Patterns {
    access_key: Regex,
    private_key: Regex,
    assignment: Regex,
    in_url: Regex,
    token: Regex,
    presigned: Regex,
    session: Regex,
}

impl Patterns {
    fn new() -> Option<Self> {
        Some(Self {
            access_key: Regex::new(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b").ok()?,
            private_key: Regex::new(r"-----BEGIN [A-Z ]*PRIVATE KEY-----").ok()?,
            // A reference such as $PASSWORD, {{resolve:...}} or an ARN is no secret.
            assignment: Regex::new(
                r"(?i)\b[a-z_-]*(password|passwd|secret_key|secret_access_key|api_key|auth_token)\s*[=:]\s*[^\s${a/]\S{3,}",
            )
            .ok()?,
            in_url: Regex::new(r"[a-z]+://[^/\s:@]+:[^/\s@]{3,}@").ok()?,
            // A presigned URL is a right of whoever made it, for whoever has it.
            presigned: Regex::new(r"(?i)[?&]X-Amz-(Signature|Credential|Security-Token)=").ok()?,
            // Session tokens of STS are long, and begin like this.
            session: Regex::new(r"\b(FwoGZXIvYXdzE|IQoJb3JpZ2luX2Vj)[A-Za-z0-9+/=]{20,}").ok()?,
            token: Regex::new(r"\b(ghp_[A-Za-z0-9]{36}|xox[abp]-[A-Za-z0-9-]{20,}|glpat-[A-Za-z0-9_-]{20,})").ok()?,
        })
    }

    fn look(&self, text: &str) -> Option<&'static str> {
        // The words that come first are cheap to look for, and most texts have none of them.
        let kinds: [(&[&str], &Regex, _); 7] = [
            (&["AKIA", "ASIA"], &self.access_key, "the id of an AWS access key"),
            (&["-----BEGIN"], &self.private_key, "a private key"),
            (&["=", ":"], &self.assignment, "a password"),
            (&["://"], &self.in_url, "a password in a URL"),
            (&["?", "&"], &self.presigned, "a presigned URL"),
            (&["FwoG", "IQoJ"], &self.session, "a session token"),
            (&["ghp_", "xox", "glpat-"], &self.token, "an access token"),
        ];
        let found = |(words, pattern, _): &(&[&str], &Regex, _)| {
            words.iter().any(|word| text.contains(word)) && pattern.is_match(text)
        };
        kinds.into_iter().find(found).map(|(_, _, what)| what)
    }

    fn walk(&self, node: &Node, at: &mut Path, found: &mut Vec<(Path, &'static str)>) {
        match &node.kind {
            NodeKind::Str(text) if text.len() >= 8 => {
                found.extend(self.look(text).map(|what| (at.clone(), what)));
            }
            NodeKind::Seq(items) => {
                for (i, item) in items.iter().enumerate() {
                    at.0.push(crate::spec::Seg::Index(i));
                    self.walk(item, at, found);
                    at.0.pop();
                }
            }
            NodeKind::Map(entries) => {
                for entry in entries {
                    at.0.push(crate::spec::Seg::Key(entry.key.clone()));
                    match &entry.value.kind {
                        NodeKind::Str(text) if is_password_key(&entry.key) && !text.starts_with("arn:") => {
                            found.push((at.clone(), "a password"));
                        }
                        _ => self.walk(&entry.value, at, found),
                    }
                    at.0.pop();
                }
            }
            _ => {}
        }
    }
}

/// Keys under which only a password can stand; those that take the ARN of a secret end otherwise.
fn is_password_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "accountingstoragepass", "storagepass", "jobcomppass", "secret_key", "api_key"]
        .contains(&key.as_str())
}
