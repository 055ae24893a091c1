//! Database servers of RDS: a MariaDB for each, on an address of its own, known by the host name that AWS would give.
//!
//! Connections are encrypted as on RDS: with a certificate for that name, of an authority that machines have where
//! they would have Amazon's.

use super::{
    error::{RehearsalError, failed},
    machine::run,
    needs::PATH,
    place::Place,
    secret,
};
use crate::cloud::sandbox::{Database, Sandbox};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};

/// The servers.
pub(super) struct Databases {
    place: Place,
    seed: String,
    /// One that is not of RDS.
    external: Option<Database>,
    servers: BTreeMap<Database, Child>,
}

impl Databases {
    pub fn new(place: Place, external: Option<Database>) -> Result<Self, RehearsalError> {
        let path = place.file("secret");
        let seed = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let databases = Self { place, seed, external, servers: BTreeMap::new() };
        databases.write_hosts()?;
        Ok(databases)
    }

    /// Starts the servers that are to run and do not; ends those of databases that are gone.
    pub async fn look(&mut self, sandbox: &Sandbox, bridge: &str) -> Result<(), RehearsalError> {
        let wanted: Vec<Database> = sandbox.databases()?.into_iter().chain(self.external.clone()).collect();
        let gone: Vec<Database> = self.servers.keys().filter(|known| !wanted.contains(known)).cloned().collect();
        for database in gone {
            if let Some(mut server) = self.servers.remove(&database) {
                server.kill().await.ok();
            }
        }
        for database in wanted {
            if !self.servers.contains_key(&database) {
                let address = self.address(&database);
                run("ip", &["address", "replace", &format!("{address}/16"), "dev", bridge]).await?;
                let server = self.start(&database, &address).await?;
                self.servers.insert(database, server);
                self.write_hosts()?;
            }
        }
        Ok(())
    }

    /// Ends all servers.
    pub async fn end(&mut self) {
        for server in self.servers.values_mut() {
            server.kill().await.ok();
        }
    }

    /// Addresses that no instance gets: those of the sandbox end with 4 or more.
    fn address(&self, database: &Database) -> String {
        let digit = secret::of("address", &database.host);
        format!("10.0.{}.2", u8::from_str_radix(&digit[..2], 16).unwrap_or(0))
    }

    /// The VPC's names, for machines that boot from now on.
    fn write_hosts(&self) -> Result<(), RehearsalError> {
        let line = |database: &Database| format!("{} {}\n", self.address(database), database.host);
        let path = self.place.file("hosts");
        fs::write(&path, self.servers.keys().map(line).collect::<String>()).map_err(|error| failed(&path, &error))
    }

    async fn start(&self, database: &Database, address: &str) -> Result<Child, RehearsalError> {
        let name = database.host.split('.').next().unwrap_or_default();
        let folder = self.place.directory.join("databases").join(name);
        let text = |name: &str| folder.join(name).display().to_string();
        if !folder.join("data").exists() {
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
            let data = format!("--datadir={}", text("data"));
            let words = ["--no-defaults", &data, "--user=root", "--auth-root-authentication-method=normal"];
            run("mariadb-install-db", &[&words[..], &["--skip-test-db", "--innodb-log-file-size=16M"]].concat())
                .await?;
        }
        certificate(&self.place, &folder, &database.host).await?;
        let log = File::options().create(true).append(true).open(folder.join("log"));
        let log = log.map_err(|error| failed(&folder, &error))?;
        let second = log.try_clone().map_err(|error| failed(&folder, &error))?;
        let socket = text("socket");
        let options = [
            ("--datadir", text("data")),
            ("--socket", socket.clone()),
            ("--pid-file", text("pid")),
            ("--bind-address", address.to_owned()),
            ("--ssl-ca", self.place.file("ca.pem").display().to_string()),
            ("--ssl-cert", text("certificate.pem")),
            ("--ssl-key", text("key.pem")),
        ];
        let server = Command::new("mariadbd")
            .args(["--no-defaults", "--user=root", "--innodb-log-file-size=16M", "--innodb-lock-wait-timeout=900"])
            .arg("--max-allowed-packet=16M")
            // RDS is told to refuse anything else; of other servers nobody knows.
            .args((self.external.as_ref() != Some(database)).then_some("--require-secure-transport=ON"))
            .args(options.map(|(name, value)| format!("{name}={value}")))
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(second)
            .process_group(0)
            .spawn();
        let server = server.map_err(|error| failed("mariadbd", &error))?;
        self.make_administrator(database, &socket).await?;
        Ok(server)
    }

    async fn make_administrator(&self, database: &Database, socket: &str) -> Result<(), RehearsalError> {
        let password = secret::of(&self.seed, &database.secret);
        let user = format!("{}@'%'", database.user);
        let sql = format!(
            "create or replace user {user} identified by '{password}'; grant all on *.* to {user} with grant option"
        );
        let socket = format!("--socket={socket}");
        let mut last = Ok(());
        for _ in 0..200 {
            last = run("mariadb", &["--no-defaults", &socket, "--user=root", "--execute", &sql]).await;
            if last.is_ok() {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        last
    }
}

/// A certificate for a host; the authority is made with the first.
async fn certificate(place: &Place, folder: &Path, host: &str) -> Result<(), RehearsalError> {
    let text = |path: &Path| path.display().to_string();
    let (ca, ca_key) = (text(&place.file("ca.pem")), text(&place.file("ca.key")));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "30"];
    if !place.file("ca.pem").exists() {
        run("openssl", &[&new[..], &["-subj", "/CN=rehearsal", "-keyout", &ca_key, "-out", &ca]].concat()).await?;
    }
    // Where the head node would put Amazon's.
    let known = place.file("image/opt/hpcctl/etc/rds-ca.pem");
    let made = known.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::copy(&ca, &known)).map_err(|error| failed(&known, &error))?;
    let (key, out) = (text(&folder.join("key.pem")), text(&folder.join("certificate.pem")));
    let san = format!("subjectAltName=DNS:{host}");
    let own = ["-subj", "/CN=database", "-addext", &san, "-CA", &ca, "-CAkey", &ca_key, "-keyout", &key, "-out", &out];
    run("openssl", &[&new[..], &own[..]].concat()).await
}
