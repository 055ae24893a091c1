//! Where the services are: AWS itself, or `AWS_ENDPOINT_URL` and its forms for one service.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// Services by the names that the SDK derives its variables from.
const SERVICES: [&str; 6] = ["CloudFormation", "EC2", "FSx", "IAM", "S3", "STS"];

/// The endpoint set for a service (`AWS_ENDPOINT_URL_EC2`, `endpoint_url` in the profile's `services`), or for all.
pub(super) fn of(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let own = sdk.service_config().and_then(|config| config.load_config(key));
    own.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

/// Whether a service is on this machine.
pub(super) fn any_on_loopback(sdk: &SdkConfig) -> bool {
    SERVICES.iter().filter_map(|service| of(sdk, service)).any(|url| on_loopback(&url))
}

fn on_loopback(url: &str) -> bool {
    let host = host(url);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an endpoint is somebody else's: an emulator, or an object store of one's own. Those serve buckets by
/// path; AWS's own (a VPC endpoint too) by host name.
pub(super) fn is_foreign(url: &str) -> bool {
    let host = host(url);
    !["amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonaws.eu"]
        .iter()
        .any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_seen_in_all_spellings() {
        for url in [
            "http://127.0.0.1:4566",
            "http://localhost",
            "http://[::1]:80/",
            "https://s3.localhost:1",
            "http://127.9.9.9",
        ] {
            assert!(on_loopback(url), "{url}");
        }
        for url in ["https://example.org", "http://10.0.0.1:80", "https://localhost.example.org"] {
            assert!(!on_loopback(url), "{url}");
        }
    }

    #[test]
    fn aws_is_told_from_others() {
        assert!(!is_foreign("https://s3.eu-west-1.amazonaws.com"));
        assert!(!is_foreign("https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com"));
        assert!(is_foreign("http://127.0.0.1:9000") && is_foreign("http://minio:9000"));
        assert!(is_foreign("https://notamazonaws.com"));
    }
}
