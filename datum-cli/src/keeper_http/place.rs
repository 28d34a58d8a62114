//! Where the keeper is served: a Unix socket of this user, or an address of this machine.

use crate::fault::Fault;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;
use uds::UnixStreamExt as _;

/// Where to serve.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Socket(PathBuf),
    Address(SocketAddr),
}

/// What connections come from.
#[derive(Debug)]
pub(super) struct Listener {
    kind: Kind,
    hosts: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, SocketAddr),
}

/// A connection.
pub(super) trait Stream: Read + Write {
    fn set_patience(&self, patience: Duration) -> std::io::Result<()>;
    /// Ends it so that the other end reads what was written.
    fn end(&self);
}

impl Stream for UnixStream {
    fn set_patience(&self, patience: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }

    fn end(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

impl Stream for TcpStream {
    fn set_patience(&self, patience: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }

    fn end(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

impl Place {
    /// An address to serve on; one that others can reach only where that was said.
    pub(crate) fn address(text: &str, beyond: bool) -> Result<Self, Fault> {
        let address: SocketAddr = text.parse().map_err(|_| {
            Fault::usage(format!("--listen {text:?} is no address and port"))
                .hint("as 127.0.0.1:7742 or [::1]:7742")
        })?;
        if !address.ip().is_loopback() && !beyond {
            return Err(Fault::usage(format!(
                "--listen {address}: other machines reach it, and nothing is encrypted"
            ))
            .hint("put a proxy with TLS before 127.0.0.1, or pass --beyond-this-machine"));
        }
        Ok(Self::Address(address))
    }

    pub(super) fn listen(&self) -> Result<Listener, Fault> {
        match self {
            Self::Socket(path) => socket(path),
            Self::Address(address) => {
                let cannot = |error| Fault::broken(format!("cannot serve on {address}: {error}"));
                let listener = TcpListener::bind(address).map_err(cannot)?;
                let address = listener.local_addr().map_err(cannot)?;
                let mut hosts = vec![address.to_string()];
                if address.ip().is_loopback() {
                    hosts.push(format!("localhost:{}", address.port()));
                }
                Ok(Listener { kind: Kind::Tcp(listener, address), hosts })
            }
        }
    }
}

fn socket(path: &PathBuf) -> Result<Listener, Fault> {
    let cannot = |error: std::io::Error| {
        Fault::broken(format!("cannot serve on {}: {error}", path.display()))
            .hint("--socket names another path; a long one does not fit a socket")
    };
    match UnixStream::connect(path) {
        Ok(_) => {
            return Err(Fault::usage(format!("a keeper is served on {} already", path.display()))
                .hint("end it, or name another with --socket"));
        }
        // What a keeper left that was killed.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(cannot)?;
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(Listener {
        kind: Kind::Unix(listener, path.clone()),
        hosts: vec!["localhost".to_owned(), "keeper".to_owned()],
    })
}

impl Listener {
    /// The names that a request may call this host by.
    pub(super) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Where it is, for people.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Unix(_, path) => path.display().to_string(),
            Kind::Tcp(_, address) => format!("http://{address}"),
        }
    }

    /// The next connection; of a socket, only this user's own.
    pub(super) fn accept(&self) -> std::io::Result<Box<dyn Stream>> {
        match &self.kind {
            Kind::Tcp(listener, _) => Ok(Box::new(listener.accept()?.0)),
            Kind::Unix(listener, _) => loop {
                let (stream, _) = listener.accept()?;
                let peer = stream.initial_peer_credentials();
                if peer.is_ok_and(|peer| peer.euid() == rustix::process::geteuid().as_raw()) {
                    return Ok(Box::new(stream));
                }
            },
        }
    }

    /// Takes the socket away.
    pub(super) fn close(&self) {
        if let Kind::Unix(_, path) = &self.kind {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_unless_it_is_said() {
        for good in ["127.0.0.1:7742", "[::1]:7742", "127.8.0.1:1"] {
            assert!(Place::address(good, false).is_ok(), "{good}");
        }
        for bad in ["0.0.0.0:7742", "[::]:7742", "192.168.0.1:7742"] {
            assert!(Place::address(bad, false).is_err(), "{bad}");
            assert!(Place::address(bad, true).is_ok(), "{bad}");
        }
        for wrong in ["", "7742", "localhost:7742", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(Place::address(wrong, true).is_err(), "{wrong}");
        }
    }
}
