//! Kinds of failure, as services report them: the judge answers in their place.

use crate::lab::Lab;
use hpcctl::cloud::ErrorKind;

#[tokio::test]
async fn failures_of_services_have_their_kind() {
    let Some(lab) = Lab::open().await else { return };
    for (code, status, expected) in [
        ("ExpiredToken", 403, ErrorKind::Credentials),
        ("InvalidClientTokenId", 403, ErrorKind::Credentials),
        ("AccessDenied", 403, ErrorKind::AccessDenied),
        ("LimitExceeded", 409, ErrorKind::Quota),
        ("SomethingNew", 400, ErrorKind::Invalid),
    ] {
        lab.rules(&format!(
            r#"[{{"op": "iam:ListRoles", "times": 1, "code": "{code}", "status": {status}, "message": "said so"}}]"#
        ));
        let error = lab.cloud.identity.roles("/x/").await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (expected, Some(code)));
        assert!(error.message.starts_with("said so"), "{error}");
        assert_eq!((error.service, error.operation), ("iam", "ListRoles"));
    }
}

#[tokio::test]
async fn failures_of_ec2_and_fsx_have_their_kind() {
    let Some(lab) = Lab::open().await else { return };
    lab.rules(r#"[{"op": "ec2:DescribeTags", "times": 1, "code": "UnauthorizedOperation", "status": 403}]"#);
    let error = lab.cloud.compute.tagged("x").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied);
    lab.rules(r#"[{"op": "fsx:DescribeFileSystems", "times": 1, "code": "BadRequest", "status": 400}]"#);
    let error = lab.cloud.file_systems.file_systems_of("x").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("BadRequest")));
}

/// What a proxy made of an answer is no answer: it is asked for again, and at last it is an error.
#[tokio::test]
async fn answers_that_are_not_whole_are_errors() {
    let Some(lab) = Lab::open().await else { return };
    let rule = |op: &str, how: &str, times: u32| {
        lab.rules(&format!(r#"[{{"op": "{op}", "times": {times}, "after": true, "mangle": "{how}"}}]"#));
    };
    lab.make(&lab.stack("whole", crate::templates::BUCKET)).await;
    for how in ["cut", "page", "empty"] {
        rule("cloudformation:DescribeStacks", how, 1);
        assert_eq!(lab.cloud.stacks.stacks_of(&lab.name).await.unwrap().len(), 1, "{how}");
    }
    // The SDK tries each for half a minute.
    rule("cloudformation:DescribeStacks", "cut", 99);
    let stacks = lab.cloud.stacks.stacks_of(&lab.name).await.unwrap_err();
    rule("fsx:DescribeFileSystems", "empty", 99);
    let file_systems = lab.cloud.file_systems.file_systems_of(&lab.name).await.unwrap_err();
    rule("sts:GetCallerIdentity", "page", 99);
    let caller = lab.cloud.identity.caller().await.unwrap_err();
    for error in [stacks, file_systems, caller] {
        assert_eq!(error.kind, ErrorKind::Unreadable, "{error}");
    }
    lab.rules("[]");
}

/// A HEAD answer has no body: what is wrong with the credentials is asked for with a GET.
#[tokio::test]
async fn a_bucket_that_is_not_shown_says_why() {
    let Some(lab) = Lab::open().await else { return };
    lab.rules(
        r#"[{"op": "s3:HeadBucket", "times": 1, "code": "ExpiredToken", "status": 403},
            {"op": "s3:ListObjectsV2", "times": 1, "code": "ExpiredToken", "status": 400}]"#,
    );
    let error = lab.cloud.objects.bucket_exists("hpcctl-000000000000-eu-west-1").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Credentials, Some("ExpiredToken")), "{error}");
    lab.rules("[]");
}
