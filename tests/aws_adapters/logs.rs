//! CloudWatch Logs.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{LogEvent, LogQuery, Timestamp};

#[tokio::test]
async fn the_newest_lines_come_in_the_order_of_time() {
    let Some(lab) = Lab::open().await else { return };
    let group = format!("/hpcctl/{}", lab.name);
    let mut input = lab.stack("logs", templates::LOGS);
    input.parameters.insert("Name".to_owned(), group.clone());
    let made = lab.make(&input).await;
    let now = lab.cloud.clock.now().0 * 1000;
    lab.log(
        &group,
        "head/i-01/slurmctld",
        &[(now - 7_200_000, "old"), (now - 3000, "started"), (now - 1000, "error: x")],
    )
    .await;
    lab.log(&group, "compute/i-02/slurmd", &[(now - 2000, "slurmd started")]).await;
    lab.log(&group, "compute/i-022/slurmd", &[(now - 1500, "another")]).await;

    let query = LogQuery {
        group: group.clone(),
        streams: Vec::new(),
        since: Timestamp(now / 1000 - 3600),
        pattern: None,
        limit: 100,
    };
    let lines = async |query: LogQuery| {
        let events: Vec<LogEvent> = lab.cloud.logs.events(&query).await.unwrap().unwrap();
        events.into_iter().map(|event| event.message).collect::<Vec<String>>()
    };
    assert_eq!(lines(query.clone()).await, ["started", "slurmd started", "another", "error: x"]);
    assert_eq!(lines(LogQuery { limit: 2, ..query.clone() }).await, ["another", "error: x"]);
    let of = |prefix: &str| LogQuery { streams: vec![prefix.to_owned()], ..query.clone() };
    assert_eq!(lines(of("head/")).await, ["started", "error: x"]);
    assert_eq!(lines(of("compute/i-02/")).await, ["slurmd started"]);
    let both = LogQuery { streams: vec!["compute/i-02/".into(), "head/".into()], ..query.clone() };
    assert_eq!(lines(both).await, ["started", "slurmd started", "error: x"]);
    assert_eq!(lines(LogQuery { pattern: Some("error".to_owned()), ..query.clone() }).await, ["error: x"]);
    let events = lab.cloud.logs.events(&of("compute/i-022/")).await.unwrap().unwrap();
    assert_eq!((events[0].stream.as_str(), events[0].millis), ("compute/i-022/slurmd", now - 1500));
    assert!(!events[0].id.is_empty());
    assert_eq!(lab.cloud.logs.events(&LogQuery { group: "/hpcctl/nobody".to_owned(), ..query }).await.unwrap(), None);
    assert_eq!(lab.cloud.logs.group(&group).await.unwrap().unwrap().name, group);
    assert_eq!(lab.cloud.logs.group(&group[..group.len() - 1]).await.unwrap(), None, "a longer name is another one");
    lab.remove(&made.id).await;
}
