//! Connecting to a streaming server, with a diagnosis in words when that fails.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::StreamError;
use super::address::Address;
use super::told;
use crate::text::Text;

mod unseen;

/// The one sub-protocol that every runtime speaks; all refuse v5.
const PROTOCOL: &str = "v4.channel.k8s.io";
/// Largest message taken. Servers send 32 KiB at most.
const LARGEST: usize = 8 << 20;

/// What is connected.
pub(in crate::cri) trait Stream:
    AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug
{
}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Stream for T {}

/// A WebSocket after its handshake.
pub(in crate::cri) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Whom to trust beyond this machine.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    hosts: Vec<String>,
    verified: Option<Arc<ClientConfig>>,
}

impl Trust {
    /// Trusts these hosts, too.
    pub fn hosts(hosts: impl IntoIterator<Item = String>) -> Self {
        Self {
            hosts: hosts.into_iter().collect(),
            verified: None,
        }
    }

    /// Verifies every certificate by the authorities in the PEM file `path`.
    pub fn by_authority(mut self, path: &Path) -> Result<Self, Text> {
        let shown = path.display();
        let wrong = |error: &dyn fmt::Display| told(&format!("{shown}: {error}"));
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"holds no certificate in PEM form"));
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        self.verified = Some(Arc::new(config));
        Ok(self)
    }

    pub(super) fn allows(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known == host)
    }

    pub(super) fn verifies(&self) -> bool {
        self.verified.is_some()
    }
}

/// Connects to `url` after checking it.
pub(in crate::cri) async fn connect(
    url: &str,
    trust: &Trust,
    deadline: Duration,
) -> Result<Socket, StreamError> {
    let address = Address::parse(url)?;
    address.check(trust)?;
    let connected = timeout(deadline, shake_hands(&address, trust)).await;
    connected.unwrap_or_else(|_| {
        Err(StreamError::server(&format!(
            "the runtime's streaming server at {} did not answer within {deadline:?}",
            address.authority()
        )))
    })
}

async fn shake_hands(address: &Address, trust: &Trust) -> Result<Socket, StreamError> {
    let stream = open(address, trust).await?;
    let request = request(address)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let shaken = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    shaken
        .map(|(socket, _)| socket)
        .map_err(|error| refused(address, &error))
}

async fn open(address: &Address, trust: &Trust) -> Result<Box<dyn Stream>, StreamError> {
    let unreachable = |error: io::Error| unreachable(address, &error);
    let stream = TcpStream::connect((address.host.as_str(), address.port));
    let stream = stream.await.map_err(unreachable)?;
    // A keystroke is a packet of its own.
    stream.set_nodelay(true).map_err(unreachable)?;
    if !address.secure {
        return Ok(Box::new(stream));
    }
    let config = match &trust.verified {
        Some(config) => Arc::clone(config),
        None if address.is_loopback() => unseen::config(),
        // `Address::check` has refused it.
        None => {
            return Err(StreamError::address(
                "not opened: its certificate is unseen",
            ));
        }
    };
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|error| unreachable(io::Error::other(error)))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    Ok(Box::new(stream.map_err(unreachable)?))
}

fn request(address: &Address) -> Result<Request<()>, StreamError> {
    let host = address.authority();
    let request = Request::builder()
        .uri(format!("ws://{host}{}", address.path))
        .header("Host", host)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .header("Sec-WebSocket-Protocol", PROTOCOL)
        .body(());
    request.map_err(|error| {
        StreamError::address(&format!(
            "the runtime names a streaming URL that is none: {error}"
        ))
    })
}

fn unreachable(address: &Address, error: &io::Error) -> StreamError {
    let at = address.authority();
    let line = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!(
            "nothing listens at {at}, where the runtime says its streaming server is: it has died \
             or its port is blocked; restarting the runtime brings it back"
        ),
        _ if address.secure => {
            format!("no TLS with the runtime's streaming server at {at}: {error}")
        }
        _ => format!("the runtime's streaming server at {at} cannot be reached: {error}"),
    };
    StreamError::server(&line)
}

fn refused(address: &Address, error: &Error) -> StreamError {
    let at = address.authority();
    let line = match error {
        Error::Http(answer) => match answer.status().as_u16() {
            404 => format!(
                "the runtime's streaming server at {at} does not know its own URL (404): it is \
                 good once and for a minute; try again"
            ),
            403 => format!(
                "the runtime's streaming server at {at} refuses WebSocket with {PROTOCOL} (403)"
            ),
            401 => format!(
                "the runtime's streaming server at {at} wants a client certificate (401), which \
                 critui does not have"
            ),
            code => format!(
                "the runtime's streaming server at {at} refuses WebSocket with HTTP status {code}"
            ),
        },
        other => format!(
            "what listens at {at}, where the runtime says its streaming server is, does not speak \
             WebSocket: {other}"
        ),
    };
    StreamError::server(&line)
}
