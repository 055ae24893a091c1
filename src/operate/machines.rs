//! The cluster's machines, by the names that people use.

use super::OperateError;
use crate::cloud::{InstanceState, NODE_TAG, POOL_TAG, QUEUE_TAG, ROLE_TAG};

/// A machine of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name: `head`, a login node's `login-POOL`, a compute node's name in Slurm, else the instance's id.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// As EC2 describes it.
    pub instance: InstanceState,
}

/// What a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It runs slurmctld.
    Head,
    /// People log in.
    Login,
    /// It runs jobs.
    Compute,
}

impl Role {
    /// The word for it in tags and in names of log streams.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Login => "login",
            Self::Compute => "compute",
        }
    }
}

impl Machine {
    /// The queue of a compute node.
    pub fn queue(&self) -> Option<&str> {
        self.instance.tags.get(QUEUE_TAG).map(String::as_str)
    }

    /// The pool of a compute node.
    pub fn pool(&self) -> Option<&str> {
        self.instance.tags.get(POOL_TAG).map(String::as_str)
    }

    /// The pool of a login node.
    pub fn login_pool(&self) -> Option<&str> {
        self.name.strip_prefix("login-").filter(|_| self.role == Role::Login)
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.instance.state == "running"
    }
}

/// The machines among a cluster's instances: the head node, login nodes, compute nodes, each kind by name.
pub fn machines(cluster: &str, instances: Vec<InstanceState>) -> Vec<Machine> {
    let mut found: Vec<Machine> = instances.into_iter().filter_map(|instance| machine(cluster, instance)).collect();
    found.sort_by(|a, b| (a.role, natural(&a.name), &a.instance.id).cmp(&(b.role, natural(&b.name), &b.instance.id)));
    found
}

fn machine(cluster: &str, instance: InstanceState) -> Option<Machine> {
    let role = match instance.tags.get(ROLE_TAG)?.as_str() {
        "head" => Role::Head,
        "login" => Role::Login,
        "compute" => Role::Compute,
        _ => return None,
    };
    let name = match role {
        Role::Head => Some("head".to_owned()),
        Role::Login => {
            instance.tags.get("Name").and_then(|name| name.strip_prefix(&format!("{cluster}-"))).map(str::to_owned)
        }
        Role::Compute => instance.tags.get(NODE_TAG).cloned(),
    };
    Some(Machine { name: name.unwrap_or_else(|| instance.id.clone()), role, instance })
}

/// Names with numbers in the order of the numbers: `n2` before `n10`.
fn natural(name: &str) -> (String, u64) {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, number) = name.split_at(name.len() - digits);
    (stem.to_owned(), number.parse().unwrap_or(0))
}

/// The machine with this name or instance id; `login` is the first login node. Machines that run come first.
pub fn pick<'m>(machines: &'m [Machine], wanted: &str) -> Result<&'m Machine, OperateError> {
    let fits = |machine: &&Machine| {
        let any_login = wanted == "login" && machine.role == Role::Login;
        machine.name == wanted || machine.instance.id == wanted || any_login
    };
    let mut fitting: Vec<&Machine> = machines.iter().filter(fits).collect();
    fitting.sort_by_key(|machine| !machine.runs());
    fitting.first().copied().ok_or_else(|| OperateError::NoNode {
        wanted: wanted.to_owned(),
        there: machines.iter().map(|machine| machine.name.clone()).collect(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cloud::Timestamp;
    use std::collections::BTreeMap;

    pub fn instance(id: &str, spot: bool, state: &str, tags: &[(&str, &str)]) -> InstanceState {
        let tags: BTreeMap<String, String> = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        InstanceState {
            id: id.to_owned(),
            instance_type: "c5.large".to_owned(),
            state: state.to_owned(),
            private_ip: Some("10.0.0.5".to_owned()),
            public_ip: None,
            zone: None,
            spot,
            launched: Timestamp(0),
            reason: None,
            tags,
        }
    }

    pub fn node(id: &str, name: &str, pool: &str, spot: bool, state: &str) -> InstanceState {
        let tags = [(ROLE_TAG, "compute"), (QUEUE_TAG, "cfd"), (POOL_TAG, pool), (NODE_TAG, name)];
        instance(id, spot, state, &tags)
    }

    pub fn sample() -> Vec<Machine> {
        let login =
            |id: &str, state: &str| instance(id, false, state, &[(ROLE_TAG, "login"), ("Name", "fds-login-viz")]);
        machines(
            "fds",
            vec![
                node("i-4", "cfd-spot-10", "spot", true, "running"),
                node("i-3", "cfd-spot-2", "spot", true, "running"),
                node("i-5", "cfd-spot-3", "spot", true, "pending"),
                node("i-6", "cfd-od-1", "od", false, "running"),
                login("i-7", "stopped"),
                login("i-8", "running"),
                instance("i-1", false, "running", &[(ROLE_TAG, "head")]),
                instance("i-9", false, "running", &[]),
            ],
        )
    }

    #[test]
    fn machines_have_the_names_that_people_use() {
        let all = sample();
        let names: Vec<&str> = all.iter().map(|machine| machine.name.as_str()).collect();
        let expected = ["head", "login-viz", "login-viz", "cfd-od-1", "cfd-spot-2", "cfd-spot-3", "cfd-spot-10"];
        assert_eq!(names, expected);
        let id = |wanted: &str| pick(&all, wanted).map(|machine| machine.instance.id.as_str()).ok();
        assert_eq!((id("head"), id("login"), id("login-viz")), (Some("i-1"), Some("i-8"), Some("i-8")));
        assert_eq!((id("cfd-spot-10"), id("i-5")), (Some("i-4"), Some("i-5")));
        assert_eq!(all[1].login_pool(), Some("viz"));
        let Err(OperateError::NoNode { wanted, there }) = pick(&all, "cfd-spot-99") else { panic!("found") };
        assert_eq!((wanted.as_str(), there.len()), ("cfd-spot-99", 7));
    }
}
