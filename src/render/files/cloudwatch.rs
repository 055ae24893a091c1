//! The configuration of the CloudWatch agent: logs of every node, disk and memory of the head node.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html>

use super::site::{Files, Site, put_text};
use crate::model::names;
use serde_json::{Value, json};

/// Logs that every node has.
const COMMON: &[(&str, &str)] =
    &[("boot", "/var/log/hpcctl-boot.log"), ("cloud-init", "/var/log/cloud-init-output.log")];
/// Logs of the head node.
const HEAD: &[(&str, &str)] = &[
    ("slurmctld", "/var/log/slurm/slurmctld.log"),
    ("slurmdbd", "/var/log/slurm/slurmdbd.log"),
    ("resume", "/var/log/hpcctl/resume.log"),
    ("suspend", "/var/log/hpcctl/suspend.log"),
    ("resume-fail", "/var/log/hpcctl/resume-fail.log"),
    ("sync", "/var/log/hpcctl/sync.log"),
    // In the embedded metric format: CloudWatch makes metrics of what comes here.
    ("metrics", "/var/log/hpcctl/metrics.log"),
];
/// Logs of compute nodes.
const COMPUTE: &[(&str, &str)] = &[
    ("slurmd", "/var/log/slurm/slurmd.log"),
    ("watch", "/var/log/hpcctl/watch.log"),
    ("efa", "/var/log/hpcctl/efa.log"),
];

/// `ROLE/cloudwatch.json`, when logs are wanted.
pub(super) fn put_cloudwatch(site: &Site<'_>, files: &mut Files, role: &str) {
    if !site.cluster.monitoring.logs.enabled {
        return;
    }
    let own = match role {
        "head" => HEAD,
        "compute" => COMPUTE,
        _ => &[],
    };
    let collected: Vec<Value> = COMMON.iter().chain(own).map(|(name, path)| log(site, role, name, path)).collect();
    let mut config = json!({
        "agent": { "logfile": "/var/log/hpcctl-cloudwatch.log", "omit_hostname": true },
        "logs": { "logs_collected": { "files": { "collect_list": collected } } },
    });
    if role == "head" {
        config["metrics"] = metrics(site);
    }
    put_text(files, &format!("{role}/cloudwatch.json"), pretty(&config), "monitoring.logs");
}

fn log(site: &Site<'_>, role: &str, name: &str, path: &str) -> Value {
    json!({
        "file_path": path,
        "log_group_name": names::log_group(site.cluster),
        "log_stream_name": format!("{role}/{{instance_id}}/{name}"),
    })
}

/// Disk and memory, under the names that the alarms ask for and with the one dimension `Cluster`.
fn metrics(site: &Site<'_>) -> Value {
    let renamed = |from: &str, to: &str| json!([{ "name": from, "rename": to, "unit": "Percent" }]);
    json!({
        "namespace": names::METRICS,
        "append_dimensions": {},
        "aggregation_dimensions": [[names::CLUSTER_DIMENSION]],
        "metrics_collected": {
            "disk": {
                "resources": ["/"],
                "drop_device": true,
                "append_dimensions": { names::CLUSTER_DIMENSION: site.cluster.name },
                "measurement": renamed("used_percent", names::DISK_USED),
            },
            "mem": {
                "append_dimensions": { names::CLUSTER_DIMENSION: site.cluster.name },
                "measurement": renamed("used_percent", names::MEMORY_USED),
            },
        },
    })
}

/// JSON with sorted keys, for people and for diffs.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
