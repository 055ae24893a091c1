//! What people do by hand, and Slurm's programs: made with the SDK itself, as no port does it.

use crate::lab::Lab;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_ec2::types::{
    ArchitectureValues, BlockDeviceMapping, EbsBlockDevice, InstanceType, IpPermission, IpRange, ResourceType, Tag,
    TagSpecification,
};
use aws_smithy_http_client::{Builder, tls};
use hpcctl::cloud::{CLUSTER_TAG, POOL_TAG};
use std::time::Duration;

async fn sdk() -> aws_config::SdkConfig {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let http = Builder::new().tls_provider(ring).build_https();
    aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12()).http_client(http).load().await
}

async fn ec2() -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&sdk().await)
}

impl Lab {
    /// Opens a port to the world.
    pub async fn open_port(&self, group: &str, port: i32) {
        let anywhere = IpRange::builder().cidr_ip("0.0.0.0/0").build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(anywhere);
        let call = ec2().await.authorize_security_group_ingress().group_id(group).ip_permissions(rule.build());
        call.send().await.unwrap();
    }

    /// How many change sets a stack has.
    pub async fn change_sets(&self, stack: &str) -> usize {
        let client = aws_sdk_cloudformation::Client::new(&sdk().await);
        client.list_change_sets().stack_name(stack).send().await.unwrap().summaries().len()
    }

    /// Launches instances as a resume program does; gives their ids in order.
    pub async fn launch(&self, subnet: &str, count: i32) -> Vec<String> {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance);
        let tags = tags.tags(tag(CLUSTER_TAG, &self.name)).tags(tag(POOL_TAG, "od")).build();
        let call = ec2().await.run_instances().image_id("ami-0123456789abcdef0").instance_type(InstanceType::C5Large);
        let call = call.min_count(count).max_count(count).subnet_id(subnet).tag_specifications(tags);
        let launched = call.send().await.unwrap();
        let mut ids: Vec<String> = launched.instances().iter().map(|i| i.instance_id().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// Writes lines to a log, as the CloudWatch agent does.
    pub async fn log(&self, group: &str, stream: &str, lines: &[(i64, &str)]) {
        let client = aws_sdk_cloudwatchlogs::Client::new(&sdk().await);
        client.create_log_stream().log_group_name(group).log_stream_name(stream).send().await.unwrap();
        let event = |(at, line): &(i64, &str)| InputLogEvent::builder().timestamp(*at).message(*line).build().unwrap();
        let call = client.put_log_events().log_group_name(group).log_stream_name(stream);
        call.set_log_events(Some(lines.iter().map(event).collect())).send().await.unwrap();
    }

    /// Waits until instances are gone.
    pub async fn terminated(&self, ids: &[String]) {
        for _ in 0..100 {
            let left = self.cloud.compute.instances_of(&self.name).await.unwrap();
            if left.iter().all(|one| !ids.contains(&one.id)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{ids:?} stay");
    }

    /// Registers images; gives their ids.
    pub async fn register_images(&self, names: &[&str]) -> Vec<String> {
        let ec2 = ec2().await;
        let mut ids = Vec::new();
        for name in names {
            let root = EbsBlockDevice::builder().volume_size(8).build();
            let disk = BlockDeviceMapping::builder().device_name("/dev/sda1").ebs(root).build();
            let call =
                ec2.register_image().name(format!("{}-{name}", self.name)).architecture(ArchitectureValues::X8664);
            let call = call.root_device_name("/dev/sda1").block_device_mappings(disk);
            ids.push(call.send().await.unwrap().image_id().unwrap().to_owned());
        }
        ids
    }

    /// Takes images back.
    pub async fn deregister_images(&self, ids: &[String]) {
        for id in ids {
            ec2().await.deregister_image().image_id(id).send().await.unwrap();
        }
    }
}
