//! What differs between operating systems: packages, names, paths.

use crate::{model::image_user, spec::Os};
use serde::Serialize;

/// An operating system as the templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OsFacts {
    /// The name in the cluster file.
    id: &'static str,
    /// `ubuntu`, `debian`, `amazon`, `redhat`.
    family: &'static str,
    /// The release's name in package repositories.
    codename: &'static str,
    /// Packages come by apt; by dnf otherwise.
    apt: bool,
    /// The administrator that the vendor's image comes with.
    user: &'static str,
    /// The package with the NFS client.
    nfs_client: &'static str,
    /// The package with the NFS server.
    nfs_server: &'static str,
    /// The NFS server's unit.
    nfs_service: &'static str,
    /// The package with stunnel.
    stunnel: &'static str,
    /// The file with the certificates of the authorities that this system trusts.
    ca_file: &'static str,
    /// The name that Amazon DCV gives this system in its downloads; none: not supported.
    /// <https://docs.aws.amazon.com/dcv/latest/adminguide/servers.html>
    dcv: Option<&'static str>,
    packages: Packages,
}

/// Packages by the kind of node that needs them.
#[derive(Debug, Clone, Serialize)]
struct Packages {
    base: Vec<&'static str>,
    head: Vec<&'static str>,
    compute: Vec<&'static str>,
    login: Vec<&'static str>,
    desktop: Vec<&'static str>,
    mysql: &'static str,
    gpg: &'static str,
}

impl OsFacts {
    /// The facts of an operating system.
    pub fn of(os: Os) -> Self {
        match os {
            Os::Ubuntu2404 => Self::apt("ubuntu2404", "ubuntu", "noble", image_user(os), Some("ubuntu2404")),
            Os::Ubuntu2204 => Self::apt("ubuntu2204", "ubuntu", "jammy", image_user(os), Some("ubuntu2204")),
            Os::Debian12 => Self::apt("debian12", "debian", "bookworm", image_user(os), None),
            Os::Alinux2023 => Self::dnf("alinux2023", "amazon", image_user(os), Some("amzn2023")),
            Os::Rocky9 => Self::dnf("rocky9", "redhat", image_user(os), Some("el9")),
            Os::Rhel9 => Self::dnf("rhel9", "redhat", image_user(os), Some("el9")),
        }
    }

    fn apt(
        id: &'static str,
        family: &'static str,
        codename: &'static str,
        user: &'static str,
        dcv: Option<&'static str>,
    ) -> Self {
        let packages = Packages {
            base: vec!["ca-certificates", "curl", "jq", "munge"],
            head: vec!["slurmctld", "slurmdbd", "slurm-client", "slurm-wlm-basic-plugins", "slurm-wlm-mysql-plugin"],
            compute: vec!["slurmd", "slurm-client", "slurm-wlm-basic-plugins"],
            login: vec!["slurm-client", "slurm-wlm-basic-plugins"],
            desktop: vec!["xfce4", "xfce4-terminal", "dbus-x11"],
            mysql: "default-mysql-client",
            gpg: "gnupg",
        };
        // Ubuntu 22.04 keeps the MySQL plugin in slurmdbd and has fewer packages.
        let packages = match id {
            "ubuntu2204" => {
                Packages { head: vec!["slurmctld", "slurmdbd", "slurm-client", "slurm-wlm-basic-plugins"], ..packages }
            }
            _ => packages,
        };
        Self {
            id,
            family,
            codename,
            apt: true,
            user,
            nfs_client: "nfs-common",
            nfs_server: "nfs-kernel-server",
            nfs_service: "nfs-kernel-server",
            stunnel: "stunnel4",
            ca_file: "/etc/ssl/certs/ca-certificates.crt",
            dcv,
            packages,
        }
    }

    fn dnf(id: &'static str, family: &'static str, user: &'static str, dcv: Option<&'static str>) -> Self {
        let desktop = match id {
            "alinux2023" => vec!["gnome-shell", "gnome-session", "gnome-terminal"],
            _ => vec!["gnome-shell", "gnome-session-xsession", "gnome-terminal"],
        };
        Self {
            id,
            family,
            codename: "9",
            apt: false,
            user,
            nfs_client: "nfs-utils",
            nfs_server: "nfs-utils",
            nfs_service: "nfs-server",
            stunnel: "stunnel",
            ca_file: "/etc/pki/tls/certs/ca-bundle.crt",
            dcv,
            packages: Packages {
                base: vec!["ca-certificates", "curl-minimal", "jq"],
                head: Vec::new(),
                compute: Vec::new(),
                login: Vec::new(),
                desktop,
                mysql: if id == "alinux2023" { "mariadb105" } else { "mariadb" },
                gpg: "gnupg2",
            },
        }
    }
}
