//! The VPC from within: for every instance that the account has, a machine; for every one it has no more, none.

use super::{
    database::Databases,
    disks::Disks,
    error::{RehearsalError, failed},
    file_server,
    machine::{Machine, run as run_program},
    metadata::{self, Facts, Metadata},
    place::Place,
};
use crate::cloud::{
    Compute,
    sandbox::{self, Sandbox},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// Between two looks at the account.
const LOOK: Duration = Duration::from_millis(300);
/// From launch to boot: slurmctld does not take a node for launched that booted before it was asked for, and both count in
/// whole seconds, as does the offset of a machine's own clock since boot.
const BOOT: Duration = Duration::from_millis(2400);
/// How long a VPC without machines stays: a head node may be on its way.
const EMPTY: Duration = Duration::from_secs(30);
/// The network that the sandbox takes private addresses from.
const CIDR: (&str, &str) = ("10.0.0.0/16", "16");
/// The VPC's router, behind which the metadata service is.
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The address of the metadata service.
const METADATA: &str = "169.254.169.254";
/// Its other address, where this machine knows IPv6; a machine's own ends with its IPv4 address.
const METADATA_6: &str = "fd00:ec2::254";
const MACHINES_6: &str = "fd00:a::/64";
const BRIDGE: &str = "br0";

/// What a VPC is made of.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// Its directory.
    pub place: Place,
    /// hpcctl, for machines.
    pub program: PathBuf,
    /// The administrator of the image, with whom people log in.
    pub user: String,
    /// A database server that the cluster file takes for granted.
    pub database: Option<sandbox::Database>,
}

impl Vpc {
    /// The variables that machine.sh asks for and all machines share.
    pub(super) fn settings(&self) -> BTreeMap<&'static str, String> {
        let file = |name: &str| self.place.file(name).display().to_string();
        BTreeMap::from([
            ("PREFIX", CIDR.1.to_owned()),
            ("ROUTER", ROUTER.to_string()),
            ("IMAGE", file("image")),
            ("SHARED", file("shared")),
            ("HOSTS", file("hosts")),
            ("OVERLAY", file("slurm.conf")),
            ("ACCOUNT", self.place.account().display().to_string()),
            ("SECRET", file("secret")),
            ("ADMINISTRATOR", self.user.clone()),
            ("PROGRAM", self.program.display().to_string()),
            ("ENDPOINT", String::new()),
        ])
    }
}

struct Hypervisor {
    vpc: Vpc,
    sandbox: Sandbox,
    machines: BTreeMap<String, Machine>,
    /// When an instance was seen first.
    seen: BTreeMap<String, Instant>,
    databases: Databases,
    disks: Disks,
    metadata: Arc<Mutex<Metadata>>,
}

/// Runs a VPC until its account has had no instances for a while. To be called in namespaces of its own.
///
/// # Errors
/// When it cannot begin.
pub async fn run(vpc: Vpc, sandbox: Sandbox, mut tell: impl FnMut(&str)) -> Result<(), RehearsalError> {
    let path = vpc.place.file("alive");
    // Held until this process ends: others see by it that the rehearsal runs.
    let alive = File::options().create(true).truncate(false).write(true).open(&path);
    let alive = alive.map_err(|error| failed(&path, &error))?;
    alive.try_lock().map_err(|error| failed(&path, &error.into()))?;
    vpc.place.take_state_in()?;
    network().await?;
    file_server::start(&vpc.place).await?;
    let listener = TcpListener::bind((METADATA, 80)).await.map_err(|error| failed(METADATA, &error))?;
    let metadata = Arc::new(Mutex::new(Metadata { cidr: CIDR.0.to_owned(), ..Metadata::default() }));
    tokio::spawn(metadata::serve(listener, metadata.clone()));
    if let Some(listener) = second_listener().await {
        tokio::spawn(metadata::serve(listener, metadata.clone()));
    }
    sandbox.real_time()?;
    let databases = Databases::new(vpc.place.clone(), vpc.database.clone())?;
    let mut hypervisor = Hypervisor {
        vpc,
        sandbox,
        machines: BTreeMap::new(),
        seen: BTreeMap::new(),
        databases,
        disks: Disks::default(),
        metadata,
    };
    let ready = hypervisor.vpc.place.file("ready");
    fs::write(&ready, "").map_err(|error| failed(&ready, &error))?;
    let mut last = Instant::now();
    while last.elapsed() < EMPTY {
        match hypervisor.look().await {
            Ok(instances) if instances > 0 => last = Instant::now(),
            Ok(_) => {}
            Err(error) => tell(&format!("{error:?}")),
        }
        tokio::time::sleep(LOOK).await;
    }
    hypervisor.sandbox.virtual_time()?;
    hypervisor.databases.end().await;
    hypervisor.vpc.place.forget();
    let place = hypervisor.vpc.place.clone();
    drop((hypervisor, alive));
    place.give_state_back()
}

/// The bridge, with the router's address and that of the metadata service.
async fn network() -> Result<(), RehearsalError> {
    let router = format!("{ROUTER}/{}", CIDR.1);
    let metadata = format!("{METADATA}/32");
    for words in [
        &["link", "set", "lo", "up"][..],
        // An address of its own: else the bridge takes the lowest of its ports', and machines lose it with them.
        &["link", "add", BRIDGE, "address", "0e:ff:00:00:00:01", "type", "bridge"],
        &["address", "add", &router, "dev", BRIDGE],
        &["address", "add", &metadata, "dev", BRIDGE],
        &["link", "set", BRIDGE, "up"],
    ] {
        run_program("ip", words).await?;
    }
    Ok(())
}

/// The metadata service by IPv6, as instances have it whose administrator switched it on.
async fn second_listener() -> Option<TcpListener> {
    let address = format!("{METADATA_6}/128");
    run_program("ip", &["-6", "address", "add", &address, "dev", BRIDGE, "nodad"]).await.ok()?;
    run_program("ip", &["-6", "route", "add", MACHINES_6, "dev", BRIDGE]).await.ok()?;
    TcpListener::bind((METADATA_6, 80)).await.ok()
}

impl Hypervisor {
    /// One look at the account; gives how many instances are to run.
    async fn look(&mut self) -> Result<usize, RehearsalError> {
        let mut wanted: BTreeMap<String, sandbox::Machine> =
            self.sandbox.machines()?.into_iter().map(|one| (one.id.clone(), one)).collect();
        self.remove_ended(&mut wanted).await?;
        self.databases.look(&self.sandbox, BRIDGE).await?;
        self.plug_disks().await?;
        for instance in wanted.values() {
            self.tell_metadata(instance);
            if instance.stopping {
                if let Some(machine) = self.machines.get_mut(&instance.id) {
                    machine.shut_down();
                } else {
                    self.sandbox.halted(&instance.id)?;
                }
                continue;
            }
            let since = self.seen.entry(instance.id.clone()).or_insert_with(Instant::now).elapsed();
            if since >= BOOT && !self.machines.contains_key(&instance.id) {
                self.boot(instance).await?;
            }
        }
        Ok(wanted.len())
    }

    /// Ends machines whose instances are gone, and instances whose machines have powered themselves off.
    async fn remove_ended(&mut self, wanted: &mut BTreeMap<String, sandbox::Machine>) -> Result<(), RehearsalError> {
        let mut ended = Vec::new();
        for (id, machine) in &mut self.machines {
            if !wanted.contains_key(id) {
                machine.kill().await;
                machine.note("terminated");
                ended.push(id.clone());
            } else if wanted.get(id).is_some_and(|one| one.stopping) && machine.ended() {
                machine.note("stopped");
                self.sandbox.halted(id)?;
                ended.push(id.clone());
            } else if !machine.is_head && machine.ended() {
                // The shutdown behaviour of compute nodes is `terminate`. A head node stays off.
                machine.note("powered off");
                self.sandbox.terminate(std::slice::from_ref(id)).await?;
                ended.push(id.clone());
            }
        }
        for id in ended {
            wanted.remove(&id);
            if let Some(machine) = self.machines.remove(&id) {
                self.facts().machines.remove(&machine.address);
            }
        }
        Ok(())
    }

    /// Every machine has the volumes that its instance has.
    async fn plug_disks(&mut self) -> Result<(), RehearsalError> {
        let held = self.sandbox.attachments()?.into_iter().filter_map(|(volume, size_gib, instance)| {
            let process = self.machines.get(&instance)?.first_process()?;
            Some((volume, size_gib, instance, process))
        });
        let held: Vec<_> = held.collect();
        self.disks.look(&self.vpc.place, &held).await
    }

    async fn boot(&mut self, instance: &sandbox::Machine) -> Result<(), RehearsalError> {
        let user_data = self.sandbox.boot(&instance.id)?;
        let mut machine = Machine::start(instance, &self.vpc)?;
        let facts = Facts { machine: instance.clone(), mac: machine.mac.clone(), user_data };
        self.facts().machines.insert(machine.address.clone(), facts);
        let connected = machine.connect(BRIDGE).await;
        self.machines.insert(instance.id.clone(), machine);
        connected
    }

    /// The metadata shows what the account says now.
    fn tell_metadata(&mut self, instance: &sandbox::Machine) {
        let ahead = self.sandbox.ahead_ms().unwrap_or(0);
        let mut metadata = self.facts();
        metadata.ahead_ms = ahead;
        let known = metadata.machines.get_mut(&instance.address).filter(|known| known.machine != *instance);
        let noticed = known.map(|known| {
            let fresh = known.machine.ends.is_none() && instance.ends.is_some();
            known.machine = instance.clone();
            fresh
        });
        drop(metadata);
        if let (Some(true), Some(machine)) = (noticed, self.machines.get(&instance.id)) {
            machine.note("interruption notice");
        }
    }

    fn facts(&self) -> MutexGuard<'_, Metadata> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
