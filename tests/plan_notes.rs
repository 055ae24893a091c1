//! What a plan says besides its changes: login nodes that stay old, budgets that need a tag.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::sandbox::Sandbox,
    plan::Note,
    report::{paint::Paint, plan_text},
};
use support::*;

const LOGIN: &str = "login_nodes: [ { name: one, instance_type: c5.large, count: 1 }, { name: two, instance_type: c5.large, count: 1 } ]\n";

fn with(text: &str) -> Built {
    build("head.yaml", &format!("{}{text}", head::CLUSTER))
}

/// AW-48: a new launch-template version reaches nodes that come, not those that run.
#[test]
fn a_plan_says_that_login_nodes_stay_as_they_are() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let first = plan_for(&cloud, &with(LOGIN)).await;
        assert!(first.impact.login_pools_changed.is_empty(), "new ones are as they should be");
        carry_out_well(&cloud, &first).await;
        let bigger = LOGIN.replacen("c5.large", "c5.xlarge", 1);
        let plan = plan_for(&cloud, &with(&bigger)).await;
        assert_eq!(
            (plan.impact.login_pools_changed.as_slice(), plan.impact.login_pools_ended.len()),
            (&["one".to_owned()][..], 0)
        );
        assert!(plan_text::impact(&plan).contains("login nodes of one stay as they are until they are replaced"));
        let fewer =
            plan_for(&cloud, &with("login_nodes: [ { name: two, instance_type: c5.large, count: 1 } ]\n")).await;
        assert_eq!(
            (fewer.impact.login_pools_changed.len(), fewer.impact.login_pools_ended.as_slice()),
            (0, &["one".to_owned()][..])
        );
        assert!(plan_text::impact(&fewer).contains("log-ins on one end after their grace"));
    });
}

/// AW-49: the tag that a budget counts by must be activated.
#[test]
fn a_new_budget_says_which_tag_it_needs() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let budget = with("budget: { monthly_usd: 100, notify: [a@example.org] }\n");
        let plan = plan_for(&cloud, &budget).await;
        assert_eq!(plan.notes, [Note::BudgetNeedsTag { tag: "hpcctl:cluster".to_owned() }]);
        let text = plan_text::plan_text(&plan, plan_text::PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains("Note     the budget counts by the tag `hpcctl:cluster`"), "{text}");
        carry_out_well(&cloud, &plan).await;
        let dearer = with("budget: { monthly_usd: 200, notify: [a@example.org] }\n");
        assert!(plan_for(&cloud, &dearer).await.notes.is_empty(), "said once");
    });
}
