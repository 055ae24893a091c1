//! The AWS CLI of a machine: the few calls that hpcctl's scripts make, answered by the sandbox.

use super::{
    error::{RehearsalError, failed},
    secret,
};
use crate::cloud::{Cloud, ErrorKind, PutCondition, sandbox::Sandbox};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// Where a machine finds what secrets are made from.
const SEED: &str = "/run/rehearsal/secret";
/// hpcctl on a machine: what `apply` would have put into the bucket.
const PROGRAM: &str = "/opt/hpcctl/bin/hpcctl";
/// How the keys of programs begin in the artifact bucket.
const PROGRAMS: &str = "bin/hpcctl-";

/// Answers `aws` with these words; gives what it prints.
///
/// # Errors
/// When the call is not one of those that scripts make, or what it asks for is not there.
pub async fn call(sandbox: &Sandbox, words: &[String]) -> Result<Vec<u8>, RehearsalError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["s3", "cp", rest @ ..] => copy(&sandbox.cloud(), rest).await,
        ["s3api", "get-object", rest @ ..] => {
            let place = (option(rest, "--bucket"), option(rest, "--key"), rest.last());
            let (Some(bucket), Some(key), Some(to)) = place else { return Err(unknown(&words)) };
            write(Path::new(to), &get(&sandbox.cloud(), bucket, key).await?)?;
            Ok(b"{}\n".to_vec())
        }
        ["secretsmanager", "get-secret-value", rest @ ..] => {
            let arn = option(rest, "--secret-id").ok_or_else(|| unknown(&words))?;
            let path = Path::new(SEED);
            let seed = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
            let text = sandbox.secret_text(arn, &secret::of(&seed, arn))?;
            Ok(format!("{text}\n").into_bytes())
        }
        _ => Err(unknown(&words)),
    }
}

fn unknown(words: &[&str]) -> RehearsalError {
    RehearsalError::UnknownCall { words: words.join(" ") }
}

fn option<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    let at = words.iter().position(|word| *word == name)?;
    words.get(at + 1).copied()
}

/// `s3 cp [--recursive] s3://BUCKET/KEY TO`, where `-` is the standard output, or `s3 cp FROM s3://BUCKET/KEY`.
async fn copy(cloud: &Cloud, words: &[&str]) -> Result<Vec<u8>, RehearsalError> {
    let recursive = words.contains(&"--recursive");
    let quiet = |word: &&str| matches!(*word, "--only-show-errors" | "--quiet" | "--recursive");
    let paths: Vec<&str> = words.iter().filter(|word| !quiet(word)).copied().collect();
    let [from, to] = paths.as_slice() else { return Err(unknown(words)) };
    if let Some((bucket, key)) = to.strip_prefix("s3://").and_then(|path| path.split_once('/')) {
        let body = fs::read(from).map_err(|error| failed(Path::new(from), &error))?;
        cloud.objects.put(bucket, key, body, PutCondition::Always).await?;
        return Ok(Vec::new());
    }
    let place = from.strip_prefix("s3://").and_then(|path| path.split_once('/'));
    let (Some((bucket, key)), false) = (place, from.starts_with('-')) else { return Err(unknown(words)) };
    if recursive {
        for object in cloud.objects.list(bucket, key).await? {
            let name = object.key.strip_prefix(key).unwrap_or(&object.key).trim_start_matches('/');
            write(&Path::new(to).join(name), &get(cloud, bucket, &object.key).await?)?;
        }
        return Ok(Vec::new());
    }
    let body = get(cloud, bucket, key).await?;
    if *to == "-" {
        return Ok(body);
    }
    write(Path::new(to), &body)?;
    Ok(Vec::new())
}

async fn get(cloud: &Cloud, bucket: &str, key: &str) -> Result<Vec<u8>, RehearsalError> {
    // The sandbox's buckets carry no programs: a machine has hpcctl from the first. A role that may not list the bucket is
    // refused what is not there.
    let found = match cloud.objects.get(bucket, key).await {
        Err(error) if error.kind == ErrorKind::AccessDenied && key.starts_with(PROGRAMS) => None,
        found => found?,
    };
    if let Some((body, _)) = found {
        return Ok(body);
    }
    if key.starts_with(PROGRAMS) {
        let path = Path::new(PROGRAM);
        let program = fs::read(path).map_err(|error| failed(path, &error))?;
        let digest = || format!("{}\n", secret::hex(&Sha256::digest(&program))).into_bytes();
        return Ok(if key.ends_with(".sha256") { digest() } else { program.clone() });
    }
    let why = "the object does not exist".to_owned();
    Err(RehearsalError::Failed { what: format!("s3://{bucket}/{key}"), why })
}

fn write(path: &Path, body: &[u8]) -> Result<(), RehearsalError> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, body)).map_err(|error| failed(path, &error))
}
