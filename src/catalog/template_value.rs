//! How CloudFormation reads a value in a template: functions, absence, conversion.

use serde_json::Value;

use super::prop_schema::Kind;

/// A function that CloudFormation evaluates.
pub(super) enum Intrinsic<'a> {
    /// `Fn::If`: the values it chooses from.
    If(&'a [Value]),
    /// Any other: its value is not known here.
    Other,
}

pub(super) fn intrinsic(value: &Value) -> Option<Intrinsic<'_>> {
    let members = value.as_object().filter(|m| m.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    match (name.as_str(), argument) {
        ("Fn::If", Value::Array(parts)) if parts.len() == 3 => Some(Intrinsic::If(&parts[1..])),
        ("Ref", Value::String(_)) => Some(Intrinsic::Other),
        (name, _) if name.starts_with("Fn::") => Some(Intrinsic::Other),
        _ => None,
    }
}

pub(super) fn is_no_value(value: &Value) -> bool {
    let members = value.as_object().filter(|m| m.len() == 1);
    members
        .and_then(|m| m.get("Ref"))
        .is_some_and(|name| name == "AWS::NoValue")
}

/// `AWS::NoValue`, an empty list, which CloudFormation mostly takes for none, or `Fn::If` with such
/// a branch.
pub(super) fn may_be_absent(value: &Value) -> bool {
    is_no_value(value)
        || value.as_array().is_some_and(Vec::is_empty)
        || matches!(intrinsic(value), Some(Intrinsic::If(branches)) if branches.iter().any(may_be_absent))
}

/// Whether CloudFormation takes the value where that type is wanted.
pub(super) fn converts(value: &Value, wanted: Kind) -> bool {
    match (wanted, value) {
        (Kind::String, Value::String(_) | Value::Number(_) | Value::Bool(_)) => true,
        (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Boolean, Value::String(text)) => {
            text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
        }
        (Kind::Integer, Value::Number(n)) => n.as_f64().is_some_and(|f| f.fract() == 0.0),
        (Kind::Integer, Value::String(text)) => text.parse::<i64>().is_ok(),
        (Kind::Number, Value::Number(_)) => true,
        (Kind::Number, Value::String(text)) => text.parse::<f64>().is_ok_and(f64::is_finite),
        (Kind::Array, Value::Array(_)) | (Kind::Object, Value::Object(_)) => true,
        _ => false,
    }
}

/// A scalar as CloudFormation writes it into a string.
pub(super) fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_convert_where_cloudformation_converts_them() {
        for (value, kind) in [
            (json!(1), Kind::String),
            (json!(true), Kind::String),
            (json!("1200"), Kind::Integer),
            (json!(3.0), Kind::Integer),
            (json!("0.5"), Kind::Number),
            (json!("True"), Kind::Boolean),
        ] {
            assert!(converts(&value, kind), "{value} {kind:?}");
        }
        for (value, kind) in [
            (json!("a"), Kind::Integer),
            (json!(1.5), Kind::Integer),
            (json!("1.5"), Kind::Integer),
            (json!("NaN"), Kind::Number),
            (json!(1), Kind::Boolean),
            (json!("yes"), Kind::Boolean),
            (json!("a"), Kind::Array),
            (json!(["a"]), Kind::String),
            (json!(null), Kind::String),
        ] {
            assert!(!converts(&value, kind), "{value} {kind:?}");
        }
        assert_eq!(
            (text_of(&json!("a")), text_of(&json!(1))),
            ("a".into(), "1".into())
        );
    }

    #[test]
    fn functions_are_told_from_objects() {
        assert!(intrinsic(&json!({"Ref": "A"})).is_some());
        assert!(intrinsic(&json!({"Fn::Sub": "${A}"})).is_some());
        assert!(intrinsic(&json!({"Ref": "A", "B": 1})).is_none());
        assert!(intrinsic(&json!({"Key": "A"})).is_none());
        assert!(is_no_value(&json!({"Ref": "AWS::NoValue"})));
        assert!(may_be_absent(
            &json!({"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]})
        ));
        assert!(!may_be_absent(&json!({"Fn::If": ["C", 1, 2]})));
    }
}
