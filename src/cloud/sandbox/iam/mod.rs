//! Rights: what a program on an instance may do, by the policies of the instance's role.
//!
//! In: rendered policies, and calls as (action, resource, context). Out: allowed or not, with AWS's words. It evaluates as IAM
//! does: an explicit deny wins, then an allow, and what nobody allows is denied
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>). What it does not know of a
//! policy is an error and never a silent yes.
//!
//! Never: policies of resources and organisations, boundaries, managed policies; those of people.

mod access;
mod pattern;
mod policy;
mod principal;

pub use policy::{Access, Decision, Policy};

pub(super) use access::{bucket, fleet, instances, object, volume};
pub(super) use principal::Principal;
