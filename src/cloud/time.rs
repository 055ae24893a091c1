//! Points in time, in whole seconds.

use std::{fmt, time::Duration};

/// Seconds since 1970-01-01T00:00:00Z; printed as `2026-01-31T12:00:00Z`.
///
/// One that is read from a document lies between the years 0 and 9999: whoever writes another one means "long ago" or
/// "never", and the time between two of them can be counted.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(pub i64);

/// The first second of the year 0 and the last one of 9999.
const READABLE: (i64, i64) = (-62_167_219_200, 253_402_300_799);

impl From<i64> for Timestamp {
    fn from(seconds: i64) -> Self {
        Self(seconds.clamp(READABLE.0, READABLE.1))
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.0
    }
}

impl Timestamp {
    /// The point that long after this one; very far away when the time is longer than anybody waits.
    pub fn after(self, time: Duration) -> Self {
        self.plus(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2))
    }

    /// The point so many seconds later.
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Days to a date, after Howard Hinnant's `civil_from_days`: years begin in March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}
