//! Values as CloudFormation writes them.

use crate::model::Val;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::BTreeMap;

/// A value with its references as intrinsic functions.
#[derive(Clone, Copy)]
pub(super) struct Wire<'g>(pub(super) &'g Val);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Val::Bool(flag) => serializer.serialize_bool(*flag),
            Val::Int(number) => serializer.serialize_i64(*number),
            // A whole number without a fraction, so that 4 and 4.0 give the same bytes.
            Val::Num(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                serializer.serialize_i64(*number as i64)
            }
            Val::Num(number) => serializer.serialize_f64(*number),
            Val::Str(text) => serializer.serialize_str(text),
            Val::List(items) => serializer.collect_seq(items.iter().map(Wire)),
            Val::Map(all) => serializer.collect_map(all.iter().map(|(key, one)| (key, Wire(one)))),
            Val::Ref(name) => call(serializer, "Ref", name),
            Val::Att(resource, attribute) => call(serializer, "Fn::GetAtt", &[resource, attribute]),
            Val::Sub(text) => call(serializer, "Fn::Sub", text),
            Val::Join(between, parts) => call(serializer, "Fn::Join", &(between, wires(parts))),
            Val::Select(index, list) => call(serializer, "Fn::Select", &(index, Wire(list))),
            Val::Split(at, text) => call(serializer, "Fn::Split", &(at, Wire(text))),
            Val::Zones => call(serializer, "Fn::GetAZs", &Mapping([("Ref", "AWS::Region")])),
            Val::Base64(inner) => call(serializer, "Fn::Base64", &Wire(inner)),
            Val::Tags(tags) => {
                let tag = |(key, value)| Mapping([("Key", key), ("Value", value)]);
                serializer.collect_seq(tags.iter().map(tag))
            }
        }
    }
}

fn wires(items: &[Val]) -> Vec<Wire<'_>> {
    items.iter().map(Wire).collect()
}

fn call<S: Serializer>(serializer: S, function: &str, argument: &(impl Serialize + ?Sized)) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_map(Some(1))?;
    out.serialize_entry(function, argument)?;
    out.end()
}

/// A mapping of known keys, given in their order.
pub(super) struct Mapping<V, const N: usize>(pub(super) [(&'static str, V); N]);

impl<V: Serialize, const N: usize> Serialize for Mapping<V, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A mapping whose values are written as `view` shows them.
pub(super) fn entries<'g, T, V, F>(all: &'g BTreeMap<String, T>, view: F) -> Entries<'g, T, F>
where
    V: Serialize,
    F: Fn(&'g T) -> V,
{
    Entries { all, view }
}

pub(super) struct Entries<'g, T, F> {
    all: &'g BTreeMap<String, T>,
    view: F,
}

impl<'g, T, V: Serialize, F: Fn(&'g T) -> V> Serialize for Entries<'g, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all.iter().map(|(key, one)| (key, (self.view)(one))))
    }
}
