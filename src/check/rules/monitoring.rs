//! HPC16xx: monitoring and budget.

use super::{Rule, Severity};

rules! {
1601 RETENTION Error "log-retention"
"CloudWatch keeps logs for certain numbers of days"
"CloudWatch cannot keep logs for {days} days"
"use {nearest*}"
"`RetentionInDays` is one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, \
 2922, 3288 and 3653 \
 (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>)."

1602 LOGS_OFF Warning "logs-off"
"settings of logs are used"
"`{key}` has no effect: `enabled` is false"
"remove it, or enable logs"
"No log group is made when logs are off, so that there is nothing to keep or to encrypt."

1603 BUDGET_NOBODY Warning "budget-tells-nobody"
"a budget tells somebody"
"nobody is told when the budget is used up"
"add `notify` with e-mail addresses, here or below `monitoring`"
"A budget does not limit what is spent, it only tells \
 (<https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html>)."

1604 THRESHOLD_RANGE Error "threshold-range"
"thresholds are percentages of the budget"
"a threshold of {threshold} % cannot be told"
"use 1 to 1000"
"Thresholds above 100 tell of a budget that is overrun by so much \
 (<https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html>)."

1605 REPEATED_THRESHOLD Error "threshold-repeated"
"a list names a threshold once"
"{threshold} is in this list already"
"remove one of the two"
"AWS Budgets refuses two notifications alike (`DuplicateRecordException`). \
 Each threshold is one notification \
 (<https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-best-practices.html>)."

1606 ALARMS_NOBODY Warning "alarms-tell-nobody"
"alarms tell somebody"
"alarms are asked for, and nobody is told of them"
"add `notify` with e-mail addresses"
"Alarms without an action are seen only by those who look at the dashboard."
}
