//! OPERATE: what people do with a cluster that runs, besides planning and applying.
//!
//! In: a cluster file, what EC2 says of its instances, and a wish. Out: spot nodes interrupted on purpose
//! ([`interrupt`]), orders to the head node with its answers ([`give`]), the command lines that lead to a node
//! ([`Route`]), the streams of a log ([`streams`]), the SQL of a grant ([`grant`]).
//!
//! Never: a plan, a process started, a word on stdout or stderr.

mod ago;
mod desktop;
mod error;
mod grant;
mod interrupt;
mod machines;
mod orders;
mod route;
mod streams;

pub use crate::apply::OrderOutcome as Outcome;
pub use ago::ago;
pub use desktop::{TICKET_COMMAND, Ticket, ticket, url};
pub use error::OperateError;
pub use grant::{Grant, grant};
pub use interrupt::{Chosen, InterruptEvent, Keep, Wish, choose, interrupt};
pub use machines::{Machine, Role, machines, pick};
pub use orders::give;
pub use route::{AwsCli, Door, Route, shell_words};
pub use streams::{Logged, streams};
