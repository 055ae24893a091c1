//! The account as a whole: its file, two stacks at once, the same run twice.

use super::help::*;
use crate::cloud::{ErrorKind, ImageQuery, StackStatus, Timestamp, sandbox};
use serde_json::{Value, json};
use std::time::Duration;

fn database() -> Value {
    json!({ "Resources": { "Db": { "Type": "AWS::RDS::DBInstance", "Properties": {
        "Engine": "mysql", "DBInstanceClass": "db.t4g.medium", "AllocatedStorage": "20",
        "MasterUsername": "slurm", "ManageMasterUserPassword": true,
    }}}, "Outputs": {
        "Host": { "Value": { "Fn::GetAtt": "Db.Endpoint.Address" } },
        "Port": { "Value": { "Fn::GetAtt": ["Db", "Endpoint.Port"] } },
        "Secret": { "Value": { "Fn::GetAtt": ["Db", "MasterUserSecret.SecretArn"] } },
    }})
}

fn head() -> Value {
    json!({ "Resources": { "Head": { "Type": "AWS::EC2::Instance", "Properties": {
        "InstanceType": "c5.xlarge", "ImageId": "ami-1", "SubnetId": "subnet-0aaaaaaaaaaaaaaaa",
    }}}, "Outputs": { "Ip": { "Value": { "Fn::GetAtt": "Head.PrivateIp" } } } })
}

#[test]
fn two_stacks_move_on_together() {
    let cloud = sandbox::in_memory(REGION);
    let start = cloud.clock.now();
    assert_eq!(start, Timestamp(1_767_225_600));
    let (database_template, head_template) = (database(), head());
    let (database, head) = run(async {
        tokio::join!(create(&cloud, "demo-db", &database_template), create(&cloud, "demo-head", &head_template))
    });
    assert_eq!((database.status, head.status), (StackStatus::CreateComplete, StackStatus::CreateComplete));
    assert!((540..=545).contains(&(cloud.clock.now().0 - start.0)), "as long as the longer one");
    assert_eq!(database.outputs["Port"], "3306");
    assert!(database.outputs["Secret"].starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!"));
    let instances = run(cloud.compute.instances_of("demo")).unwrap();
    assert_eq!((instances.len(), instances[0].state.as_str()), (1, "running"));
    assert_eq!(instances[0].private_ip.as_ref(), Some(&head.outputs["Ip"]));
}

#[test]
fn a_process_that_dies_leaves_the_stack_running() {
    let folder = Folder::new("reopen");
    run(async {
        let first = sandbox::open(&folder.file(), REGION).unwrap();
        first.stacks.create(&input("demo-db", &database())).await.unwrap();
        first.clock.sleep(Duration::from_secs(300)).await;
        first.stacks.stack("demo-db").await.unwrap();
        drop(first);
        let second = sandbox::open(&folder.file(), REGION).unwrap();
        assert_eq!(second.clock.now(), Timestamp(1_767_225_600 + 300));
        let state = second.stacks.stack("demo-db").await.unwrap().unwrap();
        assert_eq!(state.status, StackStatus::CreateInProgress);
        let third = sandbox::open(&folder.file(), REGION).unwrap();
        assert_eq!(settled(&second, "demo-db").await.status, StackStatus::CreateComplete);
        assert_eq!(third.stacks.stack("demo-db").await.unwrap().unwrap().status, StackStatus::CreateComplete);
        assert!(third.clock.now().0 >= 1_767_225_600 + 540, "it sees the other's time");
    });
}

#[test]
fn the_same_run_twice_gives_the_same_bytes() {
    let file = |name: &str| {
        let folder = Folder::new(name);
        run(async {
            let cloud = sandbox::open(&folder.file(), REGION).unwrap();
            let (database, head) = (database(), head());
            tokio::join!(create(&cloud, "demo-db", &database), create(&cloud, "demo-head", &head));
            delete(&cloud, "demo-db").await;
        });
        std::fs::read_to_string(folder.file()).unwrap()
    };
    assert_eq!(file("once"), file("twice"));
}

#[test]
fn a_damaged_file_is_an_error_with_a_remedy() {
    let folder = Folder::new("damaged");
    for (text, expected) in [
        ("{", "damaged"),
        ("{\"kind\":\"other\",\"format_version\":1}", "kind `other`"),
        ("{\"kind\":\"hpcctl.sandbox\",\"format_version\":9}", "format version 9"),
    ] {
        std::fs::write(folder.file(), text).unwrap();
        let Err(error) = sandbox::open(&folder.file(), REGION) else { panic!("{text}") };
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(expected) && error.message.contains("move it away"), "{error}");
    }
}

#[test]
fn what_is_outside_the_stacks_answers_the_same_every_time() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        let ids = ["subnet-0aaaaaaaaaaaaaaaa".to_owned()];
        let subnets = cloud.compute.subnets(&ids).await.unwrap();
        assert!(subnets[0].zone.starts_with(REGION));
        assert_eq!(cloud.compute.subnets(&ids).await.unwrap(), subnets);
        assert_eq!(cloud.compute.subnets(&["nope".to_owned()]).await.unwrap_err().kind, ErrorKind::NotFound);
        let query = ImageQuery { owner: "1".to_owned(), name: "ubuntu-*".to_owned(), architecture: "arm64".to_owned() };
        let image = cloud.compute.newest_image(&query).await.unwrap().unwrap();
        assert_eq!((image.name.as_str(), image.id.len()), ("ubuntu-20260101", 21));
        assert_eq!(cloud.identity.caller().await.unwrap().account, "123456789012");
        assert!(cloud.compute.instance_types().await.unwrap().len() > 100);
    });
}
