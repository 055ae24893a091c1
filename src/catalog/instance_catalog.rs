//! Looking instance types up by name.

use std::borrow::Cow;

use super::closest::closest;
use super::instance_row::{self, COLUMNS};
use super::instance_types::{InstanceType, family};
use super::table::Table;

const TEXT: &str = include_str!("data/instance-types.txt");

/// The known instance types: those embedded in the program, and over them those of a refreshed file.
///
/// A type that is absent is unknown, not impossible: AWS adds some every month and the embedded table
/// leaves out those that it no longer sells in the recorded regions.
#[derive(Debug, Clone, Default)]
pub struct InstanceCatalog {
    refreshed: Cow<'static, str>,
}

/// Why a refreshed table was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A row that is no instance type.
    #[error("line {line}: bad `{column}` of instance type `{name}`")]
    Row {
        /// Counted from 1.
        line: usize,
        /// The first column.
        name: String,
        /// The column that cannot be read; `columns` when their number is wrong.
        column: &'static str,
    },
    /// Rows must be sorted by name and no name may come twice.
    #[error("line {line}: instance type `{name}` is out of order")]
    Order {
        /// Counted from 1.
        line: usize,
        /// The name that does not belong there.
        name: String,
    },
}

impl InstanceCatalog {
    /// The table that the program carries. Costs nothing until something is looked up.
    pub fn embedded() -> &'static Self {
        const EMBEDDED: InstanceCatalog = InstanceCatalog {
            refreshed: Cow::Borrowed(""),
        };
        &EMBEDDED
    }

    /// The embedded table with the rows of `text`, which [`to_text`] wrote, over it.
    pub fn from_text(text: &str) -> Result<Self, CatalogError> {
        let rows = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.starts_with('#'));
        let mut before = "";
        for (number, line) in rows {
            let (name, row) = line.split_once('\t').unwrap_or((line, ""));
            let (at, text) = (number + 1, || name.to_owned());
            if name <= before {
                return Err(CatalogError::Order {
                    line: at,
                    name: text(),
                });
            }
            instance_row::parse(name, row).map_err(|column| CatalogError::Row {
                line: at,
                name: text(),
                column,
            })?;
            before = name;
        }
        Ok(Self {
            refreshed: Cow::Owned(text.to_owned()),
        })
    }

    /// The facts of a type, or `None` when it is not known.
    pub fn get(&self, name: &str) -> Option<InstanceType> {
        let row = self
            .refreshed()
            .find(name)
            .or_else(|| Table::new(TEXT).find(name))?;
        instance_row::parse(name, row).ok()
    }

    /// Every known name, sorted in byte order, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut ours = Table::new(TEXT).names().peekable();
        let mut fresh = self.refreshed().names().peekable();
        std::iter::from_fn(move || match (ours.peek(), fresh.peek()) {
            (Some(a), Some(b)) if a == b => {
                ours.next();
                fresh.next()
            }
            (Some(a), Some(b)) if a > b => fresh.next(),
            (None, _) => fresh.next(),
            (Some(_), _) => ours.next(),
        })
    }

    /// The known name that a mistyped one most likely meant.
    pub fn closest(&self, name: &str) -> Option<&str> {
        closest(name, self.names())
    }

    /// Every known family (`c5n`), sorted, each once.
    pub fn families(&self) -> Vec<&str> {
        let mut families: Vec<&str> = self.names().map(family).collect();
        families.sort_unstable();
        families.dedup();
        families
    }

    fn refreshed(&self) -> Table<'_> {
        Table::new(&self.refreshed)
    }
}

/// The table that [`InstanceCatalog::from_text`] reads, with its header, sorted by name. Of two types
/// with one name the later wins.
pub fn to_text(types: &[InstanceType]) -> String {
    let sorted: std::collections::BTreeMap<&str, &InstanceType> =
        types.iter().map(|t| (t.name.as_str(), t)).collect();
    let mut text = String::from(
        "# Written by `hpcctl catalog refresh`; do not edit.\n\
         # EC2 instance types, one a line, sorted by name (byte order). Tab separated.\n\
         # An empty field means that the source does not say, or that there is none.\n\
         # source: ec2 DescribeInstanceTypes\n\
         # columns:\n#   name: instance type\n",
    );
    for (name, words) in COLUMNS {
        text.push_str(&format!("#   {name}: {words}\n"));
    }
    for one in sorted.values() {
        text.push_str(&instance_row::write(one));
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn all() -> Vec<InstanceType> {
        let catalog = InstanceCatalog::embedded();
        catalog
            .names()
            .map(|name| catalog.get(name).unwrap())
            .collect()
    }

    #[test]
    fn every_embedded_row_parses_and_is_written_back_alike() {
        let rows = |text: &str| {
            text.lines()
                .filter(|l| !l.starts_with('#'))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let all = all();
        assert_eq!(all.len(), 1395);
        assert_eq!(rows(&to_text(&all)), rows(TEXT));
        assert!(all.iter().all(|t| t.vcpus == t.cores * t.threads_per_core));
    }

    #[test]
    fn a_refreshed_table_lies_over_the_embedded_one() {
        let mut changed = InstanceCatalog::embedded().get("c5.large").unwrap();
        changed.memory_mib = 1;
        let new = InstanceType {
            name: "c99.large".to_owned(),
            ..changed.clone()
        };
        let catalog =
            InstanceCatalog::from_text(&to_text(&[new.clone(), changed.clone()])).unwrap();
        assert_eq!(catalog.get("c5.large"), Some(changed));
        assert_eq!(catalog.get("c99.large"), Some(new));
        assert_eq!(
            catalog.get("m5.large"),
            InstanceCatalog::embedded().get("m5.large")
        );
        assert_eq!(catalog.names().count(), 1396);
        assert!(catalog.names().is_sorted());
        assert_eq!(catalog.closest("c99.lrage"), Some("c99.large"));
        assert!(catalog.families().contains(&"c99"));
    }

    #[test]
    fn a_bad_table_is_refused_with_its_line() {
        let good = to_text(&[InstanceCatalog::embedded().get("c5.large").unwrap()]);
        let line = good.lines().count();
        assert_eq!(
            InstanceCatalog::from_text(&good.replace("x86_64\t0", "vax\t0")).unwrap_err(),
            CatalogError::Row {
                line,
                name: "c5.large".to_owned(),
                column: "arch"
            }
        );
        let twice = format!("{good}{}\n", good.lines().last().unwrap());
        assert_eq!(
            InstanceCatalog::from_text(&twice).unwrap_err(),
            CatalogError::Order {
                line: line + 1,
                name: "c5.large".to_owned()
            }
        );
    }

    #[test]
    fn lookups_and_suggestions() {
        let catalog = InstanceCatalog::embedded();
        assert!(catalog.get("c5n.18xlrage").is_none());
        assert_eq!(catalog.closest("c5n.18xlrage"), Some("c5n.18xlarge"));
        assert_eq!(catalog.closest("hpc6a.48xlarg"), Some("hpc6a.48xlarge"));
        assert_eq!(catalog.closest("no such thing at all"), None);
        assert!(catalog.families().windows(2).all(|w| w[0] < w[1]));
        assert!(catalog.families().contains(&"c7i-flex"));
    }
}
