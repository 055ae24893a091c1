//! Which nodes are for which job: `SLURM_RESUME_FILE`.
//!
//! slurmctld writes the file for ResumeProgram since 22.05: `{"all_nodes": LIST, "jobs": [{"job_id": 3, "nodes_resume":
//! LIST, ...}]}`; 22.05 itself has `nodes` in the place of `nodes_resume`.
//! <https://slurm.schedmd.com/power_save.html>

use super::{Event, Events, hostlist};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A job that waits for nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id; 0: nobody's, a node that is wanted for itself.
    pub id: u64,
    /// The nodes that it waits for, in the order of their list.
    pub nodes: Vec<String>,
}

#[derive(Deserialize)]
struct ResumeFile {
    #[serde(default)]
    jobs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    job_id: u64,
    nodes_resume: Option<String>,
    nodes: Option<String>,
}

/// The jobs of a resume file that wait for some of `nodes`, and the nodes that no job waits for, each as a job of its own. No
/// node is in two jobs.
///
/// A file that is no JSON (slurmctld died while it wrote) is as good as none; the nodes of a list that is none, which is told
/// as an event, are no job's.
pub fn parse_resume_file(text: Option<&str>, nodes: &[String], events: Events<'_>) -> Vec<Job> {
    let mut left: BTreeSet<&str> = nodes.iter().map(String::as_str).collect();
    let mut jobs = Vec::new();
    let file: Option<ResumeFile> = text.and_then(|text| serde_json::from_str(text).ok());
    for entry in file.map(|file| file.jobs).unwrap_or_default() {
        let list = entry.nodes_resume.or(entry.nodes).unwrap_or_default();
        let expanded = hostlist::expand(&list).unwrap_or_else(|error| {
            events(Event::NoList { error });
            Vec::new()
        });
        let nodes: Vec<String> = expanded.into_iter().filter(|node| left.remove(node.as_str())).collect();
        if !nodes.is_empty() {
            jobs.push(Job { id: entry.job_id, nodes });
        }
    }
    let alone = nodes.iter().filter(|node| left.remove(node.as_str()));
    jobs.extend(alone.map(|node| Job { id: 0, nodes: vec![node.clone()] }));
    jobs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        hostlist::expand(list).unwrap()
    }

    #[test]
    fn every_node_is_in_one_job() {
        let text = r#"{"all_nodes":"q-a-[1-4]","jobs":[
            {"job_id":7,"nodes":"q-a-[1-2]","extra":null},
            {"job_id":8,"nodes_alloc":"q-a-[2-3]","nodes_resume":"q-a-[2-3]"},
            {"job_id":9,"nodes_resume":"q-a-9"}]}"#;
        let jobs = parse_resume_file(Some(text), &names("q-a-[1-4]"), &mut |_| {});
        let found: Vec<_> = jobs.iter().map(|job| (job.id, job.nodes.join(","))).collect();
        assert_eq!(found, [(7, "q-a-1,q-a-2".to_owned()), (8, "q-a-3".to_owned()), (0, "q-a-4".to_owned())]);
    }

    #[test]
    fn without_a_file_every_node_is_for_itself() {
        assert_eq!(parse_resume_file(None, &names("q-a-[1-2]"), &mut |_| {}).len(), 2);
        assert_eq!(parse_resume_file(Some("{\"jobs\": ["), &names("q-a-[1-2]"), &mut |_| {}).len(), 2);
    }

    #[test]
    fn a_list_that_is_none_costs_no_other_job_its_nodes() {
        let text = r#"{"jobs":[{"job_id":7,"nodes_resume":"q-a-[1-"},{"job_id":8,"nodes_resume":"q-a-[3-4]"}]}"#;
        let mut told = 0;
        let jobs = parse_resume_file(Some(text), &names("q-a-[1-4]"), &mut |_| told += 1);
        let found: Vec<_> = jobs.iter().map(|job| (job.id, job.nodes.join(","))).collect();
        assert_eq!(found, [(8, "q-a-3,q-a-4".to_owned()), (0, "q-a-1".to_owned()), (0, "q-a-2".to_owned())]);
        assert_eq!(told, 1);
    }
}
