//! What a cluster file names that somebody else made: ids of AWS, names of buckets and keys, each with its place.

use super::{AmiId, Arn, Cluster, CustomActions, Path, S3Uri, SecurityGroupId, SubnetId};

/// Kinds of things outside the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedKind {
    /// A VPC.
    Vpc,
    /// A subnet.
    Subnet,
    /// A security group.
    SecurityGroup,
    /// An EC2 key pair, by its name.
    KeyPair,
    /// An image.
    Image,
    /// A bucket.
    Bucket,
    /// A capacity reservation.
    Reservation,
    /// A group of capacity reservations, by its ARN.
    ReservationGroup,
    /// An FSx for Lustre file system.
    Lustre,
    /// A KMS key, by its ARN.
    Key,
    /// A secret in Secrets Manager, by its ARN.
    Secret,
}

/// A thing that the file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its kind.
    pub kind: NamedKind,
    /// Its id or name.
    pub id: String,
    /// Where the file names it.
    pub at: Path,
}

/// Everything that the file names, in no order that means anything.
pub fn named(cluster: &Cluster) -> Vec<Named> {
    let mut list = List(Vec::new());
    network(cluster, &mut list);
    machines(cluster, &mut list);
    queues(cluster, &mut list);
    storage(cluster, &mut list);
    secrets(cluster, &mut list);
    list.0
}

struct List(Vec<Named>);

impl List {
    fn one(&mut self, kind: NamedKind, id: Option<impl AsRef<str>>, at: Path) {
        self.0.extend(id.map(|id| Named { kind, id: id.as_ref().to_owned(), at }));
    }

    fn subnet(&mut self, id: Option<&SubnetId>, at: Path) {
        self.one(NamedKind::Subnet, id.map(SubnetId::as_str), at);
    }

    fn subnets(&mut self, ids: &[SubnetId], at: &Path) {
        for (i, id) in ids.iter().enumerate() {
            self.subnet(Some(id), at.index(i));
        }
    }

    fn groups(&mut self, ids: &[SecurityGroupId], at: &Path) {
        for (i, id) in ids.iter().enumerate() {
            self.one(NamedKind::SecurityGroup, Some(id.as_str()), at.index(i));
        }
    }

    fn image(&mut self, id: Option<&AmiId>, at: Path) {
        self.one(NamedKind::Image, id.map(AmiId::as_str), at);
    }

    fn bucket(&mut self, uri: Option<&S3Uri>, at: Path) {
        self.one(NamedKind::Bucket, uri.map(S3Uri::bucket), at);
    }

    fn key(&mut self, id: Option<&Arn>, at: Path) {
        self.one(NamedKind::Key, id.map(Arn::as_str), at.key("kms_key"));
    }

    fn scripts(&mut self, actions: Option<&CustomActions>, at: &Path) {
        let Some(actions) = actions else { return };
        let all = [
            ("on_start", &actions.on_start),
            ("on_configured", &actions.on_configured),
            ("on_updated", &actions.on_updated),
        ];
        for (key, scripts) in all {
            for (i, action) in scripts.iter().enumerate() {
                self.bucket(Some(&action.script), at.key(key).index(i).key("script"));
            }
        }
    }
}

fn network(cluster: &Cluster, list: &mut List) {
    let (network, at) = (&cluster.network, Path::from("network"));
    list.one(NamedKind::Vpc, network.vpc_id.as_ref().map(|id| id.as_str()), at.key("vpc_id"));
    list.subnet(network.head_node_subnet.as_ref(), at.key("head_node_subnet"));
    list.subnets(&network.compute_subnets, &at.key("compute_subnets"));
    list.groups(&network.additional_security_groups, &at.key("additional_security_groups"));
    list.image(cluster.image.ami.as_ref(), Path::from("image.ami"));
    if let Some(rds) = cluster.accounting.as_ref().and_then(|accounting| accounting.rds.as_ref()) {
        list.subnets(&rds.subnets, &Path::from("accounting.rds.subnets"));
    }
}

fn machines(cluster: &Cluster, list: &mut List) {
    let (head, at) = (&cluster.head_node, Path::from("head_node"));
    list.one(NamedKind::KeyPair, head.key_name.as_ref(), at.key("key_name"));
    list.image(head.ami.as_ref(), at.key("ami"));
    list.subnet(head.subnet.as_ref(), at.key("subnet"));
    list.key(head.root_volume.kms_key.as_ref(), at.key("root_volume"));
    list.key(head.data_volume.kms_key.as_ref(), at.key("data_volume"));
    list.groups(&head.additional_security_groups, &at.key("additional_security_groups"));
    list.scripts(head.custom_actions.as_ref(), &at.key("custom_actions"));
    for (i, pool) in cluster.login_nodes.iter().enumerate() {
        let at = Path::from("login_nodes").index(i);
        list.one(NamedKind::KeyPair, pool.key_name.as_ref(), at.key("key_name"));
        list.image(pool.ami.as_ref(), at.key("ami"));
        list.subnet(pool.subnet.as_ref(), at.key("subnet"));
        list.key(pool.root_volume.kms_key.as_ref(), at.key("root_volume"));
        list.groups(&pool.additional_security_groups, &at.key("additional_security_groups"));
        list.scripts(pool.custom_actions.as_ref(), &at.key("custom_actions"));
    }
}

fn queues(cluster: &Cluster, list: &mut List) {
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = Path::from("queues").index(i);
        list.image(queue.ami.as_ref(), at.key("ami"));
        list.subnets(&queue.subnets, &at.key("subnets"));
        list.key(queue.root_volume.kms_key.as_ref(), at.key("root_volume"));
        list.groups(&queue.additional_security_groups, &at.key("additional_security_groups"));
        list.scripts(queue.custom_actions.as_ref(), &at.key("custom_actions"));
        for (j, pool) in queue.pools.iter().enumerate() {
            let at = at.key("pools").index(j);
            list.subnets(&pool.subnets, &at.key("subnets"));
            let reservation = pool.capacity_reservation.as_ref().and_then(|target| target.id.as_ref());
            list.one(
                NamedKind::Reservation,
                reservation.map(|id| id.as_str()),
                at.key("capacity_reservation").key("id"),
            );
            let group = pool.capacity_reservation.as_ref().and_then(|target| target.resource_group.as_ref());
            list.one(
                NamedKind::ReservationGroup,
                group.map(Arn::as_str),
                at.key("capacity_reservation").key("resource_group"),
            );
        }
    }
}

fn storage(cluster: &Cluster, list: &mut List) {
    for (i, storage) in cluster.storage.iter().enumerate() {
        let at = Path::from("storage").index(i);
        list.key(storage.ebs.as_ref().and_then(|one| one.kms_key.as_ref()), at.key("ebs"));
        list.key(storage.efs.as_ref().and_then(|one| one.kms_key.as_ref()), at.key("efs"));
        list.key(storage.fsx_lustre.as_ref().and_then(|one| one.kms_key.as_ref()), at.key("fsx_lustre"));
        let Some(lustre) = &storage.fsx_lustre else { continue };
        let at = at.key("fsx_lustre");
        list.one(NamedKind::Lustre, lustre.file_system_id.as_ref().map(|id| id.as_str()), at.key("file_system_id"));
        list.subnet(lustre.subnet.as_ref(), at.key("subnet"));
        if let Some(repository) = &lustre.data_repository {
            let at = at.key("data_repository");
            list.bucket(Some(&repository.import), at.key("import"));
            list.bucket(repository.export.as_ref(), at.key("export"));
        }
        for (j, association) in lustre.data_repository_associations.iter().enumerate() {
            list.bucket(Some(&association.s3), at.key("data_repository_associations").index(j).key("s3"));
        }
    }
}

fn secrets(cluster: &Cluster, list: &mut List) {
    let external = cluster.accounting.as_ref().and_then(|accounting| accounting.external.as_ref());
    let password = external.map(|external| external.password_secret.as_str());
    list.one(NamedKind::Secret, password, Path::from("accounting.external.password_secret"));
    let munge = cluster.slurm.munge_key_secret.as_ref().map(Arn::as_str);
    list.one(NamedKind::Secret, munge, Path::from("slurm.munge_key_secret"));
    list.key(cluster.monitoring.logs.kms_key.as_ref(), Path::from("monitoring.logs"));
}
