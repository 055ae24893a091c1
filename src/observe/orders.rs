//! Orders of people to the head node, and its answers: small documents in the artifact bucket.
//!
//! Whoever may write below `clusters/CLUSTER/orders/` may give orders; nothing is opened on the head node for it.
//! `hpcctl node sync` carries them out and answers once, below `status/`, where it alone may write.

use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};

/// The `kind` of an order's document.
pub const ORDER_KIND: &str = "hpcctl/order";
/// The version of an order's document: readers refuse another number before the dot.
pub const ORDER_VERSION: &str = "1.0";

/// An order, as it is in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDocument {
    /// [`ORDER_KIND`].
    pub kind: String,
    /// [`ORDER_VERSION`].
    pub format_version: String,
    /// What the answer names it by.
    pub id: String,
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it: an ARN.
    pub by: String,
    /// What is to be done.
    pub order: Order,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Open or close a queue for jobs to start.
    Queue {
        /// The queue.
        name: String,
        /// What becomes of it.
        state: QueueOrder,
    },
    /// All compute nodes.
    Fleet(FleetOrder),
    /// A file system that goes: given by `apply`.
    Storage(StorageOrder),
}

/// What is done for the sake of a file system that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageOrder {
    /// Jobs that run end, those that wait go on waiting, compute nodes end with their jobs.
    Hold,
    /// These file systems and volumes (ids) are unmounted on the head node; whoever uses them there is ended. Volumes are
    /// exported no more, and detached.
    Release {
        /// The ids of file systems.
        file_systems: Vec<String>,
        /// The ids of volumes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<String>,
    },
    /// Queues that were held open again; these file systems and volumes are mounted again where they are still there.
    Open {
        /// The ids of file systems.
        file_systems: Vec<String>,
        /// The ids of volumes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<String>,
        /// Not before the head node runs this revision: what is mounted comes with it.
        revision: u64,
    },
}

/// What becomes of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueOrder {
    /// Running jobs end, no new ones start.
    Drain,
    /// Jobs start again.
    Resume,
}

/// What becomes of all compute nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FleetOrder {
    /// Nodes start again when jobs want them.
    Start,
    /// Nothing starts; idle nodes end at once, the others when their jobs have ended.
    Stop,
}

/// The head node's answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The order's id.
    pub id: String,
    /// When it was carried out, or failed.
    pub done: Timestamp,
    /// Why it failed; `None`: it was carried out.
    pub failed: Option<String>,
}

impl OrderDocument {
    /// An order.
    pub fn new(id: String, at: Timestamp, by: String, order: Order) -> Self {
        Self { kind: ORDER_KIND.to_owned(), format_version: ORDER_VERSION.to_owned(), id, at, by, order }
    }

    /// Its key: by name the oldest comes first.
    pub fn key(&self, cluster: &str) -> String {
        let compact: String = self.at.to_string().chars().filter(|char| !"-:".contains(*char)).collect();
        format!("{}{compact}-{}.json", orders_prefix(cluster), self.id)
    }
}

/// Where the orders to a cluster are.
pub fn orders_prefix(cluster: &str) -> String {
    format!("clusters/{cluster}/orders/")
}

/// The key of the answer to an order.
pub fn answer_key(cluster: &str, id: &str) -> String {
    format!("clusters/{cluster}/status/orders/{id}.json")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn orders_are_written_as_agreed() {
        let order = |order| {
            OrderDocument::new(
                "0f1e2d3c4b5a".to_owned(),
                Timestamp(1_767_225_600),
                "arn:aws:iam::1:user/a".into(),
                order,
            )
        };
        let queue = order(Order::Queue { name: "cfd".to_owned(), state: QueueOrder::Drain });
        assert_eq!(queue.key("fds"), "clusters/fds/orders/20260101T000000Z-0f1e2d3c4b5a.json");
        let text = serde_json::to_value(&queue).unwrap();
        assert_eq!(text["order"], json!({ "queue": { "name": "cfd", "state": "drain" } }));
        assert_eq!((text["kind"].as_str(), text["format_version"].as_str()), (Some("hpcctl/order"), Some("1.0")));
        let fleet = serde_json::to_value(order(Order::Fleet(FleetOrder::Stop))).unwrap();
        assert_eq!(fleet["order"], json!({ "fleet": "stop" }));
        let hold = serde_json::to_value(order(Order::Storage(StorageOrder::Hold))).unwrap();
        assert_eq!(hold["order"], json!({ "storage": "hold" }));
        let release =
            Order::Storage(StorageOrder::Release { file_systems: vec!["fs-1".to_owned()], volumes: Vec::new() });
        let release = serde_json::to_value(order(release)).unwrap();
        assert_eq!(release["order"], json!({ "storage": { "release": { "file_systems": ["fs-1"] } } }));
        let answer = json!({ "id": "0f1e2d3c4b5a", "done": 1_767_225_660, "failed": null });
        assert_eq!(serde_json::from_value::<Answer>(answer).unwrap().failed, None);
    }
}
