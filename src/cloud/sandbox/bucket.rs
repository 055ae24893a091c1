//! A bucket and its objects.

use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub versioned: bool,
    /// Versions of each object, oldest first.
    pub objects: BTreeMap<String, Vec<Version>>,
}

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    /// `None`: a delete marker.
    pub body: Option<Body>,
    pub at: Timestamp,
}

/// An object's bytes: as text where they are text, so that the state file can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    pub fn new(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|e| Self::Base64(super::base64::encode(e.as_bytes())), Self::Text)
    }

    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(text) => super::base64::decode(text).unwrap_or_default(),
        }
    }

    pub fn size(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// The entity tag, in quotes as S3 has it; of SHA-256 instead of MD5.
    pub fn etag(&self) -> String {
        let digest = Sha256::digest(self.bytes());
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    }
}

impl Bucket {
    /// The object as it is now.
    pub fn current(&self, key: &str) -> Option<&Body> {
        self.objects.get(key)?.last()?.body.as_ref()
    }

    /// Writes an object, or a delete marker.
    pub fn put(&mut self, key: &str, body: Option<Body>, at: Timestamp) {
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !self.versioned {
            versions.clear();
        }
        if body.is_some() || self.versioned {
            versions.push(Version { body, at });
        }
        if versions.is_empty() {
            self.objects.remove(key);
        }
    }

    /// Deletes all versions of an object but the one that it is now; gives how many.
    pub fn forget_old(&mut self, key: &str) -> usize {
        let Some(versions) = self.objects.get_mut(key) else { return 0 };
        let before = versions.len();
        let current = versions.pop().filter(|version| version.body.is_some());
        *versions = current.into_iter().collect();
        let left = versions.len();
        if left == 0 {
            self.objects.remove(key);
        }
        before - left
    }

    /// The objects whose keys begin with a prefix.
    pub fn list(&self, prefix: &str) -> Vec<(&str, &Body)> {
        let under = self.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        under.filter_map(|(key, versions)| Some((key.as_str(), versions.last()?.body.as_ref()?))).collect()
    }
}
