//! The instance metadata service: version 2 alone, its paths and status codes as the EC2 user guide has them.

use crate::identity::child;
use hpcctl::cloud::{
    ErrorKind, Timestamp,
    aws::{self, AwsOptions},
};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
};

/// What the service says, by path below `/latest/meta-data/`.
type Documents = &'static [(&'static str, &'static str)];

const QUIET: Documents = &[("instance-id", "i-0123456789abcdef0"), ("tags/instance/hpcctl:node", "q-spot-3")];
const NOTICED: Documents = &[
    ("spot/instance-action", r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#),
    ("events/recommendations/rebalance", r#"{"noticeTime": "2020-10-27T08:22:00Z"}"#),
];
const STRANGE: Documents = &[("spot/instance-action", r#"{"action": "terminate"}"#)];

#[test]
fn notices_are_read() {
    for (test, documents) in [("quiet", QUIET), ("noticed", NOTICED), ("strange", STRANGE)] {
        let endpoint = serve(documents);
        let name = format!("metadata::child::{test}");
        asked(&name, &endpoint);
    }
    // Nobody listens there.
    asked("metadata::child::gone", "http://127.0.0.1:9");
}

/// Runs a child that asks this service: whatever a proxy is set to, and though the SDK is kept from it.
fn asked(test: &str, endpoint: &str) {
    let proxy = Some("http://127.0.0.1:9");
    let variables = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Some(endpoint)),
        ("AWS_EC2_METADATA_DISABLED", Some("true")),
        ("HTTP_PROXY", proxy),
        ("http_proxy", proxy),
        ("NO_PROXY", None),
        ("AWS_REGION", Some("eu-west-1")),
    ];
    child(test, &variables);
}

/// A service on this machine; gives its address.
fn serve(documents: Documents) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.map(|stream| answer(stream, documents));
        }
    });
    format!("http://{address}")
}

/// One request, one answer, and the connection is closed.
fn answer(mut stream: TcpStream, documents: Documents) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    let headers: Vec<String> =
        lines.map_while(|line| line.ok()).take_while(|line| !line.is_empty()).map(|line| line.to_lowercase()).collect();
    let has = |name: &str, value: &str| headers.iter().any(|line| *line == format!("{name}: {value}"));
    let path = request.split(' ').nth(1)?;
    let (status, more, body) = match request.split(' ').next()? {
        "PUT"
            if path == "/latest/api/token"
                && headers.iter().any(|line| line.starts_with("x-aws-ec2-metadata-token-ttl-seconds: ")) =>
        {
            ("200 OK", "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "AQAA-token==")
        }
        "GET" if !has("x-aws-ec2-metadata-token", "aqaa-token==") => ("401 Unauthorized", "", ""),
        "GET" => {
            let wanted = path.strip_prefix("/latest/meta-data/").unwrap_or_default();
            let found = documents.iter().find(|(path, _)| *path == wanted);
            found.map_or(("404 Not Found", "", "not found"), |(_, body)| ("200 OK", "", *body))
        }
        _ => ("405 Method Not Allowed", "", ""),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

mod child {
    use super::*;

    async fn metadata() -> std::sync::Arc<dyn hpcctl::cloud::Metadata> {
        aws::open(AwsOptions::default()).await.unwrap().metadata
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn quiet() {
        let metadata = metadata().await;
        assert_eq!(metadata.instance_id().await.unwrap(), "i-0123456789abcdef0");
        assert_eq!(metadata.tag("hpcctl:node").await.unwrap().as_deref(), Some("q-spot-3"));
        assert_eq!(metadata.tag("other").await.unwrap(), None);
        assert_eq!(metadata.interruption().await.unwrap(), None);
        assert_eq!(metadata.rebalance().await.unwrap(), None);
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn noticed() {
        let metadata = metadata().await;
        let notice = metadata.interruption().await.unwrap().unwrap();
        assert_eq!((notice.action.as_str(), notice.at), ("terminate", Timestamp(1_505_722_920)));
        assert_eq!(metadata.rebalance().await.unwrap(), Some(Timestamp(1_603_786_920)));
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn strange() {
        let error = metadata().await.interruption().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Other, "{error}");
        assert!(error.message.contains("is no time in"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn gone() {
        let begin = std::time::Instant::now();
        let error = metadata().await.interruption().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network, "{error}");
        assert!(begin.elapsed().as_secs() < 5, "two minutes are short");
    }
}
