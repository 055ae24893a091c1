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
