//! The test cloud as one test sees it.

use hpcctl::cloud::{
    CLUSTER_TAG, Cloud, StackInput, StackState, StackStatus, TemplateSource,
    aws::{self, AwsOptions},
};
use std::{
    collections::BTreeMap,
    env, fs,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One test at a time: faults and the judge's log belong to all.
static TURN: Mutex<()> = Mutex::new(());

/// The test cloud, and names that no other test has.
pub struct Lab {
    pub cloud: Cloud,
    /// A cluster's name.
    pub name: String,
    judged: usize,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// The lab; `None`, and a word about it, when no test cloud runs.
    pub async fn open() -> Option<Self> {
        if !running() {
            return None;
        }
        let cloud = aws::open(AwsOptions::default()).await.unwrap();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("t{:08x}", std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 1) as u32);
        Some(Self { cloud, name, judged: violations().len(), _turn: turn })
    }

    /// A stack's input: the template, the cluster's tag, a token of its own.
    pub fn stack(&self, part: &str, template: &str) -> StackInput {
        StackInput {
            name: format!("{}-{part}", self.name),
            template: TemplateSource::Body(template.to_owned()),
            parameters: BTreeMap::new(),
            tags: BTreeMap::from([(CLUSTER_TAG.to_owned(), self.name.clone())]),
            token: format!("{}-{part}-1", self.name),
            termination_protection: false,
        }
    }

    /// Creates a stack and waits until it stands.
    pub async fn make(&self, input: &StackInput) -> StackState {
        let id = self.cloud.stacks.create(input).await.unwrap();
        let state = self.settled(&id).await;
        assert_eq!(state.status, StackStatus::CreateComplete, "{:#?}", self.cloud.stacks.events(&id, None).await);
        state
    }

    /// The stack once nothing runs any more.
    pub async fn settled(&self, id: &str) -> StackState {
        for _ in 0..300 {
            let state = self.cloud.stacks.stack(id).await.unwrap().expect("the stack is there");
            if !state.status.in_progress() {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{id} does not settle");
    }

    /// Deletes a stack and waits until it is gone.
    pub async fn remove(&self, id: &str) {
        self.cloud.stacks.delete(id, &[], &format!("{}-remove", self.name)).await.unwrap();
        assert_eq!(self.settled(id).await.status, StackStatus::DeleteComplete);
    }

    /// Makes the judge lose or refuse calls: its rules.
    pub fn rules(&self, rules: &str) {
        fs::write(env::var("JUDGE_RULES").unwrap(), rules).unwrap();
    }

    /// Makes the cloud fail: its faults.
    pub fn faults(&self, faults: &str) {
        fs::write(env::var("HPC_FAULTS").unwrap(), faults).unwrap();
    }

    /// The parameters of the call of an operation, `service:Operation`, with this client token: other tests call beside
    /// this one.
    pub fn call(&self, operation: &str, token: &str) -> serde_json::Value {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let mut log = log().into_iter();
        let found = log.find(|line| {
            format!("{}:{}", text(&line["service"]), text(&line["op"])) == operation && line["client_token"] == token
        });
        found.map(|line| line["params"].clone()).unwrap_or_default()
    }

    /// What the judge saw since this lab was opened, as `service:Operation`.
    pub fn calls(&self, operation: &str) -> usize {
        log().iter().filter(|line| line["op"] == operation).count()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.rules("[]");
        self.faults("[]");
        if !std::thread::panicking() {
            let all = violations();
            assert!(all.len() == self.judged, "the judge: {:#?}", &all[self.judged..]);
        }
    }
}

/// Whether the test cloud's variables are set; never true for AWS itself.
pub fn running() -> bool {
    let endpoint = env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    let on_loopback = endpoint.starts_with("http://127.0.0.1:") && env::var("JUDGE_LOG").is_ok();
    if !on_loopback {
        let required = env::var("HPCCTL_TEST_CLOUD").is_ok_and(|word| word == "required");
        assert!(!required, "no test cloud: source the `env` of `tests/cloud/start`");
        eprintln!("did not run: no test cloud (tests/aws_adapters/run)");
    }
    on_loopback
}

fn log() -> Vec<serde_json::Value> {
    let text = fs::read_to_string(env::var("JUDGE_LOG").unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn violations() -> Vec<String> {
    let wrong = |line: &serde_json::Value| line["violations"].as_array().is_some_and(|all| !all.is_empty());
    log().iter().filter(|line| wrong(line)).map(|line| format!("{} {}", line["op"], line["violations"])).collect()
}
