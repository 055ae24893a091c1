//! As much of HTTP/1.1 as the metadata service needs: one request a connection, short heads, no bodies but ours.

use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest head of a request, in bytes.
const LONGEST: usize = 8192;
/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub method: String,
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub header: Option<(&'static str, String)>,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self { status, body: Vec::new(), header: None }
    }

    pub fn body(body: Vec<u8>) -> Self {
        Self { status: 200, body, header: None }
    }

    fn bytes(&self) -> Vec<u8> {
        let words = match self.status {
            200 => "OK",
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            _ => "Method Not Allowed",
        };
        let extra = self.header.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
        let mut bytes = format!(
            "HTTP/1.1 {} {words}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n",
            self.status,
            self.body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Reads the request of a connection, and answers it.
pub(super) async fn serve(mut stream: TcpStream, answer: impl FnOnce(Option<Request>) -> Answer) -> io::Result<()> {
    let request = tokio::time::timeout(PATIENCE, head(&mut stream)).await??;
    let bytes = answer(parse(&request)).bytes();
    tokio::time::timeout(PATIENCE, stream.write_all(&bytes)).await??;
    stream.shutdown().await
}

async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut text, mut buffer) = (Vec::new(), [0; 1024]);
    while !text.windows(4).any(|four| four == b"\r\n\r\n") && text.len() < LONGEST {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => text.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The request of a head; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<Request> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path, version) = (first.next()?, first.next()?, first.next()?);
    if first.next().is_some() || !version.starts_with("HTTP/1.") || !path.starts_with('/') {
        return None;
    }
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.map(header).collect::<Option<_>>()?;
    Some(Request { method: method.to_owned(), path: path.to_owned(), headers })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_strictly() {
        let request = parse("PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-TTL:  300 \r\n\r\n").unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", "/latest/api/token"));
        assert_eq!(request.headers["x-ttl"], "300");
        for wrong in
            ["", "GET /\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n", "GET / HTTP/1.1\r\n"]
        {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
        let answer = String::from_utf8(Answer::body(b"i-1".to_vec()).bytes()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\ni-1"), "{answer}");
    }
}
