//! CLOUD: narrow ports to a cloud, and the clouds behind them.
//!
//! The [`ports`] are traits in hpcctl's own words. Two clouds implement them: [`sandbox`], an in-process
//! control plane that needs no account, and `aws`, the SDK's adapters (feature `aws`); SDK types never leave
//! that folder. Nothing here knows Slurm, plans, or reports.

#[cfg(feature = "aws")]
pub mod aws;
mod bounded;
mod error;
pub mod ports;
#[cfg(any(feature = "aws", test))]
mod real;
pub mod rights;
pub mod sandbox;
mod time;
mod whole;

pub use bounded::{MOST_TEXT, all_of, read_bounded, read_text};
pub use error::{CloudError, ErrorKind, Result};
pub use ports::*;
pub use time::Timestamp;
#[doc(hidden)]
pub use whole::wrong as wrong_answer;
