//! What nodes and their jobs may do, read off the rendered templates and node files of every example.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        ErrorKind, PutCondition,
        sandbox::{HandEdit, Sandbox, Script},
    },
    node::{self, hostlist},
    render::NodeFile,
    report::errors::Failure,
};
use serde_json::Value;
use std::{collections::BTreeMap, fs};
use support::{head::Head, *};

/// The example clusters by name.
fn examples() -> BTreeMap<String, Built> {
    let files = fs::read_dir("examples/clusters").unwrap().map(|entry| entry.unwrap().path());
    let build_one = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name.clone(), build(&format!("{name}.yaml"), &fs::read_to_string(&path).unwrap()))
    };
    files.map(build_one).collect()
}

/// A role as its template has it: stack, logical id, properties.
fn roles(built: &Built) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (stack, template) in &built.rendered.templates {
        let template: Value = serde_json::from_str(&template.body).unwrap();
        for (id, resource) in template["Resources"].as_object().unwrap() {
            if resource["Type"] == "AWS::IAM::Role" {
                found.push((stack.to_string(), id.clone(), resource["Properties"].clone()));
            }
        }
    }
    found
}

/// The secret of the munge key reaches the head node alone; the others have it from there. AW-07.
#[test]
fn only_the_head_node_may_read_secrets() {
    for (name, built) in examples() {
        let reads = |role: &Value| role["Policies"].to_string().contains("secretsmanager:");
        let all = roles(&built);
        let who: Vec<&str> = all.iter().filter(|(_, _, role)| reads(role)).map(|(_, id, _)| id.as_str()).collect();
        assert!(who.iter().all(|id| *id == "HeadRole"), "{name}: {who:?}");
        let files = &built.rendered.files;
        for kind in ["compute", "login"] {
            let asks =
                |(path, file): &(&String, &NodeFile)| path.starts_with(kind) && file.content.contains("secretsmanager");
            assert_eq!(files.iter().find(asks).map(|(path, _)| path), None, "{name}");
        }
    }
}

/// No role has a policy of Amazon's that nobody wrote into the cluster file: `AmazonSSMManagedInstanceCore` reads every
/// parameter of the account. AW-07.
#[test]
fn roles_have_the_managed_policies_of_the_file_alone() {
    for (name, built) in examples() {
        let text = fs::read_to_string(format!("examples/clusters/{name}.yaml")).unwrap();
        for (_, id, role) in roles(&built) {
            for policy in role["ManagedPolicyArns"].as_array().into_iter().flatten() {
                let known = policy.as_str().is_some_and(|arn| text.contains(arn));
                assert!(known, "{name}: {id} has {policy}");
            }
        }
    }
}

/// Only root reaches the metadata service of a compute node, unless its queue lets jobs in. AW-07.
#[test]
fn jobs_reach_the_role_only_where_the_queue_lets_them() {
    for (name, built) in examples() {
        let files = &built.rendered.files;
        for queue in &built.cluster.queues {
            let shell = &files[&format!("compute/{}/queue.sh", queue.name)].content;
            let word = format!("JOBS_MAY_USE_ROLE={}\n", queue.jobs_may_use_role);
            assert!(shell.contains(&word), "{name}: {}", queue.name);
        }
        let setup = &files["compute/setup.sh"].content;
        let shut = setup.find("\n[[ $JOBS_MAY_USE_ROLE == true ]] || protect_metadata\n").unwrap();
        assert!(shut < setup.rfind("\nstart_slurmd\n").unwrap(), "{name}: shut before the first job");
        if let Some(script) = files.get("compute/libexec/protect-metadata") {
            let lets: Vec<&str> = script.content.lines().filter(|line| line.starts_with("  let_through ")).collect();
            assert_eq!(lets, ["  let_through 0"], "{name}");
        } else {
            assert!(built.cluster.queues.iter().all(|queue| queue.jobs_may_use_role), "{name}");
        }
    }
}

/// At a boot the packet filter comes before any network, and slurmd not without it. AW-07.
#[test]
fn the_metadata_is_shut_before_anybody_comes() {
    for (name, built) in examples() {
        let files = &built.rendered.files;
        for role in ["head", "login", "compute"] {
            let Some(unit) = files.get(&format!("{role}/systemd/hpcctl-metadata.service")) else { continue };
            for line in ["DefaultDependencies=no", "Wants=network-pre.target ", "Before=network-pre.target "] {
                assert!(
                    unit.content.lines().any(|found| format!("{found} ").starts_with(line)),
                    "{name}: {role} {line}"
                );
            }
        }
        let drop_in = files.get("compute/systemd/slurmd-metadata.conf");
        assert_eq!(drop_in.is_some(), files.contains_key("compute/libexec/protect-metadata"), "{name}");
        assert!(drop_in.is_none_or(|file| file.content.contains("\nRequires=hpcctl-metadata.service\n")), "{name}");
    }
}

/// Nodes read the artifact bucket only while it is their account's: names of buckets are global. AW-08.
#[test]
fn every_statement_on_the_artifact_bucket_names_its_account() {
    for (name, built) in examples() {
        for (stack, id, role) in roles(&built) {
            let statements = role.pointer("/Policies/0/PolicyDocument/Statement").and_then(Value::as_array);
            for statement in statements.into_iter().flatten() {
                let owner = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
                let ours = statement["Resource"].to_string().contains("${ArtifactBucket}");
                let account = serde_json::json!({ "Ref": "AWS::AccountId" });
                assert!(!ours || *owner == account, "{name}: {stack} {id} {statement:#}");
            }
        }
    }
}

/// What a node runs as root comes from a bucket whose owner was asked for. AW-08.
#[test]
fn node_scripts_ask_for_the_owner_of_the_bucket() {
    let user_data = ["head", "login", "compute"].map(|role| format!("templates/user-data/{role}.sh"));
    let mut texts: Vec<String> = user_data.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for built in examples().values() {
        texts.extend(built.rendered.files.values().map(|file| file.content.clone()));
    }
    for text in texts {
        let code = text.replace("\\\n", " ");
        for (number, line) in code.lines().enumerate().filter(|(_, line)| line.contains("aws s3")) {
            let next = code.lines().nth(number + 1).unwrap_or_default();
            let asks = |line: &str| line.contains(r#"aws s3api get-object --expected-bucket-owner "$ACCOUNT""#);
            // A whole folder has no call that asks; the one right after it does, before anything of it is used.
            let folder = line.contains("--recursive") && line.ends_with("&&") && asks(next);
            let users = line.contains(r#"s3 cp --only-show-errors "$from""#) && code.contains("run_action WHEN");
            // The head node's role writes to its own account's buckets alone.
            let report = line.contains(r#""s3://$BUCKET/clusters/$CLUSTER/status/"#);
            assert!(asks(line) || folder || users || report, "{line}\n{next}");
        }
    }
}

const MINIMAL: &str = include_str!("../examples/clusters/minimal.yaml");

/// A bucket of that name in another account: refused before anything is written to it. AW-08.
#[test]
fn a_bucket_of_another_account_is_refused() {
    on_sandbox(async {
        let script: Script = serde_json::from_str(r#"{"foreign": ["hpcctl-123456789012-eu-west-1"]}"#).unwrap();
        let file = std::env::temp_dir().join(format!("hpcctl-foreign-{}.json", std::process::id()));
        let cloud = Sandbox::open_with(&file, "eu-west-1", script, None).unwrap().cloud();
        let bucket = "hpcctl-123456789012-eu-west-1";
        let built = build("minimal.yaml", MINIMAL);
        let wanted = hpcctl::observe::Wanted::default();
        let refusal = hpcctl::observe::observe(&cloud, &built.graph.cluster, &wanted).await.unwrap_err();
        assert_eq!(Failure::from(refusal).code, "HPC2170");
        let put = cloud.objects.put(bucket, "x", vec![1], PutCondition::Always).await.unwrap_err();
        assert_eq!(put.kind, ErrorKind::AccessDenied);
        for answer in [
            cloud.objects.get(bucket, "x").await.map(drop),
            cloud.objects.list(bucket, "").await.map(drop),
            cloud.objects.delete(bucket, "x").await,
            cloud.objects.purge(bucket, "").await.map(drop),
        ] {
            assert_eq!(answer.unwrap_err().kind, ErrorKind::AccessDenied);
        }
        fs::remove_file(&file).ok();
    });
}

/// The bucket is the account's, and nothing gives it its settings: no plan builds on it, but what is there can go. AW-08.
#[test]
fn a_bucket_without_its_stack_is_refused() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory("eu-west-1");
        let built = build("minimal.yaml", MINIMAL);
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        cloud.stacks.delete(hpcctl::model::BOOTSTRAP_STACK, &[], "by-hand").await.unwrap();
        while cloud.stacks.stack(hpcctl::model::BOOTSTRAP_STACK).await.unwrap().is_some() {
            cloud.clock.sleep(std::time::Duration::from_secs(5)).await;
        }
        let live = look(&cloud, &built).await;
        let refusal = try_plan(&live, &built).unwrap_err();
        assert_eq!(Failure::from(refusal).code, "HPC2171");
        carry_out_well(&cloud, &plan_destroy(&cloud, &built).await).await;
    });
}

/// One queue whose nodes need all that a launch can need: a key, a reservation, a group of them, a profile of the user's.
const RESERVED: &str = r#"
version: 1
name: head
region: us-east-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: { instance_type: c5.large }
queues:
  - name: q
    default: true
    placement_group: true
    jobs_may_use_role: true
    iam: { instance_profile: "arn:aws:iam::123456789012:instance-profile/hpc/site-transfer" }
    root_volume: { kms_key: "arn:aws:kms:us-east-1:123456789012:key/11112222-3333-4444-5555-666677778888" }
    pools:
      - { name: od, instance_types: [c6i.4xlarge], max: 10 }
      - name: id
        purchase: capacity-reservation
        instance_types: [c6i.4xlarge]
        max: 10
        capacity_reservation: { id: cr-0a1b2c3d4e5f67890 }
      - name: group
        purchase: capacity-reservation
        instance_types: [c6i.4xlarge]
        max: 10
        capacity_reservation: { resource_group: "arn:aws:resource-groups:us-east-1:123456789012:group/odcr" }
  - name: plain
    pools: [ { name: od, instance_types: [c6i.4xlarge], max: 10 } ]
"#;

/// Starts nodes; what the head node says of it.
fn start(head: &Head, nodes: &str) -> String {
    let nodes = hostlist::expand(nodes).unwrap();
    let jobs = node::parse_resume_file(None, &nodes, &mut |_| {});
    let mut events = Vec::new();
    let result = on_sandbox(node::resume(&head.cloud, &head.cluster, &head.home, jobs, &mut |one| events.push(one)));
    let mut lines = head::lines(&events);
    lines.extend(result.err().map(|error| error.to_string()));
    lines.join("\n")
}

/// The head node's role can launch what the file asks for: keys, reservations and their groups, roles of users' profiles by
/// their real name. AW-39, AW-40, AW-44.
#[test]
fn the_head_node_may_launch_what_the_file_asks_for() {
    let head = Head::of("may-launch", RESERVED);
    for pool in ["q-od-1", "q-id-1", "q-group-1", "plain-od-1"] {
        let said = start(&head, pool);
        assert!(said.starts_with(&format!("launched {pool} as ")), "{pool}: {said}");
    }
}

/// Takes a statement out of the head node's policy by hand.
fn take_out(head: &Head, sid: &str) {
    let built = &head.built;
    let role = roles(built).into_iter().find(|(_, id, _)| id == "HeadRole").unwrap().2;
    let statements = role.pointer("/Policies/0/PolicyDocument/Statement").unwrap().as_array().unwrap().clone();
    let at = statements.iter().position(|one| one["Sid"] == sid).unwrap_or_else(|| panic!("no statement {sid}"));
    let edit = HandEdit {
        stack: "head-head".to_owned(),
        logical_id: "HeadRole".to_owned(),
        path: format!("Policies/0/PolicyDocument/Statement/{at}/Action"),
        value: "sts:NothingOfThis".into(),
    };
    head.sandbox.hand_edit(edit).unwrap();
}

/// Without any one of the statements a launch is refused, in EC2's words; so the sandbox holds calls against the policies.
#[test]
fn every_statement_of_a_launch_is_needed() {
    for (sid, pool, says) in [
        ("LaunchFromTemplates", "plain-od-1", "UnauthorizedOperation"),
        ("LaunchTagged", "plain-od-1", "not authorized to perform: ec2:RunInstances"),
        ("LaunchWith", "plain-od-1", "not authorized to perform: ec2:RunInstances"),
        ("LaunchIntoGroups", "q-group-1", "ec2:RunInstances on resource: arn:aws:resource-groups:"),
        ("Fleets", "plain-od-1", "ec2 CreateFleet (UnauthorizedOperation)"),
        ("TagLaunched", "plain-od-1", "not authorized to perform: ec2:CreateTags"),
        ("PassRoles", "plain-od-1", "not authorized to perform: iam:PassRole"),
        ("UseKeys", "q-od-1", "Client.InternalError"),
        ("GrantKeys", "q-od-1", "hpcctl explain HPC2172"),
        ("Look", "plain-od-1", "ec2 DescribeInstances (UnauthorizedOperation)"),
        ("WriteStatus", "plain-od-1", "s3 PutObject (AccessDenied)"),
    ] {
        let head = Head::of(&format!("without-{sid}"), RESERVED);
        take_out(&head, sid);
        let said = start(&head, pool);
        assert!(said.contains(says), "{sid}: {said}");
    }
}

/// The head node attaches its own volumes by its role, those with a customer's key too; without a statement it cannot.
#[test]
fn the_head_node_may_attach_volumes_with_keys() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/11112222-3333-4444-5555-666677778888";
    let text = head::CLUSTER.replace(
        "instance_type: c5.large }",
        &format!("instance_type: c5.large, data_volume: {{ kms_key: \"{key}\" }} }}"),
    );
    for (without, says) in
        [(None, ""), (Some("GrantKeys"), "kms:CreateGrant"), (Some("AttachVolumes"), "ec2:AttachVolume")]
    {
        let head = Head::of(&format!("attach-{}", without.unwrap_or("all")), &text);
        let volume = on_sandbox(head.people.compute.volumes_of("head")).unwrap().remove(0);
        let held = volume.attachment.unwrap();
        on_sandbox(async {
            head.people.compute.detach_volume(&volume.id).await.unwrap();
            // It takes a moment.
            head.people.clock.sleep(std::time::Duration::from_secs(60)).await;
        });
        if let Some(sid) = without {
            take_out(&head, sid);
        }
        let attached = on_sandbox(head.cloud.compute.attach_volume(&volume.id, &held.instance, &held.device));
        match attached {
            Ok(()) => assert_eq!(without, None),
            Err(error) => assert!(without.is_some() && error.message.contains(says), "{without:?}: {error:?}"),
        }
    }
}

/// A reservation serves a new placement group never; a profile's role is asked for, not guessed from its name. AW-40, AW-44.
#[test]
fn reservations_get_no_new_placement_group() {
    let built = build("reserved.yaml", RESERVED);
    let queue: Value =
        serde_json::from_str(&built.rendered.templates[&hpcctl::model::StackKey::parse("queue.q").unwrap()].body)
            .unwrap();
    let groups = queue["Resources"].as_object().unwrap().keys().filter(|id| id.starts_with("PlacementGroup"));
    assert_eq!(groups.collect::<Vec<_>>(), ["PlacementGroupOd"]);
    let role = roles(&built).into_iter().find(|(_, id, _)| id == "HeadRole").unwrap().2.to_string();
    assert!(role.contains(r#"{"Ref":"RoleOfProfileSiteTransfer"}"#), "{role}");
    assert!(!role.contains("role/site-transfer"), "{role}");
}

/// p6-b300 has an address alone on card 0 and EFA on the sixteen others; the double refuses the old shape. AW-41.
#[test]
fn efa_begins_at_the_first_card_that_has_it() {
    let text = head::CLUSTER.replace("- name: q\n", "- name: q\n    efa: true\n    placement_group: true\n");
    let head = Head::of("b300", &text.replace("c5.xlarge", "p6-b300.48xlarge"));
    let queue: Value =
        serde_json::from_str(&head.built.rendered.templates[&hpcctl::model::StackKey::parse("queue.q").unwrap()].body)
            .unwrap();
    let data = &queue["Resources"]["LaunchTemplateOd"]["Properties"]["LaunchTemplateData"];
    let interfaces = data["NetworkInterfaces"].as_array().unwrap();
    let shape = |one: &Value| (one["NetworkCardIndex"].clone(), one["InterfaceType"].clone());
    assert_eq!(interfaces.len(), 17);
    assert_eq!(shape(&interfaces[0]), (0.into(), "interface".into()));
    assert!((1..17).all(|card| shape(&interfaces[card]) == (card.into(), "efa-only".into())));
    assert!(start(&head, "q-od-1").starts_with("launched q-od-1"));
    let edit = HandEdit {
        stack: "head-queue-q".to_owned(),
        logical_id: "LaunchTemplateOd".to_owned(),
        path: "LaunchTemplateData/NetworkInterfaces/0/InterfaceType".to_owned(),
        value: "efa".into(),
    };
    head.sandbox.hand_edit(edit).unwrap();
    let said = start(&head, "q-od-2");
    assert!(said.contains("network card 0 of p6-b300.48xlarge does not support EFA"), "{said}");
}

/// A star stands only where AWS knows no resources for any of the actions. AW-52.
#[test]
fn only_what_knows_no_resources_has_all_of_them() {
    const WITHOUT: [&str; 10] = [
        "cloudwatch:PutMetricData",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ];
    for (name, built) in examples() {
        for (_, id, role) in roles(&built) {
            let statements = role.pointer("/Policies/0/PolicyDocument/Statement").and_then(Value::as_array);
            for statement in statements.into_iter().flatten().filter(|one| one["Resource"] == "*") {
                let actions = &statement["Action"];
                let all = actions.as_array().cloned().unwrap_or_else(|| vec![actions.clone()]);
                let wide = all.iter().find(|action| !WITHOUT.contains(&action.as_str().unwrap()));
                assert_eq!(wide, None, "{name}: {id} {statement:#}");
                assert!(statement["Condition"].is_object(), "{name}: {id} {statement:#}");
            }
        }
    }
}
