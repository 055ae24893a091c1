//! Whether the body of an answer is whole, for the adapters of AWS.

/// Services of which every answer that says that a call succeeded has a body: those of the Query and JSON protocols
/// (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>, <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).
const NEVER_EMPTY: [&str; 7] = ["CloudFormation", "EC2", "STS", "IAM", "FSx", "Service Quotas", "CloudWatch Logs"];

/// What is wrong with the body of an answer that says that the call succeeded.
pub fn wrong(service: &str, xml: bool, body: &[u8]) -> Option<&'static str> {
    let text = body.trim_ascii();
    if text.is_empty() {
        return NEVER_EMPTY.contains(&service).then_some("an empty answer");
    }
    if !xml {
        return None;
    }
    match root(text) {
        Some(root) if root.eq_ignore_ascii_case(b"html") => Some("a web page"),
        Some(root) if is_closed(text, root) => None,
        Some(_) => Some("an answer that is cut off"),
        None => Some("an answer that is no XML"),
    }
}

/// The name of the first element, past the declaration and comments.
fn root(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let start = text.iter().position(|byte| *byte == b'<')?;
        text = &text[start + 1..];
        if !matches!(text.first()?, b'?' | b'!') {
            let end = text.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))?;
            return (end > 0).then(|| &text[..end]);
        }
    }
}

/// Whether the document ends with the end of its first element.
fn is_closed(text: &[u8], root: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b">") else { return false };
    if let Some(inside) = text.strip_suffix(b"/") {
        // An empty element: closed when it is the first one itself, and not one inside of it.
        return inside.iter().rposition(|byte| *byte == b'<').is_some_and(|start| {
            inside[start + 1..].strip_prefix(root).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
                && !inside[..start].windows(root.len()).any(|part| part == root)
        });
    }
    text.trim_ascii_end().strip_suffix(root).is_some_and(|rest| rest.ends_with(b"</"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_pass() {
        for body in [
            "<?xml version=\"1.0\"?>\n<DescribeStacksResponse xmlns=\"x\"><a/></DescribeStacksResponse>\n",
            "<DescribeTagsResponse xmlns=\"x\"/>",
            "<?xml version=\"1.0\"?><DescribeTagsResponse />",
        ] {
            assert_eq!(wrong("EC2", true, body.as_bytes()), None, "{body}");
        }
        assert_eq!(wrong("S3", false, b""), None);
        assert_eq!(wrong("FSx", false, b"{}"), None);
    }

    #[test]
    fn what_is_cut_off_or_not_the_services_is_an_error() {
        for (body, said) in [
            ("<?xml version=\"1.0\"?><DescribeStacksResponse><Stacks><member>", "an answer that is cut off"),
            ("<DescribeStacksResponse><Stacks/><<<{{]]", "an answer that is cut off"),
            ("<DescribeStacksResponse><Stacks/>", "an answer that is cut off"),
            ("<html><body>please log in</body></html>", "a web page"),
            ("<!DOCTYPE html>\n<HTML></HTML>", "a web page"),
            ("please log in", "an answer that is no XML"),
            ("", "an empty answer"),
        ] {
            assert_eq!(wrong("CloudFormation", true, body.as_bytes()), Some(said), "{body}");
        }
    }
}
