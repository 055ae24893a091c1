//! What the head node remembers of pools: which rest because EC2 had no capacity, and starts that failed.

use super::{Home, NodeError};
use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const NAME: &str = "pools.json";
const GUARD: &str = "pools.lock";

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pools {
    /// Pools that rest, by `QUEUE/POOL`.
    #[serde(default)]
    pub resting: BTreeMap<String, Rest>,
    /// Node starts in a row that failed, by queue.
    #[serde(default)]
    pub failures: BTreeMap<String, u32>,
}

/// Why and how long a pool rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Until when.
    pub until: Timestamp,
    /// EC2's code.
    pub code: String,
}

impl Pools {
    /// What is remembered now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(home: &Home) -> Result<Self, NodeError> {
        Ok(home.remembered(NAME)?.unwrap_or_default())
    }

    /// Changes what is remembered; no other process changes it meanwhile.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn change<T>(home: &Home, change: impl FnOnce(&mut Self) -> T) -> Result<T, NodeError> {
        let _guard = home.lock(GUARD)?;
        let mut pools = Self::read(home)?;
        let before = pools.clone();
        let result = change(&mut pools);
        if pools != before {
            home.remember(NAME, &pools)?;
        }
        Ok(result)
    }

    /// The pool's rest, if it rests.
    pub fn rest(&self, pool: &str, now: Timestamp) -> Option<&Rest> {
        self.resting.get(pool).filter(|rest| rest.until > now)
    }
}
