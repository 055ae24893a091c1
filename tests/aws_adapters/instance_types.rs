//! Instance types, against the catalogue that is part of the program.

use crate::lab::Lab;
use hpcctl::catalog::InstanceCatalog;

/// With `--moto` the test cloud answers with AWS's recorded facts, the source of the catalogue: all must agree.
#[tokio::test]
async fn instance_types_are_read_as_the_catalogue_has_them() {
    let Some(lab) = Lab::open().await else { return };
    let found = lab.cloud.compute.instance_types().await.unwrap();
    assert!(!found.is_empty() && found.is_sorted_by(|a, b| a.name < b.name));
    if std::env::var("AWS_ENDPOINT_URL_EC2").is_err() {
        return;
    }
    assert!(found.len() > 500, "{}", found.len());
    let catalog = InstanceCatalog::embedded();
    for kind in &found {
        assert_eq!(Some(kind), catalog.get(&kind.name).as_ref());
    }
}
