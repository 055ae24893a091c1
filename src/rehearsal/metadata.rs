//! The instance metadata service, version 2, for all machines: who asks is known by the address.
//!
//! Paths, status codes and documents as in the EC2 user guide, "Instance metadata and user data" and "Spot Instance
//! interruptions". Without a token every request is refused with 401.

use super::{
    http::{self, Answer, Request},
    secret,
};
use crate::cloud::{Timestamp, sandbox::Machine};
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
/// The longest life of a token, in seconds.
const LONGEST_LIFE: u64 = 21600;
/// The role of every machine, as far as the metadata tells.
const ROLE: &str = "rehearsal";

/// What the service knows.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// Machines by address.
    pub machines: BTreeMap<String, Facts>,
    /// Tokens, each with its owner's address and its end.
    pub(super) tokens: BTreeMap<String, (String, Instant)>,
    /// By how many milliseconds the sandbox is ahead of the machines' clocks.
    pub ahead_ms: i64,
    /// The addresses of the network.
    pub cidr: String,
}

/// What it knows of a machine.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub machine: Machine,
    pub mac: String,
    pub user_data: Vec<u8>,
}

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, metadata: Arc<Mutex<Metadata>>) {
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let metadata = metadata.clone();
        tokio::spawn(async move {
            let answer = |request: Option<Request>| {
                let mut metadata = metadata.lock().unwrap_or_else(PoisonError::into_inner);
                request.map_or_else(|| Answer::status(400), |request| metadata.answer(from.ip(), &request))
            };
            // A client that went away gets no answer.
            http::serve(stream, answer).await.ok();
        });
    }
}

impl Metadata {
    fn answer(&mut self, from: IpAddr, request: &Request) -> Answer {
        let from = machine_address(from).to_string();
        match request.method.as_str() {
            "PUT" if request.path == "/latest/api/token" => self.issue(from, request.headers.get(&TTL.to_lowercase())),
            "GET" | "HEAD" => {
                let token = request.headers.get("x-aws-ec2-metadata-token");
                if !token.is_some_and(|token| self.admits(&from, token)) {
                    return Answer::status(401);
                }
                let path = request.path.strip_prefix("/latest/").map(|path| path.trim_end_matches('/'));
                let found = path.and_then(|path| self.document(self.machines.get(&from)?, path));
                found.map_or_else(|| Answer::status(404), Answer::body)
            }
            _ => Answer::status(405),
        }
    }

    fn issue(&mut self, from: String, life: Option<&String>) -> Answer {
        let life = life.and_then(|life| life.parse::<u64>().ok()).filter(|life| (1..=LONGEST_LIFE).contains(life));
        let (Some(life), Ok(token)) = (life, secret::random(28)) else { return Answer::status(400) };
        let now = Instant::now();
        self.tokens.retain(|_, (_, until)| *until > now);
        self.tokens.insert(token.clone(), (from, now + Duration::from_secs(life)));
        Answer { header: Some((TTL, life.to_string())), ..Answer::body(token.into_bytes()) }
    }

    fn admits(&self, from: &str, token: &str) -> bool {
        self.tokens.get(token).is_some_and(|(owner, until)| owner == from && Instant::now() < *until)
    }

    /// The document at a path; directories only where programs list them.
    fn document(&self, facts: &Facts, path: &str) -> Option<Vec<u8>> {
        let Facts { machine, mac, user_data } = facts;
        let host = || format!("ip-{}.{}.compute.internal", machine.address.replace('.', "-"), machine.region);
        let life_cycle = || if machine.spot { "spot" } else { "on-demand" }.to_owned();
        let cidrs = format!("meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks");
        let text = match path {
            "user-data" => return Some(user_data.clone()),
            "meta-data/instance-id" => machine.id.clone(),
            "meta-data/instance-type" => machine.instance_type.clone(),
            "meta-data/local-ipv4" => machine.address.clone(),
            "meta-data/local-hostname" | "meta-data/hostname" => host(),
            "meta-data/mac" => mac.clone(),
            "meta-data/network/interfaces/macs" => format!("{mac}/"),
            "meta-data/placement/availability-zone" => machine.zone.clone(),
            "meta-data/placement/region" => machine.region.clone(),
            "meta-data/instance-life-cycle" => life_cycle(),
            "meta-data/tags/instance" => machine.tags.keys().cloned().collect::<Vec<_>>().join("\n"),
            // Its name, and keys that open nothing: what a job must not get at.
            "meta-data/iam/security-credentials" => ROLE.to_owned(),
            "meta-data/iam/security-credentials/rehearsal" => json!({
                "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAREHEARSAL", "SecretAccessKey": ROLE, "Token": ROLE,
            })
            .to_string(),
            "meta-data/spot/instance-action" => {
                json!({ "action": "terminate", "time": self.at(machine.ends?) }).to_string()
            }
            "meta-data/events/recommendations/rebalance" => {
                json!({ "noticeTime": self.at(machine.rebalance?) }).to_string()
            }
            "meta-data/events/maintenance/scheduled" => "[]".to_owned(),
            "dynamic/instance-identity/document" => json!({
                "instanceId": machine.id, "region": machine.region, "availabilityZone": machine.zone,
                "instanceType": machine.instance_type, "privateIp": machine.address,
            })
            .to_string(),
            path if path == cidrs => self.cidr.clone(),
            path => machine.tags.get(path.strip_prefix("meta-data/tags/instance/")?)?.clone(),
        };
        Some(text.into_bytes())
    }

    /// A time of the sandbox by the clocks of its machines.
    fn at(&self, time: Timestamp) -> String {
        time.plus(-self.ahead_ms.div_euclid(1000)).to_string()
    }
}

/// The address by which a machine is known: its IPv6 address ends with it.
fn machine_address(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V6(six) => {
            let [.., a, b, c, d] = six.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        IpAddr::V4(_) => from,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            id: "i-1".to_owned(),
            region: "eu-west-1".to_owned(),
            zone: "eu-west-1a".to_owned(),
            instance_type: "c5.large".to_owned(),
            address: "10.0.0.5".to_owned(),
            spot: true,
            tags: BTreeMap::from([("hpcctl:launch".to_owned(), "abc".to_owned())]),
            stopping: false,
            ends: Some(Timestamp(1_767_225_720 + 60)),
            rebalance: None,
        }
    }

    fn ask(metadata: &mut Metadata, from: &str, method: &str, path: &str, header: (&str, &str)) -> (u16, String) {
        let headers = BTreeMap::from([(header.0.to_owned(), header.1.to_owned())]);
        let request = Request { method: method.to_owned(), path: path.to_owned(), headers };
        let answer = metadata.answer(from.parse().unwrap(), &request);
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    #[test]
    fn who_has_a_token_is_told_of_oneself() {
        let facts = Facts { machine: machine(), mac: "0e:00".to_owned(), user_data: b"#!/bin/bash".to_vec() };
        let machines = BTreeMap::from([("10.0.0.5".to_owned(), facts)]);
        let mut metadata =
            Metadata { machines, ahead_ms: 60_000, cidr: "10.0.0.0/16".to_owned(), ..Metadata::default() };
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
        assert_eq!(ask(&mut metadata, "10.0.0.5", "PUT", "/latest/api/token", (ttl, "0")).0, 400);
        assert_eq!(ask(&mut metadata, "10.0.0.5", "GET", "/latest/meta-data/mac", ("a", "b")).0, 401);
        let (status, token) = ask(&mut metadata, "10.0.0.5", "PUT", "/latest/api/token", (ttl, "300"));
        assert_eq!(status, 200);
        let with = ("x-aws-ec2-metadata-token", token.as_str());
        let mut get = |from: &str, path: &str| ask(&mut metadata, from, "GET", path, with);
        assert_eq!(get("10.0.0.5", "/latest/meta-data/instance-id"), (200, "i-1".to_owned()));
        assert_eq!(get("10.0.0.5", "/latest/meta-data/tags/instance/hpcctl:launch").1, "abc");
        assert_eq!(get("10.0.0.5", "/latest/meta-data/events/recommendations/rebalance").0, 404);
        let notice = get("10.0.0.5", "/latest/meta-data/spot/instance-action").1;
        assert_eq!(notice, r#"{"action":"terminate","time":"2026-01-01T00:02:00Z"}"#);
        assert_eq!(get("10.0.0.6", "/latest/meta-data/instance-id").0, 401);
        assert_eq!(get("fd00:a::10.0.0.5", "/latest/meta-data/iam/security-credentials/").1, "rehearsal");
    }
}
