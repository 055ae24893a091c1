//! Everything that would refuse a deletion, before the first one.

use crate::{
    cloud::Cloud,
    observe::{self, Live},
    plan::{self, Plan, PlanError},
    report::errors::Failure,
};

/// Refuses a plan that something would stop half-way.
pub async fn refuse(cloud: &Cloud, plan: &Plan, live: &Live) -> Result<(), Failure> {
    let guards = observe::guards(cloud, live, &plan::going(plan)).await?;
    let obstacles = plan::obstacles(plan, live, &guards);
    if obstacles.is_empty() { Ok(()) } else { Err(PlanError::Obstacles { obstacles }.into()) }
}
