//! Spot interruptions on purpose, against the fake of FIS; its role is made in the emulator's IAM.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{
    CLUSTER_TAG, ErrorKind, ExperimentState, ExperimentStatus, FleetInput, FleetPurchase, FleetTemplate,
    InterruptInput, RoleInput,
};
use std::{collections::BTreeMap, env, fs, time::Duration};

impl Lab {
    /// Launches spot instances; gives their ids.
    async fn launch_spot(&self, made: &BTreeMap<String, String>, count: u32) -> Vec<String> {
        let input = FleetInput {
            token: format!("{}-spot", self.name),
            count,
            all_or_nothing: true,
            purchase: FleetPurchase::Spot,
            strategy: None,
            spot_price: None,
            templates: vec![FleetTemplate {
                id: made["Template"].clone(),
                version: made["Version"].clone(),
                instance_types: vec![("c5.large".to_owned(), 0)],
            }],
            subnets: vec![made["Subnet"].clone()],
            tags: BTreeMap::from([(CLUSTER_TAG.to_owned(), self.name.clone())]),
        };
        self.cloud.compute.create_fleet(&input).await.unwrap().instances
    }

    async fn ended(&self, state: ExperimentState) -> ExperimentState {
        for _ in 0..200 {
            let now = self.cloud.experiments.experiment(&state.id).await.unwrap().expect("it is there");
            if now.status != ExperimentStatus::Running {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not end", state.id);
    }

    fn interrupt(&self, ids: &[String], role: &str, token: &str) -> InterruptInput {
        let arn = |id: &String| format!("arn:aws:ec2:{}:123456789012:instance/{id}", self.cloud.region);
        InterruptInput {
            cluster: self.name.clone(),
            instances: ids.iter().map(arn).collect(),
            role: role.to_owned(),
            minutes: 2,
            token: format!("{}-{token}", self.name),
        }
    }
}

fn role() -> RoleInput {
    let own = |text: &str| text.to_owned();
    RoleInput { account: own("123456789012"), partition: own("aws"), path: own("/hpc/"), boundary: None }
}

#[tokio::test]
async fn spot_instances_are_interrupted_and_nothing_is_left() {
    let Some(lab) = Lab::open().await else { return };
    let nodes = lab.make(&lab.stack("nodes", templates::NODES)).await;
    let experiments = &lab.cloud.experiments;
    // Six instances: more than one target takes.
    let ids = lab.launch_spot(&nodes.outputs, 6).await;
    let found = lab.cloud.compute.instances_of(&lab.name).await.unwrap();
    assert!(found.len() == 6 && found.iter().all(|instance| instance.spot), "{found:#?}");

    let first = experiments.make_role(&role()).await.unwrap();
    assert!(first.made && first.arn.ends_with(":role/hpc/hpcctl-interrupt"), "{first:?}");
    let again = experiments.make_role(&role()).await.unwrap();
    assert_eq!((again.made, &again.arn), (false, &first.arn));

    let input = lab.interrupt(&ids, &first.arn, "one");
    let started = experiments.interrupt(&input).await.unwrap();
    assert_eq!(started.status, ExperimentStatus::Running);
    assert_eq!(experiments.interrupt(&input).await.unwrap().id, started.id, "the same token is the same experiment");
    experiments.forget(&started.template).await.unwrap();
    experiments.forget(&started.template).await.unwrap();
    let ended = lab.ended(started).await;
    assert_eq!(ended.status, ExperimentStatus::Completed, "{ended:?}");
    lab.terminated(&ids).await;
    let notices: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(env::var("HPC_INTERRUPTIONS").unwrap()).unwrap()).unwrap();
    assert!(ids.iter().all(|id| notices[id]["action"] == "terminate" && notices[id]["time"].is_string()), "{notices}");

    experiments.remove_role().await.unwrap();
    experiments.remove_role().await.unwrap();
    let roles = lab.cloud.identity.roles("/").await.unwrap();
    assert!(roles.iter().all(|role| role.name != "hpcctl-interrupt"));
    lab.remove(&nodes.id).await;
}

#[tokio::test]
async fn an_experiment_that_cannot_be_says_why() {
    let Some(lab) = Lab::open().await else { return };
    let experiments = &lab.cloud.experiments;
    let role = experiments.make_role(&role()).await.unwrap();
    let nobody = ["i-0123456789abcdef0".to_owned()];
    let started = experiments.interrupt(&lab.interrupt(&nobody, &role.arn, "nobody")).await.unwrap();
    experiments.forget(&started.template).await.unwrap();
    let ended = lab.ended(started).await;
    assert_eq!(ended.status, ExperimentStatus::Failed);
    assert!(ended.reason.unwrap().contains("i-0123456789abcdef0"));
    assert_eq!(experiments.experiment("EXP0123456789abcdef").await.unwrap(), None);

    lab.faults(r#"[{"action": "StartExperiment", "code": "ServiceQuotaExceededException", "message": "too many"}]"#);
    let refused = experiments.interrupt(&lab.interrupt(&nobody, &role.arn, "quota")).await.unwrap_err();
    assert_eq!((refused.kind, refused.operation), (ErrorKind::Quota, "StartExperiment"), "{refused}");
    experiments.remove_role().await.unwrap();
}

#[tokio::test]
async fn a_template_waits_for_a_new_role_to_be_known() {
    let Some(lab) = Lab::open().await else { return };
    let experiments = &lab.cloud.experiments;
    let role = experiments.make_role(&role()).await.unwrap();
    lab.faults(
        r#"[{"action": "CreateExperimentTemplate", "code": "ValidationException", "times": 2,
             "message": "The role does not exist or cannot be assumed"}]"#,
    );
    let nobody = ["i-0123456789abcdef0".to_owned()];
    let started = experiments.interrupt(&lab.interrupt(&nobody, &role.arn, "late")).await.unwrap();
    experiments.forget(&started.template).await.unwrap();
    assert_eq!(lab.ended(started).await.status, ExperimentStatus::Failed);
    experiments.remove_role().await.unwrap();
}
