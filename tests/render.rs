//! Every example is built and rendered; what comes out is held to the laws of templates.
//!
//! The templates are left in `$CARGO_TARGET_TMPDIR/templates/REGION/EXAMPLE/STACK.json`, where `tests/lint-templates`
//! finds them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use hpcctl::{
    catalog::{InstanceCatalog, ResourceCatalog},
    cloud,
    model::{self, Graph, ParameterSource, StackKey, names},
    render::{self, Rendered},
    spec::{self, Cluster},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// CloudFormation's limit for a template in S3.
const LIMIT: usize = 1_048_576;

fn examples() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["examples/clusters", "tests/clusters"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                all.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(all.len() >= 10);
    all.sort();
    all
}

fn cluster(name: &str, text: &str) -> Cluster {
    let document = spec::read(name, text);
    assert!(document.problems.is_empty(), "{name}: {:?}", document.problems);
    document.cluster.unwrap()
}

fn graph(cluster: &Cluster) -> Graph {
    model::build(cluster, InstanceCatalog::embedded())
}

fn rendered(cluster: &Cluster) -> Rendered {
    render::render(&graph(cluster), BTreeMap::new())
}

fn template(rendered: &Rendered, key: &StackKey) -> Value {
    serde_json::from_str(&rendered.templates[key].body).unwrap()
}

#[test]
fn every_example_renders_within_the_limit_and_is_left_for_the_linters() {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("templates");
    let _ = fs::remove_dir_all(&out);
    let write = |region: &str, folder: &str, name: &str, body: &str| {
        let folder = out.join(region).join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.json")), body).unwrap();
    };
    for (name, text) in examples() {
        let cluster = cluster(&name, &text);
        let rendered = rendered(&cluster);
        for (key, template) in &rendered.templates {
            assert!(template.body.len() < LIMIT, "{name}: {key}");
            assert!(!template.body.contains("='@@"), "{name}: {key} has a token left");
            write(cluster.region.as_str(), &name, &key.stack_name(cluster.name.as_str()), &template.body);
        }
    }
    write("eu-west-1", "bootstrap", model::BOOTSTRAP_STACK, &render::bootstrap(&model::bootstrap()).body);
}

#[test]
fn keys_are_sorted_and_compact() {
    for (name, text) in examples() {
        for template in rendered(&cluster(&name, &text)).templates.values() {
            let value: Value = serde_json::from_str(&template.body).unwrap();
            assert_eq!(template.body, value.to_string(), "{name}");
        }
    }
}

#[test]
fn the_order_of_keys_in_the_file_changes_nothing() {
    for (name, text) in examples() {
        let first = rendered(&cluster(&name, &text));
        assert_eq!(first, rendered(&cluster(&name, &text)), "{name}");
        let mut value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        reverse(&mut value);
        let turned = serde_yaml::to_string(&value).unwrap();
        assert_eq!(first, rendered(&cluster(&name, &turned)), "{name}");
    }
}

/// Turns the order of the keys of all mappings around.
fn reverse(value: &mut serde_yaml::Value) {
    match value {
        serde_yaml::Value::Mapping(mapping) => {
            let entries: Vec<_> = std::mem::take(mapping).into_iter().collect();
            for (key, mut value) in entries.into_iter().rev() {
                reverse(&mut value);
                mapping.insert(key, value);
            }
        }
        serde_yaml::Value::Sequence(items) => items.iter_mut().for_each(reverse),
        _ => {}
    }
}

#[test]
fn parameters_come_from_outputs_of_earlier_stacks() {
    for (name, text) in examples() {
        let graph = graph(&cluster(&name, &text));
        let mut outputs: BTreeSet<(StackKey, String)> = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for stack in &graph.stacks {
            for (parameter, source) in &stack.parameters {
                if let ParameterSource::Output { stack: from, output } = &source.source {
                    let found = outputs.contains(&(from.clone(), output.clone()));
                    assert!(found, "{name}: {}: {parameter} from {from}.{output}", stack.key);
                }
            }
            assert!(stack.after.iter().all(|key| keys.contains(key)), "{name}: {}", stack.key);
            assert!(keys.insert(stack.key.clone()), "{name}: {} twice", stack.key);
            outputs.extend(stack.outputs.keys().map(|output| (stack.key.clone(), output.clone())));
        }
    }
}

#[test]
fn addresses_name_one_resource_each() {
    for (name, text) in examples() {
        let graph = graph(&cluster(&name, &text));
        let mut seen = BTreeSet::new();
        for resource in graph.stacks.iter().flat_map(|stack| stack.resources.values()) {
            assert!(seen.insert(resource.address.clone()), "{name}: {} twice", resource.address);
        }
    }
}

#[test]
fn causes_are_in_the_file_or_above_it() {
    for (name, text) in examples() {
        let document = spec::read(&name, &text);
        let graph = graph(document.cluster.as_ref().unwrap());
        for resource in graph.stacks.iter().flat_map(|stack| stack.resources.values()) {
            // A cause may be a key that the file leaves to its default, but never an item that is not there.
            let last = resource.cause.0.iter().rposition(|seg| matches!(seg, spec::Seg::Index(_)));
            let item = spec::Path(resource.cause.0[..last.map_or(0, |last| last + 1)].to_vec());
            assert!(item.0.is_empty() || document.gives(&item), "{name}: {}: {item}", resource.address);
            for property in resource.causes.keys() {
                let first = property.split('/').next().unwrap();
                assert!(!first.is_empty(), "{name}: {}: {property}", resource.address);
            }
        }
    }
}

#[test]
fn references_resolve_and_parameters_are_used() {
    for (name, text) in examples() {
        let rendered = rendered(&cluster(&name, &text));
        for key in rendered.templates.keys() {
            References::check(&format!("{name}: {key}"), &template(&rendered, key));
        }
    }
    let bootstrap = render::bootstrap(&model::bootstrap());
    References::check("bootstrap", &serde_json::from_str(&bootstrap.body).unwrap());
}

/// Walks a template and notes what it refers to.
struct References<'t> {
    at: &'t str,
    template: &'t Value,
    catalog: ResourceCatalog,
    used: BTreeSet<String>,
}

impl<'t> References<'t> {
    fn check(at: &'t str, template: &'t Value) {
        let mut walker = Self { at, template, catalog: ResourceCatalog::embedded(), used: BTreeSet::new() };
        walker.walk(&template["Resources"]);
        walker.walk(template.get("Outputs").unwrap_or(&Value::Null));
        for parameter in template.get("Parameters").and_then(Value::as_object).into_iter().flatten() {
            assert!(walker.used.contains(parameter.0), "{at}: parameter {} is not used", parameter.0);
        }
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(entries) => {
                for (key, inner) in entries {
                    match key.as_str() {
                        "Ref" => self.reference(inner.as_str().unwrap()),
                        "Fn::GetAtt" => self.attribute(inner[0].as_str().unwrap(), inner[1].as_str().unwrap()),
                        "Fn::Sub" => self.substitution(inner.as_str().unwrap()),
                        "DependsOn" => inner.as_array().unwrap().iter().for_each(|id| {
                            assert!(self.template["Resources"].get(id.as_str().unwrap()).is_some(), "{}: {id}", self.at)
                        }),
                        _ => self.walk(inner),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            _ => {}
        }
    }

    fn reference(&mut self, name: &str) {
        let known = |part: &str| self.template.get(part).is_some_and(|part| part.get(name).is_some());
        let pseudo = ["AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix"].contains(&name);
        assert!(pseudo || known("Parameters") || known("Resources"), "{}: ${{{name}}} is nowhere", self.at);
        self.used.insert(name.to_owned());
    }

    fn attribute(&mut self, id: &str, attribute: &str) {
        let kind = self.template["Resources"][id]["Type"].as_str();
        let kind = kind.unwrap_or_else(|| panic!("{}: {id} is nowhere", self.at));
        let known = self.catalog.get(kind).unwrap();
        // The only attribute that the provider schema does not list as read-only.
        let listed = known.attributes().any(|one| one == attribute)
            || (kind, attribute) == ("AWS::EC2::Subnet", "AvailabilityZone");
        assert!(listed, "{}: {kind} has no {attribute}", self.at);
    }

    fn substitution(&mut self, text: &str) {
        for part in text.split("${").skip(1) {
            let name = part.split('}').next().unwrap();
            match name.split_once('.') {
                _ if name.starts_with('!') => {}
                Some((id, attribute)) => self.attribute(id, attribute),
                None => self.reference(name),
            }
        }
    }
}

#[test]
fn properties_are_as_the_provider_schemas_want_them() {
    let catalog = ResourceCatalog::embedded();
    for (name, text) in examples() {
        let rendered = rendered(&cluster(&name, &text));
        for key in rendered.templates.keys() {
            let template = template(&rendered, key);
            for (id, resource) in template["Resources"].as_object().unwrap() {
                let kind = resource["Type"].as_str().unwrap();
                let known = catalog.get(kind).unwrap_or_else(|| panic!("{name}: {key}: {kind}"));
                let found = known.check(resource.get("Properties").unwrap_or(&serde_json::json!({})));
                assert!(found.is_empty(), "{name}: {key}: {id}: {found:?}");
            }
        }
    }
}

#[test]
fn dashboards_are_json() {
    for (name, text) in examples() {
        let rendered = rendered(&cluster(&name, &text));
        if rendered.templates.contains_key(&StackKey::Monitoring) {
            let template = template(&rendered, &StackKey::Monitoring);
            let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
            if let Some(body) = body.as_str() {
                let body: Value = serde_json::from_str(body).unwrap();
                assert!(body["widgets"].as_array().unwrap().len() >= 4, "{name}");
            }
        }
    }
}

#[test]
fn unknown_instance_types_are_taken_as_they_are() {
    let (name, text) = examples().into_iter().find(|(name, _)| name == "existing-corners").unwrap();
    let text = text.replace("c6i.32xlarge", "c99g.64xlarge").replace("architecture: x86_64", "architecture: arm64");
    let graph = graph(&cluster(&name, &text));
    let queue = graph.stacks.iter().find(|stack| stack.key == StackKey::Queue("own-role".to_owned())).unwrap();
    let template = render::cloudformation::template(queue);
    let data = &template["Resources"]["LaunchTemplateNew"]["Properties"]["LaunchTemplateData"];
    assert_eq!(data["InstanceType"], "c99g.64xlarge");
    assert_eq!(data["ImageId"], "ami-0a1b2c3d4e5f67890", "a `g` after the generation is Graviton");
    assert_eq!(data["NetworkInterfaces"].as_array().unwrap().len(), 1);
    assert!(data.get("CpuOptions").is_none());
}

#[test]
fn types_that_differ_in_cores_or_cards_have_templates_of_their_own() {
    let (name, text) = examples().into_iter().find(|(name, _)| name == "created-corners").unwrap();
    let cluster = cluster(&name, &text);
    let of = |queue: usize, pool: usize| {
        let (queue, pool) = (&cluster.queues[queue], &cluster.queues[queue].pools[pool]);
        model::pool_templates("corners", queue, pool, InstanceCatalog::embedded())
    };
    let names: Vec<String> = of(0, 0).into_iter().map(|template| template.name).collect();
    let types = ["c5n.18xlarge", "c6i.32xlarge", "g5.48xlarge"];
    assert_eq!(names, types.map(|one| format!("corners/mixed/a/{one}")));
    assert_eq!(of(0, 1)[0].logical_id, "LaunchTemplateAX1");
    assert_eq!(of(0, 2)[0].logical_id, "LaunchTemplateA1");
    let rendered = rendered(&cluster);
    let data = |queue: &str, id: &str| {
        template(&rendered, &StackKey::Queue(queue.to_owned()))["Resources"][id]["Properties"]["LaunchTemplateData"]
            .clone()
    };
    let cpu = data("mixed", "TypedLaunchTemplateC5n18xlargeForA")["CpuOptions"].clone();
    assert_eq!(cpu, serde_json::json!({ "CoreCount": 36, "ThreadsPerCore": 1 }));
    let cards = data("p5", "LaunchTemplateOd")["NetworkInterfaces"].clone();
    let kinds: Vec<&str> =
        cards.as_array().unwrap().iter().map(|card| card["InterfaceType"].as_str().unwrap()).collect();
    assert_eq!((kinds.len(), kinds[0], kinds[31]), (32, "efa", "efa-only"));
    assert_eq!((cards[0]["DeviceIndex"].as_u64(), cards[31]["DeviceIndex"].as_u64()), (Some(0), Some(1)));
    let cards = data("p5", "LaunchTemplateTrn")["NetworkInterfaces"].clone();
    assert_eq!((cards.as_array().unwrap().len(), cards[7]["InterfaceType"].as_str()), (8, Some("efa-only")));
}

#[test]
fn node_files_are_part_of_the_digest_and_their_causes_are_not() {
    let (name, text) = &examples()[0];
    let graph = graph(&cluster(name, text));
    let file = |content: &str, cause: &str| render::NodeFile {
        content: content.to_owned(),
        mode: 0o644,
        cause: spec::Path::from(cause),
    };
    let digest = |file| render::render(&graph, BTreeMap::from([("head/a".to_owned(), file)])).digest;
    assert_eq!(digest(file("one", "queues[0]")), digest(file("one", "queues[1]")));
    assert_ne!(digest(file("one", "queues[0]")), digest(file("two", "queues[0]")));
    assert_ne!(digest(file("one", "queues[0]")), rendered(&cluster(name, text)).digest);
}

#[test]
fn tags_are_called_as_the_ports_call_them() {
    use cloud::{CLUSTER_TAG, NODE_TAG, POOL_TAG, QUEUE_TAG, ROLE_TAG};
    let ours = [names::CLUSTER_TAG, names::ROLE_TAG, names::QUEUE_TAG, names::POOL_TAG, names::NODE_TAG];
    assert_eq!(ours, [CLUSTER_TAG, ROLE_TAG, QUEUE_TAG, POOL_TAG, NODE_TAG]);
}

/// Prints how long a thousand queues take: `cargo test --release --test render -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn a_thousand_queues() {
    let (name, text) = examples().into_iter().find(|(name, _)| name == "everything").unwrap();
    let mut cluster = cluster(&name, &text);
    let queue = cluster.queues[0].clone();
    cluster.queues =
        (0..1000).map(|number| spec::Queue { name: spec::Name(format!("q{number}")), ..queue.clone() }).collect();
    let begun = std::time::Instant::now();
    let graph = graph(&cluster);
    let built = begun.elapsed();
    let rendered = render::render(&graph, BTreeMap::new());
    let largest = rendered.templates.values().map(|template| template.body.len()).max().unwrap();
    println!("built in {built:?}, built and rendered in {:?}, largest {largest} bytes", begun.elapsed());
    assert!(largest < LIMIT);
}
