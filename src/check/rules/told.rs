//! HPC174x: who is told.

use super::{Rule, Severity};

rules! {
1740 BUDGET_TELLS_TEN Warning "budget-tells-ten"
"a budget tells ten people at most"
"the budget tells the first ten of the {people} in `monitoring.notify`, and nobody else"
"name up to ten in `budget.notify`; an address that is a list reaches more"
"A notification of AWS Budgets has at most ten subscribers by e-mail. Without a `notify` of its own a budget tells the people \
 of `monitoring.notify`, who may be more: alarms go to a topic, which has no such limit \
 (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-budgets-budget-notificationwithsubscribers.html>)."
}
