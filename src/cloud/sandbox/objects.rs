//! S3's port.

use super::{
    bucket::{Body, Bucket},
    control::{Call, Sandbox},
    faults::Script,
    iam,
    world::{ACCOUNT, World},
};
use crate::cloud::{ErrorKind, ObjectInfo, Objects, PutCondition, Result, expected_owner};
use async_trait::async_trait;

const SERVICE: &str = "s3";

#[async_trait]
impl Objects for Sandbox {
    async fn bucket_exists(&self, bucket: &str) -> Result<bool> {
        let call = Call::look(SERVICE, "HeadBucket");
        self.call(call, |world, script| {
            refuse_foreign(script, call, bucket)?;
            self.permit(world, call, &[iam::bucket("s3:ListBucket", bucket, None, owner(script, bucket))])?;
            Ok(exists(world, script, bucket))
        })
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>, condition: PutCondition) -> Result<String> {
        let call = Call::change(SERVICE, "PutObject");
        self.call(call, |world, script| {
            let now = world.now;
            self.permit(world, call, &[iam::object("s3:PutObject", bucket, key, owner(script, bucket))])?;
            let found = reach(world, script, call, bucket)?;
            check(call, found.current(key), &condition)?;
            let body = Body::new(body);
            let etag = body.etag();
            found.put(key, Some(body), now);
            Ok(etag)
        })
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>> {
        let call = Call::look(SERVICE, "GetObject");
        self.call(call, |world, script| {
            self.permit(world, call, &[iam::object("s3:GetObject", bucket, key, owner(script, bucket))])?;
            let found = reach(world, script, call, bucket)?.current(key).map(|body| (body.bytes(), body.etag()));
            if found.is_none() {
                // Who may not list the bucket is not told that an object is missing.
                self.permit(world, call, &[iam::bucket("s3:ListBucket", bucket, None, owner(script, bucket))])?;
            }
            Ok(found)
        })
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let call = Call::look(SERVICE, "ListObjectsV2");
        self.call(call, |world, script| {
            self.permit(world, call, &[iam::bucket("s3:ListBucket", bucket, Some(prefix), owner(script, bucket))])?;
            let found = reach(world, script, call, bucket)?.list(prefix);
            Ok(found.into_iter().map(|(key, body)| ObjectInfo { key: key.to_owned(), size: body.size() }).collect())
        })
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        let call = Call::change(SERVICE, "DeleteObject");
        self.call(call, |world, script| {
            let now = world.now;
            self.permit(world, call, &[iam::object("s3:DeleteObject", bucket, key, owner(script, bucket))])?;
            let found = reach(world, script, call, bucket)?;
            if found.objects.contains_key(key) {
                found.put(key, None, now);
            }
            Ok(())
        })
    }

    async fn delete_if(&self, bucket: &str, key: &str, etag: &str) -> Result<()> {
        let call = Call::change(SERVICE, "DeleteObject");
        self.call(call, |world, script| {
            let now = world.now;
            // Whoever names an entity tag learns whether it is the object's: S3 asks for the right to read it, too.
            let on = |action| iam::object(action, bucket, key, owner(script, bucket));
            self.permit(world, call, &[on("s3:DeleteObject"), on("s3:GetObject")])?;
            let found = reach(world, script, call, bucket)?;
            check(call, found.current(key), &PutCondition::IfMatch(etag.to_owned()))?;
            found.put(key, None, now);
            Ok(())
        })
    }

    async fn purge_old(&self, bucket: &str, key: &str) -> Result<usize> {
        let call = Call::change(SERVICE, "DeleteObjects");
        self.call(call, |world, script| {
            self.permit(world, call, &[iam::object("s3:DeleteObjectVersion", bucket, key, owner(script, bucket))])?;
            Ok(reach(world, script, call, bucket)?.forget_old(key))
        })
    }

    async fn purge(&self, bucket: &str, prefix: &str) -> Result<usize> {
        self.purge_but(bucket, prefix, "").await
    }

    async fn purge_but(&self, bucket: &str, prefix: &str, but: &str) -> Result<usize> {
        let call = Call::change(SERVICE, "DeleteObjects");
        self.call(call, |world, script| {
            let every = iam::object("s3:DeleteObjectVersion", bucket, &format!("{prefix}*"), owner(script, bucket));
            self.permit(world, call, &[every])?;
            let objects = &mut reach(world, script, call, bucket)?.objects;
            let before: usize = objects.values().map(Vec::len).sum();
            objects.retain(|key, _| !key.starts_with(prefix) || key == but);
            Ok(before - objects.values().map(Vec::len).sum::<usize>())
        })
    }
}

fn check(call: Call, current: Option<&Body>, condition: &PutCondition) -> Result<()> {
    let holds = match condition {
        PutCondition::Always => true,
        PutCondition::IfAbsent => current.is_none(),
        PutCondition::IfMatch(etag) => current.is_some_and(|body| body.etag() == *etag),
    };
    let words = "At least one of the pre-conditions you specified did not hold";
    if holds { Ok(()) } else { Err(call.error(ErrorKind::PreconditionFailed, "PreconditionFailed", words)) }
}

/// Buckets of users are there without anybody making them; those that stacks make carry the account's number or the
/// program's name, and are there only when they were made.
fn exists(world: &World, script: &Script, bucket: &str) -> bool {
    let of_a_stack = bucket.contains(ACCOUNT) || bucket.starts_with("hpcctl");
    let absent = script.absent.iter().any(|name| name == bucket);
    world.buckets.contains_key(bucket) || script.foreign.iter().any(|name| name == bucket) || !(of_a_stack || absent)
}

/// The account that owns a bucket.
fn owner(script: &Script, bucket: &str) -> &'static str {
    if script.foreign.iter().any(|name| name == bucket) { "999999999999" } else { ACCOUNT }
}

/// S3's answer to a call that expects another owner of the bucket. Without the expectation a foreign bucket answers as
/// one's own does.
fn refuse_foreign(script: &Script, call: Call, bucket: &str) -> Result<()> {
    let foreign = script.foreign.iter().any(|name| name == bucket);
    match expected_owner(bucket).filter(|owner| foreign || *owner != ACCOUNT) {
        Some(_) => Err(call.error(ErrorKind::AccessDenied, "AccessDenied", "Access Denied")),
        None => Ok(()),
    }
}

fn reach<'w>(world: &'w mut World, script: &Script, call: Call, bucket: &str) -> Result<&'w mut Bucket> {
    refuse_foreign(script, call, bucket)?;
    if !exists(world, script, bucket) {
        let words = format!("The specified bucket does not exist: {bucket}");
        return Err(call.error(ErrorKind::NotFound, "NoSuchBucket", words));
    }
    Ok(world.buckets.entry(bucket.to_owned()).or_default())
}
