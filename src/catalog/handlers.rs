//! What CloudFormation calls, with the rights of who asked, to make, read, change and delete a resource.

use super::table::Table;

const TEXT: &str = include_str!("data/handlers.txt");

/// The actions of a resource type's provider, such as `ec2:CreateVpc`; none for a type that the table does not have.
pub fn handler_actions(resource_type: &str) -> impl Iterator<Item = &'static str> {
    let row = Table::new(TEXT).find(resource_type).unwrap_or_default();
    row.split(',').filter(|action| !action.is_empty())
}
