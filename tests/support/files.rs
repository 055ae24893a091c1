//! The example clusters as tests take them.

use serde_json::Value;
use std::fs;

/// The examples without protection, by the names of their files.
pub fn examples() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir("examples/clusters")
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let example = example(&name);
            (name, example)
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// An example without protection: that is for people; in tests everything is to go.
pub fn example(name: &str) -> Value {
    let text = fs::read_to_string(format!("examples/clusters/{name}")).unwrap();
    let mut value: Value = serde_yaml::from_str(&text).unwrap();
    value.as_object_mut().unwrap().remove("deletion_protection");
    if let Some(rds) = value.pointer_mut("/accounting/rds").and_then(Value::as_object_mut) {
        rds.remove("deletion_protection");
    }
    value
}
