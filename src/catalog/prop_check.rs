//! Whether a resource's properties are what its type takes.
//!
//! Works on a template as written and on resolved values: an intrinsic function stands for any value,
//! both branches of `Fn::If` are looked at, and `AWS::NoValue` is an absent property. Scalars are
//! converted as CloudFormation converts them: numbers and booleans may be strings and a string may be
//! either.

use serde_json::{Map, Value};

use super::closest::closest;
use super::prop_path::PropPath;
use super::prop_schema::{Kind, Prop, PropSchema};
use super::prop_violation::{PropViolation, ViolationKind};
use super::resource_types::ResourceType;
use super::template_value::{Intrinsic, converts, intrinsic, is_no_value, may_be_absent, text_of};

impl ResourceType {
    /// Everything that is wrong with a resource's `Properties`, in the order of the paths' parents.
    pub fn check(&self, props: &Value) -> Vec<PropViolation> {
        let mut check = Check {
            of: self,
            path: Vec::new(),
            found: Vec::new(),
        };
        check.value(&self.properties, props);
        check.found
    }
}

/// One walk over a resource's properties.
struct Check<'a> {
    of: &'a ResourceType,
    path: Vec<String>,
    found: Vec<PropViolation>,
}

impl Check<'_> {
    fn add(&mut self, kind: ViolationKind) {
        let path = PropPath::new(&self.path.join("/"));
        self.found.push(PropViolation { path, kind });
    }

    fn inside(&mut self, segment: &str, walk: impl FnOnce(&mut Self)) {
        self.path.push(segment.to_owned());
        walk(self);
        self.path.pop();
    }

    fn prop(&mut self, prop: &Prop, value: &Value) {
        // A definition that does not exist cannot be checked; a test holds that there is none.
        let of = self.of;
        if let Some(schema) = of.resolve(prop) {
            self.value(schema, value);
        }
    }

    fn value(&mut self, schema: &PropSchema, value: &Value) {
        match intrinsic(value) {
            Some(Intrinsic::If(branches)) => {
                for branch in branches.iter().filter(|b| !is_no_value(b)) {
                    self.value(schema, branch);
                }
            }
            Some(Intrinsic::Other) => {}
            None => self.literal(schema, value),
        }
    }

    fn literal(&mut self, schema: &PropSchema, value: &Value) {
        if !schema.kinds.is_empty() && !schema.kinds.iter().any(|k| converts(value, *k)) {
            let (expected, found) = (schema.kinds.clone(), Kind::of(value));
            return self.add(ViolationKind::WrongType { expected, found });
        }
        match value {
            Value::Object(members) => self.object(schema, members),
            Value::Array(elements) => self.array(schema, elements),
            _ => self.scalar(schema, &text_of(value)),
        }
    }

    fn object(&mut self, schema: &PropSchema, members: &Map<String, Value>) {
        for (name, value) in members.iter().filter(|(name, _)| !name.starts_with("Fn::")) {
            self.inside(name, |check| check.member(schema, name, value));
        }
        self.presence(schema, members);
    }

    fn member(&mut self, schema: &PropSchema, name: &str, value: &Value) {
        if is_no_value(value) {
            return;
        }
        if let Some(prop) = schema.props.get(name) {
            if self.is_read_only() {
                return self.add(ViolationKind::ReadOnly);
            }
            self.prop(prop, value);
        } else if let Some(values) = &schema.values {
            self.prop(values, value);
        } else if !schema.open && !schema.props.is_empty() {
            let names = schema.props.keys().map(String::as_str);
            let closest = closest(name, names).map(str::to_owned);
            self.add(ViolationKind::Unknown { closest });
        }
    }

    fn is_read_only(&self) -> bool {
        if self.of.read_only.is_empty() {
            return false;
        }
        let here = PropPath::new(&self.path.join("/"));
        self.of.read_only.iter().any(|p| p.covers(&here))
    }

    /// Members that must, and must not, be there.
    fn presence(&mut self, schema: &PropSchema, members: &Map<String, Value>) {
        // A transform or a loop may bring any member.
        if members.keys().any(|name| name.starts_with("Fn::")) {
            return;
        }
        let there = |name: &String| members.get(name).is_some_and(|v| !is_no_value(v));
        let surely = |name: &String| members.get(name).is_some_and(|v| !may_be_absent(v));
        for name in schema.required.iter().filter(|name| !there(name)) {
            self.inside(name, |check| check.add(ViolationKind::Missing));
        }
        self.groups(schema, there, surely);
        for (by, needed) in schema.needs.iter().filter(|(by, _)| surely(by)) {
            for name in needed.iter().filter(|name| !there(name)) {
                let by = by.clone();
                self.inside(name, |check| check.add(ViolationKind::NeededBy { by }));
            }
        }
        for (by, excluded) in schema.excludes.iter().filter(|(by, _)| surely(by)) {
            // Exclusion is mutual in most schemas: say it once, of the later name.
            let told = |name: &String| {
                name < by && schema.excludes.get(name).is_some_and(|e| e.contains(by))
            };
            for name in excluded.iter().filter(|name| surely(name) && !told(name)) {
                let by = by.clone();
                self.inside(name, |check| check.add(ViolationKind::ExcludedBy { by }));
            }
        }
    }

    /// Members of which one must be there.
    fn groups(
        &mut self,
        schema: &PropSchema,
        there: impl Fn(&String) -> bool,
        surely: impl Fn(&String) -> bool,
    ) {
        let of = &schema.exactly_one;
        let found = of.iter().filter(|name| there(name)).count();
        let too_many = of.iter().filter(|name| surely(name)).count() > 1;
        if !of.is_empty() && (found == 0 || too_many) {
            let of = of.clone();
            self.add(ViolationKind::ExactlyOne { of, found });
        }
        let of = &schema.at_least_one;
        if !of.is_empty() && !of.iter().any(there) {
            self.add(ViolationKind::AtLeastOne { of: of.clone() });
        }
    }

    fn array(&mut self, schema: &PropSchema, elements: &[Value]) {
        let (min, max, found) = (schema.min_items, schema.max_items, elements.len());
        let countable = elements.iter().all(|e| intrinsic(e).is_none());
        if countable && (min.is_some_and(|m| found < m) || max.is_some_and(|m| found > m)) {
            self.add(ViolationKind::Length { min, max, found });
        }
        let Some(items) = &schema.items else { return };
        for (index, element) in elements.iter().enumerate().filter(|(_, e)| !is_no_value(e)) {
            self.inside(&index.to_string(), |check| check.prop(items, element));
        }
    }

    fn scalar(&mut self, schema: &PropSchema, text: &str) {
        let (allowed, any_case) = (&schema.allowed, &schema.allowed_any_case);
        let listed = allowed.iter().any(|a| a == text)
            || any_case.iter().any(|a| a.eq_ignore_ascii_case(text));
        let any = allowed.is_empty() && any_case.is_empty();
        if !(any || listed) {
            let allowed = allowed.iter().chain(any_case).cloned().collect();
            self.add(ViolationKind::NotAllowed {
                allowed,
                found: text.to_owned(),
            });
        }
        let (min, max) = (schema.min, schema.max);
        if let Ok(number) = text.parse::<f64>()
            && (min.is_some_and(|m| number < m) || max.is_some_and(|m| number > m))
        {
            self.add(ViolationKind::Range { min, max });
        }
        let (min, max, found) = (schema.min_length, schema.max_length, text.chars().count());
        if min.is_some_and(|m| found < m) || max.is_some_and(|m| found > m) {
            self.add(ViolationKind::Length { min, max, found });
        }
        if let Some(pattern) = &schema.pattern
            && regex_lite::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            self.add(ViolationKind::Pattern {
                pattern: pattern.clone(),
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::super::ResourceCatalog;
    use super::*;

    /// Each violation as `path Kind`.
    fn check(name: &str, props: Value) -> Vec<String> {
        let found = ResourceCatalog::embedded().get(name).unwrap().check(&props);
        let word = |kind: &ViolationKind| {
            format!("{kind:?}")
                .split([' ', '{'])
                .next()
                .unwrap()
                .to_owned()
        };
        found
            .iter()
            .map(|v| format!("{} {}", v.path, word(&v.kind)))
            .collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn good_resources_pass() {
        let lustre = json!({
            "FileSystemType": "LUSTRE", "StorageCapacity": "1200",
            "SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": {"Fn::Split": [",", "a"]},
            "LustreConfiguration": {"DeploymentType": "SCRATCH_2", "CopyTagsToBackups": "true"},
            "Tags": [{"Key": "a", "Value": 1}],
        });
        assert_eq!(check("AWS::FSx::FileSystem", lustre), NONE);
        let role = json!({
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
            "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/A"}],
        });
        assert_eq!(check("AWS::IAM::Role", role), NONE);
        let budget = json!({"Budget": {"TimeUnit": "MONTHLY", "BudgetType": "COST",
            "FilterExpression": {"And": [{"Not": {"Tags": {"Key": "a"}}}]}}});
        assert_eq!(check("AWS::Budgets::Budget", budget), NONE);
        let table = json!({"DBSubnetGroupDescription": "x", "SubnetIds": ["subnet-1", "subnet-2"]});
        assert_eq!(check("AWS::RDS::DBSubnetGroup", table), NONE);
    }

    #[test]
    fn everything_wrong_is_found_at_once() {
        let props = json!({
            "FileSystemTyp": "LUSTRE", "StorageCapacity": "lots", "Id": "fs-1",
            "SubnetIds": "subnet-1", "LustreConfiguration": {"ImportPth": "s3://b"},
            "Tags": [{"Key": "a"}], "KmsKeyId": null,
        });
        assert_eq!(
            check("AWS::FSx::FileSystem", props),
            [
                "FileSystemTyp Unknown",
                "Id ReadOnly",
                "KmsKeyId WrongType",
                "LustreConfiguration/ImportPth Unknown",
                "StorageCapacity WrongType",
                "SubnetIds WrongType",
                "Tags/0/Value Missing",
                "FileSystemType Missing",
            ]
        );
        let found = ResourceCatalog::embedded()
            .get("AWS::FSx::FileSystem")
            .unwrap();
        let found =
            found.check(&json!({"FileSystemTyp": 1, "FileSystemType": "A", "SubnetIds": []}));
        let closest = Some("FileSystemType".to_owned());
        assert_eq!(found[0].kind, ViolationKind::Unknown { closest });
    }

    #[test]
    fn values_are_held_against_their_limits() {
        let group = |class: &str, name: &str| json!({"LogGroupClass": class, "LogGroupName": name});
        assert_eq!(
            check("AWS::Logs::LogGroup", group("STANDARD", "/a/b")),
            NONE
        );
        assert_eq!(
            check("AWS::Logs::LogGroup", group("CHEAP", "a b")),
            ["LogGroupClass NotAllowed", "LogGroupName Pattern"]
        );
        assert_eq!(
            check("AWS::Logs::LogGroup", json!({"RetentionInDays": 31})),
            ["RetentionInDays NotAllowed"]
        );
        assert_eq!(
            check("AWS::Logs::LogGroup", json!({"RetentionInDays": "30"})),
            NONE
        );
        let rule = json!({"IpProtocol": "tcp", "FromPort": -2, "CidrIp": "10.0.0.0/8"});
        let group = json!({"GroupDescription": "", "SecurityGroupIngress": [rule]});
        assert_eq!(
            check("AWS::EC2::SecurityGroup", group),
            ["SecurityGroupIngress/0/FromPort Range"]
        );
        let long = json!({"GroupDescription": "x".repeat(256)});
        assert_eq!(
            check("AWS::EC2::SecurityGroup", long),
            ["GroupDescription Length"]
        );
    }

    #[test]
    fn members_that_need_or_exclude_each_other() {
        let rule = |extra: Value| {
            let mut rule = json!({"IpProtocol": "-1"});
            rule.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            check(
                "AWS::EC2::SecurityGroup",
                json!({"GroupDescription": "x", "SecurityGroupIngress": [rule]}),
            )
        };
        assert_eq!(rule(json!({"CidrIp": {"Ref": "Cidr"}})), NONE);
        assert_eq!(rule(json!({})), ["SecurityGroupIngress/0 ExactlyOne"]);
        assert_eq!(
            rule(json!({"CidrIp": "a", "CidrIpv6": "b"})),
            ["SecurityGroupIngress/0 ExactlyOne"]
        );
        assert_eq!(
            rule(json!({"CidrIp": "a", "CidrIpv6": {"Ref": "AWS::NoValue"}})),
            NONE
        );
        let either = |a: &str| json!({"Fn::If": ["C", a, {"Ref": "AWS::NoValue"}]});
        assert_eq!(
            rule(json!({"CidrIp": either("a"), "CidrIpv6": either("b")})),
            NONE
        );
        let policy = json!({"PolicyName": "a", "PolicyDocument": {}});
        assert_eq!(check("AWS::IAM::Policy", policy), [" AtLeastOne"]);
        let both = json!({"SubnetId": "subnet-1", "NetworkInterfaces": [{"DeviceIndex": "0"}]});
        assert_eq!(check("AWS::EC2::Instance", both), ["SubnetId ExcludedBy"]);
        let classic = json!({"GroupDescription": "x", "SecurityGroupEgress": {"Ref": "Rules"}});
        assert_eq!(
            check("AWS::EC2::SecurityGroup", classic),
            ["VpcId NeededBy"]
        );
    }

    #[test]
    fn both_branches_of_a_condition_are_looked_at() {
        let props = |otherwise: Value| {
            json!({"FileSystemType": {"Fn::If": ["C", "LUSTRE", "OPENZFS"]}, "SubnetIds": ["a"],
                "StorageCapacity": {"Fn::If": ["C", 1200, otherwise]}})
        };
        assert_eq!(check("AWS::FSx::FileSystem", props(json!("64"))), NONE);
        assert_eq!(
            check(
                "AWS::FSx::FileSystem",
                props(json!({"Ref": "AWS::NoValue"}))
            ),
            NONE
        );
        assert_eq!(
            check("AWS::FSx::FileSystem", props(json!("x"))),
            ["StorageCapacity WrongType"]
        );
        let absent = json!({"FileSystemType": {"Ref": "AWS::NoValue"}, "SubnetIds": []});
        assert_eq!(
            check("AWS::FSx::FileSystem", absent),
            ["FileSystemType Missing"]
        );
    }

    #[test]
    fn nested_attributes_cannot_be_set() {
        let props = json!({"MasterUserSecret": {"SecretArn": "arn"}, "Endpoint": {"Port": "1"}});
        assert_eq!(
            check("AWS::RDS::DBInstance", props),
            ["Endpoint ReadOnly", "MasterUserSecret/SecretArn ReadOnly"]
        );
    }

    #[test]
    fn every_pattern_compiles() {
        for name in ResourceCatalog::embedded().names() {
            let found = ResourceCatalog::embedded().get(name).unwrap();
            let mut todo: Vec<&Prop> = found.definitions.values().collect();
            todo.extend(found.properties.props.values());
            while let Some(prop) = todo.pop() {
                let Prop::Inline(schema) = prop else { continue };
                if let Some(pattern) = &schema.pattern {
                    assert!(regex_lite::Regex::new(pattern).is_ok(), "{name} {pattern}");
                }
                todo.extend(
                    schema
                        .props
                        .values()
                        .chain(&schema.items)
                        .chain(&schema.values),
                );
            }
        }
    }
}
