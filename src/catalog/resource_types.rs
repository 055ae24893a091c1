//! What a CloudFormation resource type is, and what changing one of its properties does.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::overrides;
use super::prop_path::PropPath;
use super::prop_schema::{Prop, PropSchema};
use super::table::Table;

const TEXT: &str = include_str!("data/resource-types.txt");

/// The resource types that an HPC cluster can use, from CloudFormation's provider schemas.
#[derive(Debug, Clone, Copy)]
pub struct ResourceCatalog {
    table: Table<'static>,
}

/// One resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// `AWS::FSx::FileSystem`.
    pub name: String,
    /// Properties that every resource of the type must have.
    pub required: Vec<String>,
    /// A change replaces the resource.
    pub create_only: Vec<PropPath>,
    /// A change replaces the resource under conditions that the schema does not tell.
    pub conditional_create_only: Vec<PropPath>,
    /// A change fails the update.
    pub refused: Vec<PropPath>,
    /// Set by AWS: what `Fn::GetAtt` gives, and what a template may not set.
    pub read_only: Vec<PropPath>,
    /// Can be set and never read back, so that drift in it cannot be seen.
    pub write_only: Vec<PropPath>,
    /// What makes up the physical id.
    pub primary_identifier: Vec<PropPath>,
    /// A replacement deletes the old resource before it creates the new one; elsewhere it is the
    /// other way round.
    pub replaced_by_delete_first: bool,
    /// The tree of properties. The resource itself is an object.
    pub properties: PropSchema,
    /// Schemas that [`Prop::Definition`] names; they may refer to themselves.
    pub definitions: BTreeMap<String, Prop>,
}

/// What changing a property does to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// It is updated in place.
    Never,
    /// It may be replaced: the schema or AWS's pages say that it depends on the change, or the path
    /// names an object of which only some members are create-only.
    Conditional,
    /// It is replaced: a new one is created, the old one deleted.
    Always,
    /// CloudFormation neither updates nor replaces it: the update fails.
    Refused,
}

impl ResourceCatalog {
    /// The table that the program carries. Costs nothing until something is looked up.
    pub fn embedded() -> Self {
        Self {
            table: Table::new(TEXT),
        }
    }

    /// A type by its name, `None` when this table does not have it.
    pub fn get(&self, name: &str) -> Option<ResourceType> {
        let row: Row = serde_json::from_str(self.table.find(name)?).ok()?;
        Some(row.into_type(name))
    }

    /// Every known type, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.table.names()
    }

    /// The known type that a mistyped name most likely meant.
    pub fn closest(&self, name: &str) -> Option<&'static str> {
        super::closest::closest(name, self.names())
    }
}

impl ResourceType {
    /// What a change of a property does. `changed` may lie inside a create-only property or around
    /// one, with list indexes as numbers: `LustreConfiguration/ImportPath`, `Tags/0/Value`.
    pub fn replacement(&self, changed: &str) -> Replacement {
        let changed = PropPath::new(changed);
        let inside = |paths: &[PropPath]| paths.iter().any(|p| p.covers(&changed));
        let around = |paths: &[PropPath]| paths.iter().any(|p| changed.covers(p));
        if inside(&self.create_only) {
            Replacement::Always
        } else if inside(&self.refused) {
            Replacement::Refused
        } else if inside(&self.conditional_create_only)
            || around(&self.create_only)
            || around(&self.conditional_create_only)
            || around(&self.refused)
        {
            Replacement::Conditional
        } else {
            Replacement::Never
        }
    }

    /// AWS's page on what an update of that property does, where the provider schema does not say
    /// so and this answer comes from the page.
    pub fn documented_at(&self, changed: &str) -> Option<String> {
        let changed = PropPath::new(changed);
        let (_, found) =
            overrides::of(&self.name).find(|(path, _)| PropPath::new(path).covers(&changed))?;
        Some(format!("{}{}", overrides::PAGES, found.page))
    }

    /// What `Fn::GetAtt` gives, as it names them: `Endpoint.Address`.
    pub fn attributes(&self) -> impl Iterator<Item = String> {
        self.read_only.iter().map(PropPath::dotted)
    }

    /// Names of all properties of the resource itself, read-only ones too, sorted.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.props.keys().map(String::as_str)
    }

    /// The schema behind a property; `None` only for a definition that does not exist.
    pub fn resolve<'a>(&'a self, prop: &'a Prop) -> Option<&'a PropSchema> {
        match prop {
            Prop::Inline(schema) => Some(schema),
            Prop::Definition(name) => match self.definitions.get(name)? {
                Prop::Inline(schema) => Some(schema),
                // One definition may be another one's second name; no schema goes further.
                Prop::Definition(name) => match self.definitions.get(name)? {
                    Prop::Inline(schema) => Some(schema),
                    Prop::Definition(_) => None,
                },
            },
        }
    }

    /// The schema at a path, list elements as numbers or `*`: `Tags/*/Key`.
    pub fn schema_at(&self, path: &str) -> Option<&PropSchema> {
        let segments = path.split('/').filter(|s| !s.is_empty());
        segments
            .into_iter()
            .try_fold(&self.properties, |schema, segment| {
                let named = schema.props.get(segment).or(schema.values.as_ref());
                self.resolve(named.or(schema.items.as_ref())?)
            })
    }
}

/// A row of the table; the keys are told in its header.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Row {
    id: Vec<PropPath>,
    create_only: Vec<PropPath>,
    conditional: Vec<PropPath>,
    read_only: Vec<PropPath>,
    write_only: Vec<PropPath>,
    delete_first: bool,
    defs: BTreeMap<String, Prop>,
    props: BTreeMap<String, Prop>,
    open: bool,
    required: Vec<String>,
    exactly_one: Vec<String>,
    at_least_one: Vec<String>,
    needs: BTreeMap<String, Vec<String>>,
    excludes: BTreeMap<String, Vec<String>>,
}

impl Row {
    fn into_type(self, name: &str) -> ResourceType {
        let properties = PropSchema {
            kinds: vec![super::prop_schema::Kind::Object],
            props: self.props,
            open: self.open,
            required: self.required.clone(),
            exactly_one: self.exactly_one,
            at_least_one: self.at_least_one,
            needs: self.needs,
            excludes: self.excludes,
            ..PropSchema::default()
        };
        let mut read = ResourceType {
            name: name.to_owned(),
            required: self.required,
            create_only: self.create_only,
            conditional_create_only: self.conditional,
            refused: Vec::new(),
            read_only: self.read_only,
            write_only: self.write_only,
            primary_identifier: self.id,
            replaced_by_delete_first: self.delete_first,
            properties,
            definitions: self.defs,
        };
        read.apply_overrides();
        read
    }
}

impl ResourceType {
    fn apply_overrides(&mut self) {
        let name = self.name.clone();
        for (path, found) in overrides::of(&name) {
            let path = PropPath::new(&path);
            for paths in [&mut self.create_only, &mut self.conditional_create_only] {
                paths.retain(|p| *p != path);
            }
            match found.replacement {
                Replacement::Never => {}
                Replacement::Conditional => self.conditional_create_only.push(path),
                Replacement::Always => self.create_only.push(path),
                Replacement::Refused => self.refused.push(path),
            }
        }
        self.create_only.sort();
        self.conditional_create_only.sort();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Replacement::{Always, Conditional, Never, Refused};
    use super::*;

    fn get(name: &str) -> ResourceType {
        ResourceCatalog::embedded().get(name).unwrap()
    }

    fn assert_replacements(name: &str, expected: &[(&str, Replacement)]) {
        let found = get(name);
        for (path, replacement) in expected {
            assert_eq!(found.replacement(path), *replacement, "{name} {path}");
        }
    }

    #[test]
    fn every_row_parses_and_its_definitions_exist() {
        let catalog = ResourceCatalog::embedded();
        assert_eq!(catalog.names().count(), 74);
        assert!(catalog.names().is_sorted());
        for name in catalog.names() {
            let found = catalog.get(name).unwrap();
            assert!(found.property_names().next().is_some(), "{name}");
            let mut todo: Vec<&Prop> = found.definitions.values().collect();
            todo.extend(found.properties.props.values());
            while let Some(prop) = todo.pop() {
                assert!(found.resolve(prop).is_some(), "{name} {prop:?}");
                if let Prop::Inline(s) = prop {
                    todo.extend(s.props.values().chain(&s.items).chain(&s.values));
                }
            }
            for (path, _) in overrides::of(name) {
                assert!(found.schema_at(&path).is_some(), "{name} {path}");
            }
        }
        assert!(catalog.get("AWS::FSx::FileSytem").is_none());
        assert_eq!(
            catalog.closest("AWS::FSx::FileSytem"),
            Some("AWS::FSx::FileSystem")
        );
    }

    #[test]
    fn every_override_is_of_a_known_type_and_differs_from_the_schema() {
        for one in overrides::OVERRIDES {
            let row = ResourceCatalog::embedded()
                .table
                .find(one.resource)
                .unwrap();
            let row: Row = serde_json::from_str(row).unwrap();
            for (path, _) in overrides::of(one.resource) {
                let path = PropPath::new(&path);
                assert!(
                    !row.create_only.contains(&path) && !row.conditional.contains(&path),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn lustre_file_systems() {
        assert_replacements(
            "AWS::FSx::FileSystem",
            &[
                ("LustreConfiguration/ImportPath", Always),
                ("LustreConfiguration/ExportPath", Always),
                ("LustreConfiguration/DeploymentType", Always),
                ("LustreConfiguration/PerUnitStorageThroughput", Conditional),
                ("LustreConfiguration/AutoImportPolicy", Never),
                ("LustreConfiguration/WeeklyMaintenanceStartTime", Never),
                ("LustreConfiguration", Conditional),
                ("StorageType", Always),
                ("StorageCapacity", Never),
                ("SubnetIds/0", Always),
                ("SecurityGroupIds", Always),
                ("KmsKeyId", Always),
                ("Tags/0/Value", Never),
            ],
        );
        let found = get("AWS::FSx::FileSystem");
        assert_eq!(found.required, ["FileSystemType", "SubnetIds"]);
        assert!(found.attributes().any(|a| a == "LustreMountName"));
        let page = found
            .documented_at("LustreConfiguration/ImportPath")
            .unwrap();
        assert!(page.ends_with("aws-properties-fsx-filesystem-lustreconfiguration.html"));
        assert_eq!(found.documented_at("SubnetIds"), None);
    }

    #[test]
    fn other_types() {
        assert_replacements(
            "AWS::EC2::LaunchTemplate",
            &[
                ("LaunchTemplateName", Always),
                ("LaunchTemplateData/InstanceType", Never),
            ],
        );
        assert_replacements(
            "AWS::EC2::PlacementGroup",
            &[
                ("Strategy", Always),
                ("PartitionCount", Always),
                ("Tags/0/Value", Always),
            ],
        );
        assert_replacements(
            "AWS::EC2::Instance",
            &[
                ("InstanceType", Conditional),
                ("ImageId", Always),
                ("Tags", Never),
            ],
        );
        assert_replacements(
            "AWS::RDS::DBInstance",
            &[
                ("DBInstanceIdentifier", Always),
                ("Engine", Conditional),
                ("AllocatedStorage", Never),
            ],
        );
        assert_replacements(
            "AWS::KMS::Key",
            &[("KeySpec", Refused), ("Description", Never)],
        );
        assert_replacements(
            "AWS::Budgets::Budget",
            &[("Budget/BudgetName", Always), ("Budget", Conditional)],
        );
        assert_replacements(
            "AWS::FSx::DataRepositoryAssociation",
            &[("DataRepositoryPath", Always), ("S3", Never)],
        );
        assert!(get("AWS::EC2::VPCGatewayAttachment").replaced_by_delete_first);
        assert!(!get("AWS::EC2::VPC").replaced_by_delete_first);
        assert!(
            get("AWS::RDS::DBInstance")
                .attributes()
                .any(|a| a == "Endpoint.Address")
        );
        assert!(
            get("AWS::EC2::LaunchTemplate")
                .write_only
                .contains(&PropPath::new("LaunchTemplateData"))
        );
        assert_eq!(
            get("AWS::EC2::VPC").primary_identifier,
            [PropPath::new("VpcId")]
        );
    }

    #[test]
    fn schemas_are_found_by_path() {
        let group = get("AWS::EC2::SecurityGroup");
        assert!(group.schema_at("SecurityGroupIngress/0/CidrIp").is_some());
        assert!(
            group
                .schema_at("SecurityGroupIngress/*/FromPort")
                .unwrap()
                .min
                .is_some()
        );
        assert!(group.schema_at("SecurityGroupIngress").unwrap().unordered);
        assert!(group.schema_at("Nothing").is_none());
    }
}
