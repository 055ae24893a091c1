//! The user of a database that slurmdbd connects as, and its rights, in SQL.

use crate::spec::{Accounting, ExternalDatabase};

/// The SQL of a grant, for whoever administers the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant<'c> {
    /// The database server.
    pub server: &'c ExternalDatabase,
    /// The database.
    pub database: &'c str,
    /// From where the user may connect: an address, a network with its mask, or a pattern with `%`.
    pub host: String,
}

/// The grant for the accounting of a cluster; `None` when it does not bring a database of its own. `from` is a CIDR
/// block, or anything that MySQL takes for a host.
pub fn grant<'c>(accounting: &'c Accounting, from: &str) -> Option<Grant<'c>> {
    let server = accounting.external.as_ref()?;
    let database = accounting.database.as_deref().unwrap_or("slurm_acct_db");
    Some(Grant { server, database, host: mask(from) })
}

impl Grant<'_> {
    /// The statements. The password's place is a word that MySQL refuses: nobody sets it by mistake.
    ///
    /// Everything on one database is what Slurm asks for, and all it needs: slurmdbd makes its tables itself.
    /// <https://slurm.schedmd.com/accounting.html#database-configuration>
    pub fn sql(&self) -> String {
        let Grant { server, database, host } = self;
        let user = format!("{}@{}", text(&server.user), text(host));
        // In a grant `_` stands for any letter unless it is escaped.
        let pattern = database.replace('_', "\\_");
        format!(
            "CREATE DATABASE IF NOT EXISTS `{database}`;\n\
             CREATE USER IF NOT EXISTS {user} IDENTIFIED BY <the password of the secret>;\n\
             GRANT ALL PRIVILEGES ON `{pattern}`.* TO {user};\n"
        )
    }
}

/// MySQL knows networks by address and mask: `10.0.0.0/255.255.0.0`.
/// <https://dev.mysql.com/doc/refman/8.4/en/account-names.html>
fn mask(from: &str) -> String {
    let parsed = from.split_once('/').and_then(|(address, bits)| {
        Some((address.parse::<std::net::Ipv4Addr>().ok()?, bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?))
    });
    let Some((address, bits)) = parsed else { return from.to_owned() };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let network = std::net::Ipv4Addr::from(u32::from(address) & mask);
    if bits == 32 { network.to_string() } else { format!("{network}/{}", std::net::Ipv4Addr::from(mask)) }
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_as_mysql_reads_them() {
        assert_eq!(mask("10.42.7.0/20"), "10.42.0.0/255.255.240.0");
        assert_eq!((mask("10.0.0.5/32"), mask("0.0.0.0/0")), ("10.0.0.5".into(), "0.0.0.0/0.0.0.0".into()));
        assert_eq!((mask("10.0.%"), mask("10.0.0.0/33")), ("10.0.%".into(), "10.0.0.0/33".into()));
    }

    #[test]
    fn the_grant_ends_at_the_database() {
        let accounting: Accounting = serde_json::from_value(serde_json::json!({
            "external": { "host": "db.example.org", "user": "o'slurm",
                "password_secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf" },
        }))
        .unwrap();
        let sql = grant(&accounting, "10.42.0.0/16").unwrap().sql();
        assert!(
            sql.contains("GRANT ALL PRIVILEGES ON `slurm\\_acct\\_db`.* TO 'o''slurm'@'10.42.0.0/255.255.0.0';"),
            "{sql}"
        );
        assert_eq!(grant(&Accounting::default(), "%"), None);
    }
}
