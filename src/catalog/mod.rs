//! Facts about AWS: those that do not depend on an account, and the form ([`Ground`]) of those that do.
//!
//! In: tables written by `tools/catalog.py` from packages that carry AWS's own data (EC2's instance
//! types, CloudFormation's resource provider schemas, the regions), and a table that
//! `catalog refresh` wrote.
//!
//! Out: an instance type's cores, memory, EFA and GPUs; which property of a resource type forces a
//! replacement, what a change does by its values, and what is wrong with a resource's properties; a region's partition; the name that
//! a mistyped one most likely meant.
//!
//! Never: network or files (the tables are part of the program), prices, quotas, what an account may
//! use or a region offers. The tables are read a row at a time, so a look-up costs microseconds.

mod closest;
mod ground;
mod handlers;
mod image_owners;
mod instance_catalog;
mod instance_row;
mod instance_types;
mod overrides;
mod prop_check;
mod prop_path;
mod prop_schema;
mod prop_violation;
mod regional_types;
mod regions;
mod resource_types;
mod rules;
mod table;
mod template_value;

pub use closest::closest;
pub use ground::{ADDRESSES, Ground, Image, LogGroup, LustreUse, Reservation, Subnet, VPCS, lustre_quotas, vcpu_quota};
pub use handlers::handler_actions;
pub use image_owners::image_owner;
pub use instance_catalog::{CatalogError, InstanceCatalog, to_text};
pub use instance_types::{
    Accelerator, AcceleratorKind, Arch, DiskKind, EbsOptimized, EfaFacts, Gpu, Hypervisor, InstanceStore, InstanceType,
    NetworkFacts,
};
pub use prop_path::PropPath;
pub use prop_schema::{Kind, Prop, PropSchema};
pub use prop_violation::{PropViolation, ViolationKind};
pub use regional_types::is_missing;
pub use regions::{Partition, Region, closest as closest_region, partition, region, regions};
pub use resource_types::{Replacement, ResourceCatalog, ResourceType};
pub use rules::{Edit, Outcome, Rule, Ruling};
