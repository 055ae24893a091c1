//! The SDK's values in our own words.

use super::super::Timestamp;
use aws_smithy_types::DateTime;
use std::collections::BTreeMap;

/// A time; the epoch when the service gives none.
pub(super) fn time(at: Option<&DateTime>) -> Timestamp {
    Timestamp(at.map_or(0, DateTime::secs))
}

/// A text; empty when the service gives none.
pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

/// A text that may be absent.
pub(super) fn maybe(value: Option<&str>) -> Option<String> {
    value.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A count; nought when the service gives none or a negative one.
pub(super) fn count<N: TryInto<u32>>(value: Option<N>) -> u32 {
    value.and_then(|n| n.try_into().ok()).unwrap_or_default()
}

/// Keys and values: tags, parameters, outputs. Pairs without a key are left out.
pub(super) fn pairs<'a>(of: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> BTreeMap<String, String> {
    of.filter_map(|(key, value)| Some((key?.to_owned(), text(value)))).collect()
}

/// 32 hexadecimal digits that no other call has.
pub(super) fn nonce() -> String {
    super::super::real::unique()
}
