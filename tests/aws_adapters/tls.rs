//! TLS: the certificates of a company's proxy or an emulator, given by file.

use crate::{identity::child, lab};
use hpcctl::cloud::{
    ErrorKind, Result,
    aws::{self, AwsOptions},
};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

#[test]
fn a_ca_file_is_what_is_trusted() {
    if !lab::running() {
        return;
    }
    let dir = env::temp_dir().join(format!("hpcctl-tls-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    certificates(&dir);
    let (mut server, port) = serve(&dir);
    let url = format!("https://localhost:{port}");
    let ca = dir.join("ca.pem");
    child("tls::child::untrusted", &[("AWS_ENDPOINT_URL", Some(&url))]);
    child("tls::child::trusted", &[("AWS_ENDPOINT_URL", Some(&url)), ("AWS_CA_BUNDLE", ca.to_str())]);
    child("tls::child::trusted_by_option", &[("AWS_ENDPOINT_URL", Some(&url)), ("TEST_CA", ca.to_str())]);
    server.kill().unwrap();
    server.wait().unwrap();
    fs::remove_dir_all(&dir).unwrap();
}

/// A CA, and a certificate of it for `localhost`.
fn certificates(dir: &Path) {
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    openssl(dir, &request, &["-subj", "/CN=hpcctl test CA", "-keyout", "ca.key", "-out", "ca.pem"]);
    let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
    let leaf = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key", "-out", "cert"];
    openssl(dir, &request, &[&signed[..], &leaf[..]].concat());
}

fn openssl(dir: &Path, first: &[&str], rest: &[&str]) {
    let output = Command::new("openssl").args(first).args(rest).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A server that answers every GET with a page of its own: past the certificates, and no object of S3's.
fn serve(dir: &Path) -> (Child, String) {
    let arguments = ["s_server", "-accept", "localhost:0", "-cert", "cert", "-key", "key", "-www"];
    let mut server = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let accept = lines.map_while(|line| line.ok()).find(|line| line.starts_with("ACCEPT ")).unwrap();
    (server, accept.rsplit(':').next().unwrap().to_owned())
}

mod child {
    use super::*;

    async fn get(options: AwsOptions) -> Result<Option<(Vec<u8>, String)>> {
        aws::open(options).await.unwrap().objects.get("bucket", "key").await
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn untrusted() {
        let error = get(AwsOptions::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network, "{error}");
        assert!(error.message.contains("UnknownIssuer") && error.message.contains("AWS_CA_BUNDLE"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn trusted() {
        assert_eq!(get(AwsOptions::default()).await.unwrap_err().kind, ErrorKind::Unreadable);
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn trusted_by_option() {
        let ca_file = env::var_os("TEST_CA").map(Into::into);
        assert_eq!(get(AwsOptions { ca_file, ..AwsOptions::default() }).await.unwrap_err().kind, ErrorKind::Unreadable);
    }
}
