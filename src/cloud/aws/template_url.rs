//! Where CloudFormation finds a template that lies in S3.
//!
//! CloudFormation takes addresses of S3's own domain only, whatever endpoint we ourselves reach S3 by
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>).

use crate::catalog;

/// `https://BUCKET.s3.REGION.amazonaws.com/KEY`, with the domain of the region's partition.
pub(super) fn template_url(region: &str, bucket: &str, key: &str) -> String {
    let suffix = catalog::region(region).map_or("amazonaws.com", |known| known.dns_suffix);
    format!("https://{bucket}.s3.{region}.{suffix}/{}", encoded(key))
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
    fn urls_follow_the_partition() {
        let url = |region| template_url(region, "artifacts", "fds/stack +1.json");
        assert_eq!(url("eu-west-1"), "https://artifacts.s3.eu-west-1.amazonaws.com/fds/stack%20%2B1.json");
        assert_eq!(url("cn-north-1"), "https://artifacts.s3.cn-north-1.amazonaws.com.cn/fds/stack%20%2B1.json");
    }
}
