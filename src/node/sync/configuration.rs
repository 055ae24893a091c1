//! A new configuration: fetched, put in place, set up.

use super::{Configuration, Memory, Part, Place};
use crate::{
    cloud::Cloud,
    node::{Cluster, Event, Events, Home, Machine, NodeError, objects::find, processes::Call},
    observe::keys,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Seconds between two looks.
const EVERY: i64 = 60;
/// The first pause after a set-up that failed; it doubles up to the longest.
const FIRST_PAUSE: i64 = 60;
const LONGEST_PAUSE: i64 = 3600;
/// A set-up installs packages at worst.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Objects that are fetched at the same time.
const AT_ONCE: usize = 8;

/// Puts a new configuration in place, when there is one. True: it brought another hpcctl.
///
/// A configuration is whole when `head.json`, which `apply` writes last, names its revision.
///
/// # Errors
/// When S3 does not answer. What goes wrong with a new configuration is an event, remembered, and tried again later.
pub(super) async fn renew(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    place: &Place,
    memory: &mut Memory,
    events: Events<'_>,
) -> Result<bool, NodeError> {
    let now = cloud.clock.now();
    // Where user data has put no tree, somebody only looks: there is nothing to keep up to date.
    if !Home::tree_exists(&place.tree) || !memory.due(Part::Configuration, now, EVERY) {
        return Ok(false);
    }
    let (bucket, name) = (cluster.bucket()?, &cluster.config.cluster);
    let key = keys::current(name, "cluster.json");
    let Some((body, tag)) = cloud.objects.get(bucket, &key).await? else { return Ok(false) };
    let known = memory.configuration.tag == tag;
    if known && (memory.configuration.failures == 0 || now < memory.configuration.again) {
        return Ok(false);
    }
    let facts: Value = serde_json::from_slice(&body).unwrap_or_default();
    let revision = facts.get("revision").and_then(Value::as_u64).unwrap_or_default();
    if facts == *cluster.facts() && memory.configuration.failures == 0 {
        memory.configuration.tag = tag;
        return Ok(false);
    }
    if !is_whole(cloud, bucket, name, revision).await? {
        return Ok(false);
    }
    let before = Home::identity(&place.program);
    let earlier = memory.configuration.clone();
    let failures = if known { earlier.failures.saturating_add(1) } else { 1 };
    let again = now.plus((FIRST_PAUSE << (failures - 1).min(10)).min(LONGEST_PAUSE));
    // Written before it begins: a set-up that dies with this program has failed.
    let failed = Some("the set-up did not come to its end".to_owned());
    memory.configuration = Configuration { tag: tag.clone(), failed, failures, again };
    memory.write(home)?;
    match put_in_place(cloud, bucket, name, (&key, &tag), place).await {
        // Somebody publishes at this moment: the next look finds all of it.
        Ok(false) => {
            memory.configuration = earlier;
            return Ok(false);
        }
        Ok(true) => {
            memory.configuration = Configuration { tag, ..Configuration::default() };
            events(Event::Configured { revision });
        }
        Err(error) => {
            memory.configuration.failed = Some(error.to_string());
            events(Event::Failed { step: "set the new configuration up", error });
        }
    }
    Ok(before.is_some() && Home::identity(&place.program) != before)
}

async fn is_whole(cloud: &Cloud, bucket: &str, name: &str, revision: u64) -> Result<bool, NodeError> {
    let head = find(cloud, bucket, &keys::head(name)).await?;
    let head: Option<Value> = head.and_then(|body| serde_json::from_slice(&body).ok());
    Ok(head.and_then(|head| head.get("number").and_then(Value::as_u64)).is_some_and(|number| number >= revision))
}

/// False: what was fetched is not of one piece.
async fn put_in_place(
    cloud: &Cloud,
    bucket: &str,
    name: &str,
    (key, tag): (&str, &str),
    place: &Place,
) -> Result<bool, NodeError> {
    let prefix = keys::current(name, "head/");
    let listed = cloud.objects.list(bucket, &prefix).await?;
    let paths =
        listed.iter().filter_map(|object| Some((object.key.clone(), inner(object.key.strip_prefix(&prefix)?)?)));
    let fetch = |(key, path): (String, String)| async move {
        let object = cloud.objects.get(bucket, &key).await?;
        Ok::<_, NodeError>(object.map(|(body, _)| (path, body)))
    };
    let fetched: Vec<Option<(String, Vec<u8>)>> =
        stream::iter(paths.map(fetch)).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut files: BTreeMap<String, Vec<u8>> = fetched.into_iter().flatten().collect();
    let again = cloud.objects.get(bucket, key).await?;
    let Some((body, _)) = again.filter(|(_, again)| again == tag) else { return Ok(false) };
    files.insert("cluster.json".to_owned(), body);
    if !files.contains_key("setup.sh") {
        return Ok(false);
    }
    Home::replace_tree(&place.tree, &files)?;
    let script = place.tree.join("setup.sh").display().to_string();
    Machine::default().run(&Call::new("bash", [script.as_str(), "update"]), PATIENCE).await?;
    Ok(true)
}

/// A path within the tree: no object may be written anywhere else.
fn inner(path: &str) -> Option<String> {
    let plain = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    plain.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_leaves_the_tree() {
        assert_eq!(inner("libexec/resume").as_deref(), Some("libexec/resume"));
        for path in ["../x", "a/../../x", "/etc/passwd", "a//b", ".", ""] {
            assert_eq!(inner(path), None, "{path}");
        }
    }
}
