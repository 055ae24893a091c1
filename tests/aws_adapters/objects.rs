//! Objects in S3.

use crate::{lab::Lab, templates};
use futures_util::{StreamExt, stream};
use hpcctl::cloud::{ErrorKind, PutCondition};

#[tokio::test]
async fn objects_are_written_read_listed_and_deleted() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (objects, bucket) = (&lab.cloud.objects, made.outputs["Bucket"].as_str());
    assert!(objects.bucket_exists(bucket).await.unwrap());
    assert!(!objects.bucket_exists(&format!("{}-missing", lab.name)).await.unwrap());

    let tag = objects.put(bucket, "a/plan 1.json", b"{}".to_vec(), PutCondition::Always).await.unwrap();
    assert_eq!(objects.get(bucket, "a/plan 1.json").await.unwrap(), Some((b"{}".to_vec(), tag)));
    assert_eq!(objects.get(bucket, "a/none").await.unwrap(), None);
    let missing = objects.get(&format!("{}-missing", lab.name), "a").await.unwrap_err();
    assert_eq!((missing.kind, missing.code.as_deref()), (ErrorKind::NotFound, Some("NoSuchBucket")));

    objects.put(bucket, "b", vec![0; 3], PutCondition::Always).await.unwrap();
    let listed = objects.list(bucket, "a/").await.unwrap();
    assert_eq!((listed.len(), listed[0].key.as_str(), listed[0].size), (1, "a/plan 1.json", 2));
    objects.delete(bucket, "a/plan 1.json").await.unwrap();
    assert_eq!(objects.get(bucket, "a/plan 1.json").await.unwrap(), None);
    assert_eq!(objects.purge(bucket, "a/").await.unwrap(), 2, "the version and its delete marker");
    assert_eq!(objects.purge(bucket, "").await.unwrap(), 1);
    assert_eq!(objects.purge(bucket, "").await.unwrap(), 0);
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn conditions_hold_or_the_write_is_refused() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (objects, bucket) = (&lab.cloud.objects, made.outputs["Bucket"].as_str());
    let put = |body: &'static [u8], condition| objects.put(bucket, "lock", body.to_vec(), condition);

    let none = put(b"x", PutCondition::IfMatch("\"0123\"".into())).await.unwrap_err();
    assert_eq!(none.kind, ErrorKind::PreconditionFailed, "{none:?}");
    let first = put(b"one", PutCondition::IfAbsent).await.unwrap();
    assert_eq!(put(b"two", PutCondition::IfAbsent).await.unwrap_err().kind, ErrorKind::PreconditionFailed);
    let second = put(b"two", PutCondition::IfMatch(first.clone())).await.unwrap();
    assert_eq!(put(b"three", PutCondition::IfMatch(first)).await.unwrap_err().kind, ErrorKind::PreconditionFailed);
    assert_eq!(objects.get(bucket, "lock").await.unwrap(), Some((b"two".to_vec(), second)));

    let both = tokio::join!(
        objects.put(bucket, "race", b"a".to_vec(), PutCondition::IfAbsent),
        objects.put(bucket, "race", b"a".to_vec(), PutCondition::IfAbsent),
    );
    assert_ne!(both.0.is_ok(), both.1.is_ok(), "one wins, whatever it writes: {both:?}");
    objects.purge(bucket, "").await.unwrap();
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn a_deletion_on_a_condition_holds_or_is_refused() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (objects, bucket) = (&lab.cloud.objects, made.outputs["Bucket"].as_str());
    let put = |body: &'static [u8]| objects.put(bucket, "lock", body.to_vec(), PutCondition::Always);
    let refused = async |etag: &str| objects.delete_if(bucket, "lock", etag).await.unwrap_err().kind;
    assert_eq!(refused("\"0123\"").await, ErrorKind::PreconditionFailed, "there is none");
    let (one, two) = (put(b"one").await.unwrap(), put(b"two").await.unwrap());
    assert_eq!(refused(&one).await, ErrorKind::PreconditionFailed, "it is another one now");
    assert_eq!(objects.purge_old(bucket, "lock").await.unwrap(), 1);
    assert_eq!(objects.get(bucket, "lock").await.unwrap(), Some((b"two".to_vec(), two.clone())), "what is now stays");
    objects.delete_if(bucket, "lock", &two).await.unwrap();
    assert_eq!(objects.get(bucket, "lock").await.unwrap(), None);
    assert_eq!(refused(&two).await, ErrorKind::PreconditionFailed, "it is gone");
    put(b"other").await.unwrap();
    // What begins with its name is another object.
    objects.put(bucket, "lock.json", b"x".to_vec(), PutCondition::Always).await.unwrap();
    assert_eq!(objects.purge_old(bucket, "lock").await.unwrap(), 2, "the version before and its delete marker");
    assert_eq!(objects.list(bucket, "").await.unwrap().len(), 2);
    objects.purge(bucket, "").await.unwrap();
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_is_known_again() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (objects, bucket) = (&lab.cloud.objects, made.outputs["Bucket"].as_str());
    let lose = || lab.rules(r#"[{"op": "s3:PutObject", "times": 1, "after": true, "drop": true}]"#);
    lose();
    let tag = objects.put(bucket, "lock", b"mine".to_vec(), PutCondition::IfAbsent).await.unwrap();
    lose();
    let newer = objects.put(bucket, "lock", b"still".to_vec(), PutCondition::IfMatch(tag)).await.unwrap();
    assert_eq!(objects.get(bucket, "lock").await.unwrap(), Some((b"still".to_vec(), newer)));
    objects.purge(bucket, "").await.unwrap();
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn more_than_a_page_is_listed_and_purged() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (objects, bucket) = (&lab.cloud.objects, made.outputs["Bucket"].as_str());
    let put = |n: i32| async move {
        let key = format!("many/{n:04}");
        objects.put(bucket, &key, vec![b'x'], PutCondition::Always).await.unwrap()
    };
    assert_eq!(stream::iter(0..1003).map(put).buffer_unordered(16).count().await, 1003);
    let listed = objects.list(bucket, "many/").await.unwrap();
    assert_eq!((listed.len(), listed[1002].key.as_str()), (1003, "many/1002"));
    assert_eq!(objects.purge(bucket, "many/").await.unwrap(), 1003);
    assert!(objects.list(bucket, "").await.unwrap().is_empty());
    lab.remove(&made.id).await;
}

/// Names of buckets are global: every call on an artifact bucket says whose it must be. AW-08.
#[tokio::test]
async fn an_artifact_bucket_of_another_account_is_refused() {
    let Some(lab) = Lab::open().await else { return };
    let account = lab.cloud.identity.caller().await.unwrap().account;
    let bucket = format!("hpcctl-{account}-{}-foreign", lab.name);
    let template =
        templates::BUCKET.replace("\"Properties\": {", &format!("\"Properties\": {{\"BucketName\": \"{bucket}\", "));
    let made = lab.make(&lab.stack("bucket", &template)).await;
    let objects = &lab.cloud.objects;
    for answer in [
        objects.bucket_exists(&bucket).await.map(drop),
        objects.put(&bucket, "a", vec![1], PutCondition::Always).await.map(drop),
        objects.put(&bucket, "a", vec![1], PutCondition::IfAbsent).await.map(drop),
        objects.get(&bucket, "a").await.map(drop),
        objects.list(&bucket, "").await.map(drop),
        objects.delete(&bucket, "a").await,
        objects.purge(&bucket, "").await.map(drop),
    ] {
        assert_eq!(answer.unwrap_err().kind, ErrorKind::AccessDenied);
    }
    lab.remove(&made.id).await;
}
