//! The way into a desktop: a ticket from the machine, and the address that holds it.

/// What asks a machine for a ticket; see `templates/libexec/dcv-url`.
pub const TICKET_COMMAND: [&str; 2] = ["sudo", "/opt/hpcctl/libexec/dcv-url"];
/// What the line with the ticket begins with.
const MARK: &str = "hpcctl-dcv ";

/// A ticket: it opens a session for a short while.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The session.
    pub session: String,
    /// What opens it.
    pub token: String,
}

impl std::fmt::Debug for Ticket {
    /// Without the token: it must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ticket({})", self.session)
    }
}

/// The ticket in what the machine printed; Session Manager puts lines of its own around it.
pub fn ticket(output: &str) -> Option<Ticket> {
    let line = output.lines().find_map(|line| line.trim_end().strip_prefix(MARK))?;
    let (session, token) = line.split_once(' ')?;
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (plain(session) && plain(token)).then(|| Ticket { session: session.to_owned(), token: token.to_owned() })
}

/// The address for a browser or the DCV client.
/// <https://docs.aws.amazon.com/dcv/latest/adminguide/external-authentication.html#using-token>
pub fn url(host: &str, port: u32, ticket: &Ticket) -> String {
    format!("https://{host}:{port}/?authToken={}#{}", ticket.token, ticket.session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticket_is_found_among_other_lines() {
        let output =
            "\r\nStarting session with SessionId: me-0abc\r\nhpcctl-dcv ubuntu 0a1b\r\n\r\n\r\nExiting session\r\n";
        let found = ticket(output);
        let address = found.as_ref().map(|ticket| url("localhost", 8443, ticket));
        assert_eq!(address.as_deref(), Some("https://localhost:8443/?authToken=0a1b#ubuntu"));
        assert_eq!(found.map(|ticket| format!("{ticket:?}")).as_deref(), Some("Ticket(ubuntu)"));
        assert!(
            ["", "hpcctl-dcv", "hpcctl-dcv ubuntu", "hpcctl-dcv ubuntu a b", "hpcctl-dcv u <b>"].map(ticket)
                == [const { None }; 5]
        );
    }
}
