//! The monitoring stack: dashboard, alarms, and the budget.

use super::{
    Resource, Stack, StackKey, Val, dashboard,
    names::{self, CLUSTER_TAG},
    props::Props,
    site::Site,
    tags,
};
use crate::spec::{Budget, Email, Path};

/// The monitoring stack, when anything is to be watched.
pub(super) fn monitoring(site: Site<'_>) -> Option<Stack> {
    let cluster = site.cluster;
    let description = format!("hpcctl cluster {}: dashboard, alarms, budget", cluster.name);
    let mut stack = Stack::new(StackKey::Monitoring, description, Path::from("monitoring"));
    if cluster.monitoring.dashboard {
        dashboard::add(site, &mut stack);
    }
    if cluster.monitoring.alarms {
        alarms(site, &mut stack);
    }
    if let Some(wish) = &cluster.budget {
        budget(site, &mut stack, wish);
    }
    (!stack.resources.is_empty()).then_some(stack)
}

fn alarms(site: Site<'_>, stack: &mut Stack) {
    let topic = topic(site, stack);
    let instance = stack.take(&StackKey::Head, "HeadInstanceId", "AWS::EC2::Instance::Id");
    let of_instance = || dimension("InstanceId", instance.clone());
    let of_cluster = || dimension(names::CLUSTER_DIMENSION, site.cluster.name.as_str().into());
    // A head node on failing hardware moves to other hardware by itself.
    let recover = Val::sub("arn:${AWS::Partition}:automate:${AWS::Region}:ec2:recover");
    let mut system = topic.clone();
    system.push(recover);
    let ec2 = "AWS/EC2";
    let all = [
        Alarm {
            id: "system",
            about: "AWS's hardware below it fails",
            metric: (ec2, "StatusCheckFailed_System"),
            dimension: of_instance(),
            above: 0.0,
            minutes: 2,
            actions: system,
        },
        Alarm {
            id: "instance",
            about: "its operating system does not answer",
            metric: (ec2, "StatusCheckFailed_Instance"),
            dimension: of_instance(),
            above: 0.0,
            minutes: 3,
            actions: topic.clone(),
        },
        Alarm {
            id: "disk",
            about: "its root volume is over 85 % full",
            metric: (names::METRICS, names::DISK_USED),
            dimension: of_cluster(),
            above: 85.0,
            minutes: 10,
            actions: topic.clone(),
        },
        Alarm {
            id: "memory",
            about: "its memory is over 90 % in use",
            metric: (names::METRICS, names::MEMORY_USED),
            dimension: of_cluster(),
            above: 90.0,
            minutes: 10,
            actions: topic,
        },
    ];
    for alarm in all {
        alarm.add(site, stack);
    }
}

struct Alarm {
    id: &'static str,
    about: &'static str,
    metric: (&'static str, &'static str),
    dimension: Val,
    above: f64,
    minutes: u32,
    actions: Vec<Val>,
}

impl Alarm {
    fn add(self, site: Site<'_>, stack: &mut Stack) {
        let alarm = Resource::new(
            "AWS::CloudWatch::Alarm",
            format!("monitoring.alarm.head_{}", self.id),
            Path::from("monitoring.alarms"),
        )
        .set("AlarmDescription", format!("Head node of {}: {}", site.cluster.name, self.about))
        .set("Namespace", self.metric.0)
        .set("MetricName", self.metric.1)
        .set("Dimensions", vec![self.dimension])
        .set("Statistic", "Maximum")
        .set("Period", 60_u32)
        .set("EvaluationPeriods", self.minutes)
        .set("Threshold", self.above)
        .set("ComparisonOperator", "GreaterThanThreshold")
        .set("TreatMissingData", "missing")
        .some("AlarmActions", self.actions)
        .because("AlarmActions", Path::from("monitoring.notify"))
        .set("Tags", tags::named(site.cluster, "monitoring", self.id));
        stack.add(format!("Head{}Alarm", names::camel(self.id)), alarm);
    }
}

fn dimension(name: &str, value: Val) -> Val {
    Props::new().set("Name", name).set("Value", value).into()
}

/// The topic that tells people, when there are any.
fn topic(site: Site<'_>, stack: &mut Stack) -> Vec<Val> {
    let people = &site.cluster.monitoring.notify;
    if people.is_empty() {
        return Vec::new();
    }
    let cause = Path::from("monitoring.notify");
    let topic = Resource::new("AWS::SNS::Topic", "monitoring.topic", cause.clone())
        .set("DisplayName", format!("hpcctl {}", site.cluster.name))
        .set("Tags", tags::named(site.cluster, "monitoring", "alarms"));
    let topic = stack.add("Topic", topic);
    for (index, person) in people.iter().enumerate() {
        let subscription =
            Resource::new("AWS::SNS::Subscription", format!("monitoring.subscription.{index}"), cause.index(index))
                .set("TopicArn", topic.clone())
                .set("Protocol", "email")
                .set("Endpoint", person.as_str());
        stack.add(format!("Subscription{index}"), subscription);
    }
    vec![topic]
}

/// The budget has no name of its own: its notifications can only be replaced, and the new one would
/// collide with the old.
fn budget(site: Site<'_>, stack: &mut Stack, wish: &Budget) {
    let cause = Path::from("budget");
    let people = if wish.notify.is_empty() { &site.cluster.monitoring.notify } else { &wish.notify };
    let filter = format!("user:{CLUSTER_TAG}${}", site.cluster.name);
    let limit = Props::new().set("Amount", wish.monthly_usd).set("Unit", "USD");
    let data = Props::new()
        .set("BudgetType", "COST")
        .set("TimeUnit", "MONTHLY")
        .set("BudgetLimit", limit)
        .set("CostFilters", Props::new().set("TagKeyValue", Val::list([filter])));
    let notifications = if people.is_empty() { Vec::new() } else { notifications(wish, people) };
    let budget = Resource::new("AWS::Budgets::Budget", "monitoring.budget", cause.clone())
        .set("Budget", data)
        .some("NotificationsWithSubscribers", notifications)
        .because("Budget/BudgetLimit", cause.key("monthly_usd"))
        .because("NotificationsWithSubscribers", cause.key("notify"));
    stack.add("Budget", budget);
}

/// Each threshold twice: when it is spent, and when AWS forecasts that it will be.
fn notifications(wish: &Budget, people: &[Email]) -> Vec<Val> {
    let subscriber =
        |person: &Email| Props::new().set("SubscriptionType", "EMAIL").set("Address", person.as_str()).into();
    let subscribers: Vec<Val> = people.iter().take(10).map(subscriber).collect();
    let mut thresholds = wish.thresholds_percent.clone();
    thresholds.sort_unstable();
    thresholds.dedup();
    let each = |percent: u32| {
        let subscribers = subscribers.clone();
        ["ACTUAL", "FORECASTED"].map(move |kind| {
            let notification = Props::new()
                .set("NotificationType", kind)
                .set("ComparisonOperator", "GREATER_THAN")
                .set("Threshold", percent)
                .set("ThresholdType", "PERCENTAGE");
            Props::new().set("Notification", notification).set("Subscribers", subscribers.clone()).into()
        })
    };
    thresholds.into_iter().flat_map(each).collect()
}
