//! Logs, alarms and budget, and what is not supported yet.

use super::{
    rules::{monitoring as rule, told, unsupported},
    sheet::{Sheet, args, list},
};
use crate::spec::{Cluster, Path};
use std::collections::HashSet;

/// The days that CloudWatch can keep logs:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A notification of AWS Budgets has so many subscribers by e-mail at most.
const BUDGET_PEOPLE: usize = 10;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    logs(sheet, cluster);
    budget(sheet, cluster);
    if cluster.directory_service.is_some() {
        sheet.add_key(&unsupported::DIRECTORY_SERVICE, Path::from("directory_service"), args! {});
    }
}

fn logs(sheet: &mut Sheet, cluster: &Cluster) {
    let at = Path::from("monitoring");
    let monitoring = &cluster.monitoring;
    if monitoring.alarms && monitoring.notify.is_empty() {
        let (asked, silent) = (at.key("alarms"), at.key("notify"));
        if sheet.doc.gives(&asked) && sheet.is_given(&silent) {
            sheet.add(&rule::ALARMS_NOBODY, asked, args! {});
        }
    }
    let at = at.key("logs");
    let days = monitoring.logs.retention_days;
    if !DAYS.contains(&days) {
        let split = DAYS.partition_point(|day| *day < days);
        let nearest = &DAYS[split.saturating_sub(1)..DAYS.len().min(split + 1)];
        sheet.add(&rule::RETENTION, at.key("retention_days"), args! { days: days, nearest: list(nearest) });
    }
    if !monitoring.logs.enabled {
        for key in ["retention_days", "keep_on_destroy", "kms_key"] {
            if sheet.doc.gives(&at.key(key)) {
                sheet.add_key(&rule::LOGS_OFF, at.key(key), args! { key: key });
            }
        }
    }
}

fn budget(sheet: &mut Sheet, cluster: &Cluster) {
    let Some(budget) = &cluster.budget else { return };
    let at = Path::from("budget");
    // A budget without people of its own tells those who hear of alarms.
    let others = &cluster.monitoring.notify;
    if budget.notify.is_empty() && others.is_empty() {
        sheet.add_missing(&rule::BUDGET_NOBODY, at.key("notify"), args! {});
    } else if budget.notify.is_empty() && others.len() > BUDGET_PEOPLE {
        sheet.add(&told::BUDGET_TELLS_TEN, Path::from("monitoring").key("notify"), args! { people: others.len() });
    }
    let mut seen = HashSet::new();
    for (i, threshold) in budget.thresholds_percent.iter().enumerate() {
        let at = at.key("thresholds_percent").index(i);
        if !(1..=1000).contains(threshold) {
            sheet.add(&rule::THRESHOLD_RANGE, at, args! { threshold: threshold });
        } else if !seen.insert(threshold) {
            sheet.add(&rule::REPEATED_THRESHOLD, at, args! { threshold: threshold });
        }
    }
}
