//! Who gets the instances that came: whole jobs first.

use super::Job;
use std::collections::{BTreeMap, BTreeSet};

/// An instance and its private address.
pub(super) type Came = (String, String);

/// What was decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Assigned {
    /// The instance of each node.
    pub nodes: BTreeMap<String, Came>,
    /// Nodes that get none.
    pub missing: BTreeSet<String>,
    /// Instances that nobody gets.
    pub surplus: Vec<Came>,
}

/// Gives instances to nodes, job by job. A job whose nodes cannot all have one gets none when it is `all_or_nothing`; otherwise
/// what the whole jobs leave.
///
/// `pool_of` names the pool of a node, `came` has the instances of each pool.
pub(super) fn assign(
    jobs: &[Job],
    pool_of: impl Fn(&str) -> String,
    mut came: BTreeMap<String, Vec<Came>>,
    all_or_nothing: bool,
) -> Assigned {
    let mut assigned = Assigned::default();
    // Instances are taken from the end: the first that came go first.
    came.values_mut().for_each(|instances| instances.reverse());
    let (whole, broken) = jobs.iter().partition::<Vec<&Job>, _>(|job| {
        let mut needs: BTreeMap<String, usize> = BTreeMap::new();
        for node in &job.nodes {
            *needs.entry(pool_of(node)).or_default() += 1;
        }
        let fits = needs.iter().all(|(pool, count)| came.get(pool).map_or(0, Vec::len) >= *count);
        if fits {
            for node in &job.nodes {
                let instance = came.get_mut(&pool_of(node)).and_then(Vec::pop);
                assigned.nodes.extend(instance.map(|instance| (node.clone(), instance)));
            }
        }
        fits
    });
    debug_assert_eq!(whole.len() + broken.len(), jobs.len());
    for node in broken.iter().flat_map(|job| &job.nodes) {
        match came.get_mut(&pool_of(node)).filter(|_| !all_or_nothing).and_then(Vec::pop) {
            Some(instance) => drop(assigned.nodes.insert(node.clone(), instance)),
            None => drop(assigned.missing.insert(node.clone())),
        }
    }
    assigned.surplus = came.into_values().flatten().collect();
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: u64, nodes: &[&str]) -> Job {
        Job { id, nodes: nodes.iter().map(ToString::to_string).collect() }
    }

    fn came(pools: &[(&str, usize)]) -> BTreeMap<String, Vec<Came>> {
        let some = |pool: &str, count| (0..count).map(|n| (format!("i-{pool}{n}"), format!("10.0.0.{n}"))).collect();
        pools.iter().map(|(pool, count)| ((*pool).to_owned(), some(pool, *count))).collect()
    }

    fn pool(node: &str) -> String {
        node.split('-').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn whole_jobs_come_first() {
        let jobs = [job(1, &["a-1", "a-2", "a-3"]), job(2, &["a-4", "a-5"]), job(3, &["a-6"])];
        let strict = assign(&jobs, pool, came(&[("a", 3)]), true);
        assert_eq!(strict.nodes.keys().collect::<Vec<_>>(), ["a-1", "a-2", "a-3"]);
        assert_eq!(strict.missing.len(), 3);
        let short = assign(&jobs, pool, came(&[("a", 2)]), true);
        assert_eq!(short.nodes.keys().collect::<Vec<_>>(), ["a-4", "a-5"]);
    }

    #[test]
    fn what_is_left_goes_back_or_to_broken_jobs() {
        let jobs = [job(1, &["a-1", "b-1"])];
        let strict = assign(&jobs, pool, came(&[("a", 1)]), true);
        assert_eq!(strict.surplus, [("i-a0".to_owned(), "10.0.0.0".to_owned())]);
        assert_eq!(strict.missing.len(), 2);
        let lenient = assign(&jobs, pool, came(&[("a", 1)]), false);
        assert!(lenient.surplus.is_empty());
        assert_eq!(lenient.missing.into_iter().collect::<Vec<_>>(), ["b-1"]);
    }
}
