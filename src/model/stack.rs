//! Putting a stack together.

use super::{Parameter, ParameterSource, Resource, Stack, StackKey, Val, iam, machine::os_name, names};
use crate::spec::{Architecture, Arn, Os, Path};
use std::collections::BTreeMap;

impl Stack {
    /// A stack without anything in it.
    pub(super) fn new(key: StackKey, description: String, cause: Path) -> Self {
        Self {
            key,
            description,
            cause,
            parameters: BTreeMap::new(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
            after: Vec::new(),
        }
    }

    /// Adds a resource; gives the reference to it.
    pub(super) fn add(&mut self, logical_id: impl Into<String>, resource: Resource) -> Val {
        let logical_id = logical_id.into();
        self.resources.insert(logical_id.clone(), resource);
        Val::Ref(logical_id)
    }

    pub(super) fn output(&mut self, name: impl Into<String>, value: impl Into<Val>) {
        self.outputs.insert(name.into(), value.into());
    }

    /// The output of another stack, as a parameter of the same name.
    pub(super) fn take(&mut self, from: &StackKey, output: impl Into<String>, kind: &'static str) -> Val {
        let output = output.into();
        self.input(&output, kind, ParameterSource::Output { stack: from.clone(), output: output.clone() })
    }

    /// The name of the artifact bucket.
    pub(super) fn bucket(&mut self) -> Val {
        self.input("ArtifactBucket", "String", ParameterSource::ArtifactBucket)
    }

    /// The vendor's image.
    pub(super) fn image(&mut self, os: Os, architecture: Architecture) -> Val {
        // The operating system is part of the name: another one is another image, and not the old one kept.
        let architecture_word = match architecture {
            Architecture::X86_64 => "X8664",
            Architecture::Arm64 => "Arm64",
        };
        let name = format!("Image{}{architecture_word}", names::camel(os_name(os)));
        self.input(&name, "AWS::EC2::Image::Id", ParameterSource::Image { os, architecture })
    }

    /// The ARN of the role in a user's instance profile.
    pub(super) fn role_of(&mut self, profile: &Arn) -> Val {
        let profile = iam::name_of(profile).to_owned();
        let name = format!("RoleOfProfile{}", names::camel(&profile));
        self.input(&name, "String", ParameterSource::ProfileRole { profile })
    }

    pub(super) fn input(&mut self, name: &str, kind: &'static str, source: ParameterSource) -> Val {
        self.parameters.insert(name.to_owned(), Parameter { kind, source });
        Val::reference(name)
    }
}
