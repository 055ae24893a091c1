//! The CloudWatch dashboard.
//!
//! Its body is JSON in a text; `${...}` in it are filled in by CloudFormation.

use super::{
    Resource, Stack, StackKey, Val,
    names::{self, camel},
    site::Site,
};
use crate::spec::Path;
use serde_json::{Value, json};

/// Adds the dashboard.
pub(super) fn add(site: Site<'_>, stack: &mut Stack) {
    stack.take(&StackKey::Head, "HeadInstanceId", "AWS::EC2::Instance::Id");
    let widgets = lay_out(widgets(site, stack));
    let body = json!({ "start": "-PT6H", "periodOverride": "inherit", "widgets": widgets });
    let name = format!("hpcctl-{}-{}", site.cluster.name, site.cluster.region);
    let resource =
        Resource::new("AWS::CloudWatch::Dashboard", "monitoring.dashboard", Path::from("monitoring.dashboard"))
            .set("DashboardName", name)
            .set("DashboardBody", Val::sub(body.to_string()));
    let dashboard = stack.add("Dashboard", resource);
    stack.output("DashboardName", dashboard);
}

/// Two widgets a row.
fn lay_out(widgets: Vec<Value>) -> Vec<Value> {
    let place = |(index, mut widget): (usize, Value)| {
        widget["x"] = json!(index % 2 * 12);
        widget["y"] = json!(index / 2 * 6);
        widget["width"] = json!(12);
        widget["height"] = json!(6);
        widget
    };
    widgets.into_iter().enumerate().map(place).collect()
}

fn widgets(site: Site<'_>, stack: &mut Stack) -> Vec<Value> {
    let cluster = site.cluster.name.as_str();
    let ours = |metric: &str| json!([names::METRICS, metric, names::CLUSTER_DIMENSION, cluster]);
    let mut all = vec![
        graph(
            "Slurm nodes",
            "Average",
            &[ours(names::NODES_ALLOCATED), ours(names::NODES_IDLE), ours(names::NODES_DOWN)],
        ),
        graph("Slurm jobs", "Average", &[ours(names::JOBS_RUNNING), ours(names::JOBS_PENDING)]),
        graph(
            "Head node: CPU, percent",
            "Average",
            &[json!(["AWS/EC2", "CPUUtilization", "InstanceId", "${HeadInstanceId}"])],
        ),
        graph("Head node: disk and memory, percent", "Maximum", &[ours(names::DISK_USED), ours(names::MEMORY_USED)]),
    ];
    for storage in &site.cluster.storage {
        let Some(fsx) = &storage.fsx_lustre else { continue };
        let id = match &fsx.file_system_id {
            Some(own) => own.to_string(),
            None => {
                let output = format!("{}FileSystemId", camel(storage.name.as_str()));
                stack.take(&StackKey::Storage, &output, "String");
                format!("${{{output}}}")
            }
        };
        all.extend(lustre(storage.name.as_str(), &id));
    }
    if site.cluster.monitoring.logs.enabled {
        all.push(log_table(site));
    }
    all
}

fn lustre(name: &str, id: &str) -> [Value; 2] {
    let of = |metric: &str| json!(["AWS/FSx", metric, "FileSystemId", id]);
    [
        graph(&format!("{name}: bytes a minute"), "Sum", &[of("DataReadBytes"), of("DataWriteBytes")]),
        graph(&format!("{name}: free bytes"), "Sum", &[of("FreeDataStorageCapacity")]),
    ]
}

fn graph(title: &str, statistic: &str, metrics: &[Value]) -> Value {
    json!({
        "type": "metric",
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "view": "timeSeries",
            "stat": statistic,
            "period": 60,
            "metrics": metrics,
        },
    })
}

fn log_table(site: Site<'_>) -> Value {
    let group = names::log_group(site.cluster);
    let query = format!(
        "SOURCE '{group}' | fields @timestamp, @logStream, @message \
         | filter @message like /(?i)error|fail|insufficient/ | sort @timestamp desc | limit 100"
    );
    json!({
        "type": "log",
        "properties": { "title": "Errors in logs", "region": "${AWS::Region}", "view": "table", "query": query },
    })
}
