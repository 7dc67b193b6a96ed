//! Ports of pods on this node: listeners here, and for each connection a stream of its own into
//! the pod. They end with the program, whatever it ends by.

use std::io;
use std::net::{SocketAddr, TcpListener as Bound};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::cri::Writer;
use crate::cri::stream::Counted;
use crate::domain::PodId;
use crate::host::holder;
use crate::model::forward::{Asked, Forward, Ports};
use crate::text::Text;

/// Connections at once through one port; more wait to be accepted.
const MOST: usize = 256;

/// All open ports. Dropping it closes them.
#[derive(Debug, Default)]
pub struct Forwards {
    running: Vec<Running>,
    last: u32,
}

#[derive(Debug)]
struct Running {
    id: u32,
    title: Text,
    ports: Ports,
    told: Arc<Told>,
    task: JoinHandle<()>,
}

/// What one port has seen.
#[derive(Debug, Default)]
struct Told {
    counted: Counted,
    open: AtomicU64,
    total: AtomicU64,
    problem: Mutex<Option<Text>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its connections go with it.
        self.task.abort();
    }
}

impl Forwards {
    /// Opens the ports that are asked for: all of them, or none. One line about it.
    pub fn open(&mut self, asked: &Asked, writer: &Writer) -> Result<Text, Text> {
        let listeners = asked
            .ports
            .iter()
            .map(|ports| listen(*ports))
            .collect::<Result<Vec<_>, _>>()?;
        let mut lines = Vec::new();
        for (listener, ports) in listeners {
            self.last += 1;
            let told = Arc::<Told>::default();
            let into = Into {
                writer: writer.clone(),
                pod: asked.pod.clone(),
                port: ports.remote,
                told: Arc::clone(&told),
            };
            let at = SocketAddr::new(ports.bind, ports.local);
            lines.push(format!("{at} leads to port {}", ports.remote));
            self.running.push(Running {
                id: self.last,
                title: asked.title.clone(),
                ports,
                told,
                task: tokio::spawn(into.accept(listener)),
            });
        }
        Ok(Text::clean(&format!(
            "{} of {}",
            lines.join(", "),
            asked.title
        )))
    }

    /// Closes one.
    pub fn stop(&mut self, id: u32) {
        self.running.retain(|running| running.id != id);
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.running.clear();
    }

    /// What they have seen so far.
    pub fn list(&self) -> Vec<Forward> {
        self.running.iter().map(Running::told).collect()
    }
}

impl Running {
    fn told(&self) -> Forward {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let told = &self.told;
        let problem = told.problem.lock().unwrap_or_else(PoisonError::into_inner);
        Forward {
            id: self.id,
            title: self.title.clone(),
            ports: self.ports,
            open: count(&told.open),
            total: count(&told.total),
            sent: count(&told.counted.sent),
            received: count(&told.counted.received),
            problem: problem.clone(),
        }
    }
}

/// Listens; the error says who does already.
fn listen(mut ports: Ports) -> Result<(TcpListener, Ports), Text> {
    let at = SocketAddr::new(ports.bind, ports.local);
    let bound = Bound::bind(at).and_then(|bound| {
        bound.set_nonblocking(true)?;
        ports.local = bound.local_addr()?.port();
        TcpListener::from_std(bound)
    });
    bound.map(|listener| (listener, ports)).map_err(|error| {
        let line = match error.kind() {
            io::ErrorKind::AddrInUse => match holder::of_port(ports.local) {
                Some(holder) => format!("port {} is in use by {holder}", ports.local),
                None => format!("port {} is in use", ports.local),
            },
            io::ErrorKind::PermissionDenied => {
                format!(
                    "port {} may be opened by root only: take one above 1023",
                    ports.local
                )
            }
            io::ErrorKind::AddrNotAvailable => format!("{} is no address of this node", ports.bind),
            _ => format!("{at} cannot be opened: {error}"),
        };
        Text::clean(&line)
    })
}

/// Where connections lead.
#[derive(Debug)]
struct Into {
    writer: Writer,
    pod: PodId,
    port: u16,
    told: Arc<Told>,
}

impl Into {
    async fn accept(self, listener: TcpListener) {
        let into = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            let room = connections.len() < MOST;
            tokio::select! {
                accepted = listener.accept(), if room => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(Arc::clone(&into).carry(stream));
                    }
                    // Out of descriptors, most likely: one is given back by and by.
                    Err(error) => {
                        into.wrong(Text::clean(&error.to_string()));
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
    }

    async fn carry(self: Arc<Self>, stream: TcpStream) {
        let _open = Open::new(&self.told);
        // Small messages go at once, as without a forward.
        let _ = stream.set_nodelay(true);
        let carried = match self.writer.tunnel(&self.pod, self.port).await {
            Ok(tunnel) => tunnel.carry(stream, &self.told.counted).await,
            Err(error) => Err(error),
        };
        if let Err(error) = carried {
            self.wrong(Text::clean(&error.to_string()));
        }
    }

    fn wrong(&self, problem: Text) {
        let mut last = self
            .told
            .problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(problem);
    }
}

/// A connection that is counted while it is there.
struct Open<'a>(&'a Told);

impl<'a> Open<'a> {
    fn new(told: &'a Told) -> Self {
        told.open.fetch_add(1, Ordering::Relaxed);
        told.total.fetch_add(1, Ordering::Relaxed);
        Self(told)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
