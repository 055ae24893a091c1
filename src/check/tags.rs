//! Tags.

use super::{
    rules::names as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cluster, Path};
use std::collections::{BTreeMap, BTreeSet};

/// AWS allows 50; hpcctl and CloudFormation need five.
const MOST: usize = 45;

type Tags = BTreeMap<String, String>;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let at = Path::from("tags");
    set(sheet, &cluster.tags, &at);
    let cluster_count = cluster.tags.len();
    if cluster_count > MOST {
        sheet.add_key(&rule::TOO_MANY_TAGS, at, args! { count: cluster_count, max: MOST });
    }
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = Path::from("queues").index(i);
        set(sheet, &queue.tags, &at.key("tags"));
        for (j, pool) in queue.pools.iter().enumerate() {
            let at = at.key("pools").index(j).key("tags");
            set(sheet, &pool.tags, &at);
            if pool.tags.is_empty() && queue.tags.is_empty() || cluster_count > MOST {
                continue;
            }
            let all: BTreeSet<&String> = cluster.tags.keys().chain(queue.tags.keys()).chain(pool.tags.keys()).collect();
            if all.len() > MOST {
                let at = if pool.tags.is_empty() { Path::from("queues").index(i).key("tags") } else { at };
                sheet.add_key(&rule::TOO_MANY_TAGS, at, args! { count: all.len(), max: MOST });
            }
        }
    }
}

fn set(sheet: &mut Sheet, tags: &Tags, at: &Path) {
    let mut lower: BTreeMap<String, &String> = BTreeMap::new();
    // Of a set that is far too large, the first ones will do.
    for (key, value) in tags.iter().take(200) {
        let at = at.key(key);
        one(sheet, key, value, &at);
        if let Some(other) = lower.insert(key.to_lowercase(), key) {
            sheet.add_key(&rule::TAG_CASE, at, args! { key: key, other: other });
        }
    }
}

fn one(sheet: &mut Sheet, key: &str, value: &str, at: &Path) {
    let lower = key.to_ascii_lowercase();
    if let Some(prefix) = ["aws:", "hpcctl:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
        sheet.add_key(&rule::TAG_RESERVED, at.clone(), args! { prefix: prefix });
    }
    let length = key.chars().count();
    if !(1..=128).contains(&length) {
        sheet.add_key(&rule::TAG_KEY_LENGTH, at.clone(), args! { length: length });
    }
    let length = value.chars().count();
    if length > 256 {
        sheet.add(&rule::TAG_VALUE_LENGTH, at.clone(), args! { length: length });
    }
    let bad = |c: &char| !(c.is_alphanumeric() || *c == ' ' || "_.:/=+-@".contains(*c));
    if let Some(char) = key.chars().find(bad) {
        sheet.add_key(&rule::TAG_CHARACTERS, at.clone(), args! { char: char.escape_default() });
    } else if let Some(char) = value.chars().find(bad) {
        sheet.add(&rule::TAG_CHARACTERS, at.clone(), args! { char: char.escape_default() });
    }
}
