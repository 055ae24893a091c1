//! What EC2 Fleet launches at once.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to launch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetInput {
    /// The client token: the same token twice is the same launch.
    pub token: String,
    /// How many instances.
    pub count: u32,
    /// All of them or none.
    ///
    /// EC2 itself can promise that only for a single instance type or a single zone (`MinTargetCapacity`), so
    /// it is asked for only then; otherwise fewer may come.
    pub all_or_nothing: bool,
    /// How they are bought.
    pub purchase: FleetPurchase,
    /// How EC2 chooses among types and subnets; none: EC2's own way.
    pub strategy: Option<FleetStrategy>,
    /// The most to pay for a spot instance in USD an hour; none: the on-demand price.
    pub spot_price: Option<f64>,
    /// The launch templates.
    pub templates: Vec<FleetTemplate>,
    /// The subnets, each in a zone of its own or all in one.
    pub subnets: Vec<String>,
    /// Tags of the instances and their volumes.
    pub tags: BTreeMap<String, String>,
}

/// How instances are bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetPurchase {
    /// On demand.
    OnDemand,
    /// Into the On-Demand Capacity Reservations that the launch template names, before anything else.
    Reserved,
    /// Spot, terminated at interruption.
    Spot,
    /// Into the Capacity Block that the launch template names.
    CapacityBlock,
}

/// How EC2 chooses among types and subnets; the API's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum FleetStrategy {
    LowestPrice,
    Prioritized,
    CapacityOptimized,
    CapacityOptimizedPrioritized,
    PriceCapacityOptimized,
}

/// A launch template of a fleet and the instance types launched from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetTemplate {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The types with their priority; 0 comes first.
    pub instance_types: Vec<(String, u32)>,
}

/// What came of a launch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// The fleet's id.
    pub id: String,
    /// Ids of the instances that came.
    pub instances: Vec<String>,
    /// Why others did not come.
    pub errors: Vec<FleetError>,
}

/// Why a type in a subnet did not come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FleetError {
    /// EC2's code, such as `InsufficientInstanceCapacity`.
    pub code: String,
    /// EC2's words.
    pub message: String,
    /// The type.
    pub instance_type: Option<String>,
    /// The subnet.
    pub subnet: Option<String>,
}

/// The codes by which EC2 says that it has, or that the account may have, no more of what was asked for. Asking
/// again at once gives the same answer; another pool may have what is wanted.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
const CAPACITY: &[&str] = &[
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientCapacity",
    "InsufficientCapacityOnHost",
    "InsufficientFreeAddressesInSubnet",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "MaxSpotFleetRequestCountExceeded",
    "ReservationCapacityExceeded",
    "SpotMaxPriceTooLow",
    "UnfulfillableCapacity",
    "Unsupported",
    "VcpuLimitExceeded",
    "VolumeLimitExceeded",
];

/// What EC2's fleets say where a zone does not offer a type, as `Unsupported` does elsewhere.
const NOT_OFFERED: (&str, &str) = ("InvalidFleetConfiguration", "not supported in your requested Availability Zone");

/// Whether EC2 has, or the account may have, no more of what was asked for, or has none of it in that zone: another pool may
/// have it. A fleet whose configuration is wrong otherwise has the same code, and that is no lack.
///
/// compiler-explorer/infra#601 has the words of a fleet.
pub fn is_lack(code: &str, message: &str) -> bool {
    is_capacity(code) || code == NOT_OFFERED.0 && message.contains(NOT_OFFERED.1)
}

/// Whether this code of EC2's says that capacity or a quota is used up.
pub fn is_capacity(code: &str) -> bool {
    CAPACITY.contains(&code)
}
