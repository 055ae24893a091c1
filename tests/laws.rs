//! The laws, on clusters that nobody wrote.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::Rule,
    plan::{Action, Goal, PlanError},
};
use proptest::prelude::*;
use support::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order of keys is no part of the meaning.
    #[test]
    fn rendering_does_not_depend_on_key_order(text in clusters()) {
        let one = build("one.yaml", &text);
        let other = build("other.yaml", &keys_turned(&text));
        prop_assert_eq!(&one.rendered.templates, &other.rendered.templates);
        prop_assert_eq!(&one.rendered.files, &other.rendered.files);
        prop_assert_eq!(one.rendered.digest, other.rendered.digest);
    }

    /// Rendering twice gives the same bytes.
    #[test]
    fn rendering_twice_is_rendering_once(text in clusters()) {
        prop_assert_eq!(build("a.yaml", &text).rendered, build("a.yaml", &text).rendered);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was applied is not planned again; what is changed back is not planned either; what is destroyed is gone.
    #[test]
    fn apply_then_plan_is_empty(text in clusters(), other in clusters()) {
        on_sandbox(async {
            let cloud = hpcctl::cloud::sandbox::in_memory("eu-west-1");
            let first = build("cluster.yaml", &text);
            let plan = plan_for(&cloud, &first).await;
            assert!(plan.changes.iter().all(|change| change.action == Action::Create));
            carry_out_well(&cloud, &plan).await;
            assert!(plan_for(&cloud, &first).await.is_empty());

            // Any cluster can become any other, but for the network, which decides over everything in it, and for
            // storage, which does not shrink.
            let moved = text.replace("availability_zones: 3", "availability_zones: 2");
            let second = build("cluster.yaml", &with_network_of(&other, &moved));
            let first = build("cluster.yaml", &moved);
            carry_out_well(&cloud, &plan_for(&cloud, &first).await).await;
            match try_plan_for(&cloud, &second).await {
                Ok(plan) => carry_out_well(&cloud, &plan).await,
                Err(PlanError::Refused { refusals, .. }) => {
                    assert!(refusals.iter().all(|refusal| refusal.what.rule() == Some(Rule::OnlyGrows)), "{refusals:?}");
                    return;
                }
                Err(error) => panic!("{error:?}"),
            }
            let again = plan_for(&cloud, &second).await;
            assert!(again.is_empty(), "{:#?}", again.changes);

            let destroy = plan_destroy(&cloud, &second).await;
            assert_eq!(destroy.goal, Goal::Destroy);
            carry_out_well(&cloud, &destroy).await;
            assert!(plan_destroy(&cloud, &second).await.is_empty());
        });
    }
}

fn with_network_of(text: &str, from: &str) -> String {
    let mut cluster: serde_json::Value = serde_yaml::from_str(text).unwrap();
    let network: serde_json::Value = serde_yaml::from_str(from).unwrap();
    cluster["network"] = network["network"].clone();
    serde_yaml::to_string(&cluster).unwrap()
}
