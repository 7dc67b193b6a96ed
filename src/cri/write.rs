//! Calls that change the node, or can: they pass an open gate, which takes the write grant.

use std::sync::Arc;
use std::time::Duration;

use k8s_cri::v1;
use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use tonic::transport::Channel;

use super::error::CriError;
use super::gate::{Gate, Pass};
use super::read::{LARGEST, Reader, request, within};
use super::stream::{Session, Size, StreamError, Trust, Tunnel, dial};
use crate::access::WriteGrant;
use crate::domain::{ContainerId, PodId};
use crate::text::Text;

/// Acts on the node: a cheap handle like [`Reader`], whose connection it shares.
#[derive(Clone, Debug)]
pub struct Writer {
    reader: Reader,
    pass: Pass,
    trust: Arc<Trust>,
}

/// What a one-shot command left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Exit code; 128 and more is a signal.
    pub code: i32,
    /// Standard output, as it came.
    pub stdout: Vec<u8>,
    /// Standard error, as it came.
    pub stderr: Vec<u8>,
}

impl Writer {
    /// What acts through the connection of `reader`, going where `trust` allows.
    pub fn new(reader: Reader, trust: Arc<Trust>, grant: &WriteGrant) -> Self {
        let pass = Pass::new(grant);
        Self {
            reader,
            pass,
            trust,
        }
    }

    /// Starts `command` in a container with a terminal of `size`, and opens a session with it.
    pub async fn shell(
        &self,
        id: &ContainerId,
        command: &[String],
        size: Size,
    ) -> Result<Session, StreamError> {
        let asked = v1::ExecRequest {
            container_id: id.as_str().to_owned(),
            cmd: command.to_vec(),
            tty: true,
            // Without it output gets lost, also when nothing is typed.
            stdin: true,
            stdout: true,
            stderr: false,
        };
        let mut session = self.exec(asked).await?;
        session.input.resize(size).await?;
        Ok(session)
    }

    /// Starts `command` in a container without a terminal, its output apart from its errors.
    /// `stdin` only if it reads that to its end: there is no way to tell it the end.
    pub async fn pipe(
        &self,
        id: &ContainerId,
        command: &[String],
        stdin: bool,
    ) -> Result<Session, StreamError> {
        let asked = v1::ExecRequest {
            container_id: id.as_str().to_owned(),
            cmd: command.to_vec(),
            tty: false,
            stdin,
            stdout: true,
            stderr: true,
        };
        self.exec(asked).await
    }

    async fn exec(&self, asked: v1::ExecRequest) -> Result<Session, StreamError> {
        const CALL: &str = "Exec";
        let deadline = self.reader.deadline();
        let mut client = self.client(CALL)?;
        let answer = client.exec(request(asked, deadline));
        let url = within(CALL, deadline, answer).await?.url;
        let socket = dial::connect(&url, &self.trust, deadline).await?;
        Ok(Session::new(socket))
    }

    /// Attaches to the process of a container. `size` if it has a terminal. `stdin` only if it
    /// reads its standard input.
    pub async fn attach(
        &self,
        id: &ContainerId,
        size: Option<Size>,
        stdin: bool,
    ) -> Result<Session, StreamError> {
        const CALL: &str = "Attach";
        let deadline = self.reader.deadline();
        let asked = v1::AttachRequest {
            container_id: id.as_str().to_owned(),
            tty: size.is_some(),
            stdin,
            stdout: true,
            stderr: size.is_none(),
        };
        let mut client = self.client(CALL)?;
        let answer = client.attach(request(asked, deadline));
        let url = within(CALL, deadline, answer).await?.url;
        let socket = dial::connect(&url, &self.trust, deadline).await?;
        let mut session = Session::new(socket);
        if let Some(size) = size {
            session.input.resize(size).await?;
        }
        Ok(session)
    }

    /// Opens one connection to a port of a pod.
    pub async fn tunnel(&self, id: &PodId, port: u16) -> Result<Tunnel, StreamError> {
        const CALL: &str = "PortForward";
        let deadline = self.reader.deadline();
        let asked = v1::PortForwardRequest {
            pod_sandbox_id: id.as_str().to_owned(),
            // The runtimes ignore ports in the URL.
            port: vec![port.into()],
        };
        let mut client = self.client(CALL)?;
        let answer = client.port_forward(request(asked, deadline));
        let url = within(CALL, deadline, answer).await?.url;
        let socket = dial::connect(&url, &self.trust, deadline).await?;
        Ok(Tunnel::new(socket))
    }

    /// Runs `command` to its end, at most for `limit`: then it is killed. Needs no streaming
    /// server. Each output may hold up to 16 MiB in all.
    pub async fn run(
        &self,
        id: &ContainerId,
        command: &[String],
        limit: Duration,
    ) -> Result<Outcome, CriError> {
        const CALL: &str = "ExecSync";
        let seconds = limit.as_secs().max(1);
        let asked = v1::ExecSyncRequest {
            container_id: id.as_str().to_owned(),
            cmd: command.to_vec(),
            timeout: i64::try_from(seconds).unwrap_or(i64::MAX),
        };
        // The runtime's own limit comes first, so that it is the runtime that ends the command.
        let deadline = Duration::from_secs(seconds) + self.reader.deadline();
        let mut client = self.client(CALL)?;
        let answer = client.exec_sync(request(asked, deadline));
        let answer = within(CALL, deadline, answer).await?;
        if answer.exit_code == -1 {
            // CRI-O's way to say that the time was up.
            return Err(CriError::timeout(CALL, limit));
        }
        Ok(Outcome {
            code: answer.exit_code,
            stdout: answer.stdout,
            stderr: answer.stderr,
        })
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(super) fn channel(&self, call: &str) -> Result<Gate<Channel>, CriError> {
        Ok(Gate::open(self.reader.runtime_line(call)?, self.pass))
    }

    pub(super) fn image_channel(&self, call: &str) -> Result<Gate<Channel>, CriError> {
        Ok(Gate::open(self.reader.image_line(call)?, self.pass))
    }

    pub(super) fn client(
        &self,
        call: &str,
    ) -> Result<RuntimeServiceClient<Gate<Channel>>, CriError> {
        let client = RuntimeServiceClient::new(self.channel(call)?);
        Ok(client.max_decoding_message_size(LARGEST))
    }
}

impl Outcome {
    /// Both outputs as text for people.
    pub fn text(&self) -> Vec<Text> {
        let stdout = String::from_utf8_lossy(&self.stdout);
        let stderr = String::from_utf8_lossy(&self.stderr);
        stdout
            .lines()
            .chain(stderr.lines())
            .map(Text::clean)
            .collect()
    }
}
