//! FSx for Lustre: what goes together.
//!
//! <https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html> and
//! <https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html>

use crate::cloud::sandbox::{estate::Estate, eval::plain};
use serde_json::Value;

pub(super) fn objection(properties: &Value) -> Option<String> {
    if properties.get("FileSystemType").and_then(Value::as_str) != Some("LUSTRE") {
        return None;
    }
    let found = Lustre::of(properties);
    let objection = found
        .known()
        .or_else(|| found.capacity())
        .or_else(|| found.scratch())
        .or_else(|| found.throughput())
        .or_else(|| found.repository());
    objection.or_else(|| found.subnets(properties)).map(|words| {
        format!("Resource handler returned message: \"{words} (Service: FSx, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)")
    })
}

/// FSx tries port 988 within each security group before it makes the file system. Groups that no stack made are taken to
/// let it through.
pub(super) fn closed(estate: &Estate<'_>, properties: &Value) -> Option<String> {
    let groups = properties.get("SecurityGroupIds").and_then(Value::as_array)?;
    let closed = groups.iter().filter_map(Value::as_str).any(|group| {
        let made = estate.find("AWS::EC2::SecurityGroup", group).is_some();
        made && (!lets_through(estate, group, "Ingress", "Source")
            || !lets_through(estate, group, "Egress", "Destination"))
    });
    closed.then(|| {
        "Resource handler returned message: \"The file system cannot be created because the default security group in the \
         subnet provided or the provided security groups do not permit Lustre LNET network traffic on port 988 (Service: \
         FSx, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)"
            .to_owned()
    })
}

fn lets_through(estate: &Estate<'_>, group: &str, direction: &str, peer: &str) -> bool {
    let lone = format!("AWS::EC2::SecurityGroup{direction}");
    let rules =
        estate.resources().filter(|r| r.kind == lone && r.text("GroupId") == Some(group)).map(|r| &r.properties);
    let own = estate.find("AWS::EC2::SecurityGroup", group);
    let within = own.and_then(|r| r.properties.get(format!("SecurityGroup{direction}"))?.as_array());
    // A group that says nothing of egress lets everything out.
    if direction == "Egress" && within.is_none() {
        return true;
    }
    rules.chain(within.into_iter().flatten()).any(|rule| {
        let text = |name: &str| rule.get(name).map(plain).unwrap_or_default();
        let port = |name: &str, open: u64| rule.get(name).and_then(|port| plain(port).parse().ok()).unwrap_or(open);
        let open = text("IpProtocol") == "-1" || (port("FromPort", 0) <= 988 && 988 <= port("ToPort", 65_535));
        open && (text(&format!("{peer}SecurityGroupId")) == group || text("CidrIp") == "0.0.0.0/0")
    })
}

struct Lustre<'a> {
    deployment: String,
    capacity: Option<u64>,
    hdd: bool,
    tiered: bool,
    lustre: &'a Value,
}

impl<'a> Lustre<'a> {
    fn of(properties: &'a Value) -> Self {
        let lustre = &properties["LustreConfiguration"];
        let storage = properties.get("StorageType").map(plain).unwrap_or_default();
        Self {
            deployment: lustre.get("DeploymentType").map_or_else(|| "SCRATCH_1".to_owned(), plain),
            capacity: properties.get("StorageCapacity").and_then(|c| plain(c).parse().ok()),
            hdd: storage == "HDD",
            tiered: storage == "INTELLIGENT_TIERING",
            lustre,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.lustre.get(name).is_some()
    }

    fn known(&self) -> Option<String> {
        const KNOWN: [&str; 4] = ["SCRATCH_1", "SCRATCH_2", "PERSISTENT_1", "PERSISTENT_2"];
        let found = &self.deployment;
        let unknown = !KNOWN.contains(&found.as_str());
        unknown.then(|| format!("DeploymentType {found} is none of {}", KNOWN.join(", ")))
    }

    fn capacity(&self) -> Option<String> {
        if self.tiered || self.lustre.get("BackupId").is_some() {
            return None;
        }
        let Some(gib) = self.capacity else {
            return Some("StorageCapacity is required for this file system".to_owned());
        };
        let per_unit = self.lustre.get("PerUnitStorageThroughput").map(plain).unwrap_or_default();
        let (fits, words) = match (self.deployment.as_str(), self.hdd) {
            ("SCRATCH_1", _) => (gib == 1200 || gib == 2400 || step(gib, 3600), "1200, 2400, or a multiple of 3600"),
            (_, true) if per_unit == "40" => (step(gib, 1800), "a multiple of 1800"),
            (_, true) => (step(gib, 6000), "a multiple of 6000"),
            _ => (gib == 1200 || step(gib, 2400), "1200 or a multiple of 2400"),
        };
        let deployment = &self.deployment;
        (!fits).then(|| format!("Invalid storage capacity {gib} GiB: {deployment} takes {words}"))
    }

    fn scratch(&self) -> Option<String> {
        if !self.deployment.starts_with("SCRATCH") {
            return None;
        }
        if self.hdd || self.tiered {
            return Some(format!("{} file systems have storage of type SSD only", self.deployment));
        }
        let backups = self.lustre.get("AutomaticBackupRetentionDays").is_some_and(|days| plain(days) != "0");
        let wrong = if backups { Some("AutomaticBackupRetentionDays") } else { None };
        let only =
            ["PerUnitStorageThroughput", "DailyAutomaticBackupStartTime", "DriveCacheType", "MetadataConfiguration"];
        let wrong = wrong.or_else(|| only.into_iter().find(|name| self.has(name)));
        wrong.map(|name| format!("{name} is not supported for {} file systems", self.deployment))
    }

    fn throughput(&self) -> Option<String> {
        let allowed: &[&str] = match (self.deployment.as_str(), self.hdd) {
            ("PERSISTENT_1", true) => &["12", "40"],
            ("PERSISTENT_1", false) => &["50", "100", "200"],
            ("PERSISTENT_2", _) if !self.tiered => &["125", "250", "500", "1000"],
            _ => return None,
        };
        let found = self.lustre.get("PerUnitStorageThroughput").map(plain);
        let fits = found.as_deref().is_some_and(|f| allowed.contains(&f));
        (!fits).then(|| format!("{} takes a PerUnitStorageThroughput of {}", self.deployment, allowed.join(", ")))
    }

    fn repository(&self) -> Option<String> {
        let text = |name: &str| self.lustre.get(name).and_then(Value::as_str);
        let (import, export) = (text("ImportPath"), text("ExportPath"));
        if self.deployment == "PERSISTENT_2" && (import.is_some() || export.is_some()) {
            return Some(
                "PERSISTENT_2 file systems take data repository associations, not ImportPath and ExportPath".to_owned(),
            );
        }
        if import.is_none() && (export.is_some() || self.has("ImportedFileChunkSize") || self.has("AutoImportPolicy")) {
            return Some("ExportPath, ImportedFileChunkSize and AutoImportPolicy need an ImportPath".to_owned());
        }
        let other = export.is_some() && export.map(bucket) != import.map(bucket);
        other.then(|| "ExportPath must be in the same bucket as ImportPath".to_owned())
    }

    fn subnets(&self, properties: &Value) -> Option<String> {
        let count = properties.get("SubnetIds").and_then(Value::as_array).map_or(0, Vec::len);
        (count != 1).then(|| "Lustre file systems take exactly one subnet".to_owned())
    }
}

fn step(gib: u64, step: u64) -> bool {
    gib > 0 && gib.is_multiple_of(step)
}

fn bucket(url: &str) -> &str {
    let path = url.strip_prefix("s3://").unwrap_or(url);
    path.split('/').next().unwrap_or_default()
}
