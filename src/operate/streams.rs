//! Which log streams are meant: they are called `ROLE/INSTANCE/LOG`.

use super::{Machine, OperateError, Role, pick};

/// Whose logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// Everybody's.
    All,
    /// Those of all machines of a kind.
    Role(Role),
    /// Those of a machine, by name or instance id.
    Node(String),
    /// Those of the nodes of a queue that are there now.
    Queue(String),
}

/// What the names of the streams begin with; none: all streams.
///
/// The log outlives the instance: an instance id that EC2 does not know any more is taken as it is.
pub fn streams(machines: &[Machine], logged: &Logged) -> Result<Vec<String>, OperateError> {
    let of = |machine: &Machine| format!("{}/{}/", machine.role.as_str(), machine.instance.id);
    match logged {
        Logged::All => Ok(Vec::new()),
        Logged::Role(role) => Ok(vec![format!("{}/", role.as_str())]),
        Logged::Node(wanted) => match pick(machines, wanted) {
            Ok(machine) => Ok(vec![of(machine)]),
            Err(_) if wanted.starts_with("i-") => {
                Ok(["head", "login", "compute"].iter().map(|role| format!("{role}/{wanted}/")).collect())
            }
            Err(error) => Err(error),
        },
        Logged::Queue(queue) => {
            let found: Vec<String> = machines.iter().filter(|machine| machine.queue() == Some(queue)).map(of).collect();
            if found.is_empty() {
                let there = machines.iter().map(|machine| machine.name.clone()).collect();
                return Err(OperateError::NoNode { wanted: format!("any node of queue {queue}"), there });
            }
            Ok(found)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::machines::tests::sample;
    use super::*;

    #[test]
    fn streams_are_found_by_role_node_and_queue() {
        let of = |logged: Logged| streams(&sample(), &logged);
        assert_eq!(of(Logged::All).unwrap(), Vec::<String>::new());
        assert_eq!(of(Logged::Role(Role::Head)).unwrap(), ["head/"]);
        assert_eq!(of(Logged::Node("cfd-spot-2".into())).unwrap(), ["compute/i-3/"]);
        assert_eq!(of(Logged::Node("i-77".into())).unwrap()[2], "compute/i-77/");
        assert_eq!(of(Logged::Queue("cfd".into())).unwrap().len(), 4);
        assert!(of(Logged::Queue("none".into())).is_err() && of(Logged::Node("none".into())).is_err());
    }
}
