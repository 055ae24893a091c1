//! Where CloudFormation finds a template that lies in S3.

use crate::catalog;

/// How buckets are addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateUrls {
    /// AWS: `https://BUCKET.s3.REGION.amazonaws.com/KEY`.
    ByHost {
        /// The region.
        region: String,
        /// `amazonaws.com`, or that of the region's partition.
        suffix: &'static str,
    },
    /// An emulator: `ENDPOINT/BUCKET/KEY`.
    ByPath(String),
}

impl TemplateUrls {
    pub(super) fn new(region: &str, foreign_s3: Option<&str>) -> Self {
        match foreign_s3 {
            Some(endpoint) => Self::ByPath(endpoint.trim_end_matches('/').to_owned()),
            None => {
                let suffix = catalog::region(region).map_or("amazonaws.com", |known| known.dns_suffix);
                Self::ByHost { region: region.to_owned(), suffix }
            }
        }
    }

    pub(super) fn of(&self, bucket: &str, key: &str) -> String {
        let key = encoded(key);
        match self {
            Self::ByHost { region, suffix } => format!("https://{bucket}.s3.{region}.{suffix}/{key}"),
            Self::ByPath(endpoint) => format!("{endpoint}/{bucket}/{key}"),
        }
    }
}

/// A key as the path of a URL (RFC 3986: unreserved characters and `/` stay).
fn encoded(key: &str) -> String {
    let mut path = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => path.push(char::from(byte)),
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_follow_partition_and_endpoint() {
        let url = |region, foreign| TemplateUrls::new(region, foreign).of("artifacts", "fds/stack +1.json");
        assert_eq!(url("eu-west-1", None), "https://artifacts.s3.eu-west-1.amazonaws.com/fds/stack%20%2B1.json");
        assert_eq!(url("cn-north-1", None), "https://artifacts.s3.cn-north-1.amazonaws.com.cn/fds/stack%20%2B1.json");
        assert_eq!(
            url("us-east-1", Some("http://127.0.0.1:4566/")),
            "http://127.0.0.1:4566/artifacts/fds/stack%20%2B1.json"
        );
    }
}
