//! The runtime's own events (`--events`), as a hint to list earlier. Off by default, because
//! subscribing can do harm: on containerd 1.7 each event goes to one subscriber only, so we would
//! take the kubelet's; on containerd 2.x a subscriber that stops reading stalls the creation of
//! containers on the whole node. So: a connection and a thread of its own, that does nothing but
//! read and poke, and that can be stopped before the program is suspended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as std_mpsc};
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::Update;
use super::dial;
use super::error::{CriError, Kind};
use super::gate::{Gate, Pass};
use super::read::Reader;
use super::target::{Target, Timing};
use crate::domain::RuntimeVersion;
use crate::text::Text;

const SUBSCRIBE: &str = "/runtime.v1.RuntimeService/GetContainerEvents";
/// A stream that ends sooner than this was never meant to live: CRI-O without
/// `enable_pod_events` ends it at once.
const INSTANT: Duration = Duration::from_secs(1);
/// Longest wait for the thread to have closed its connection.
const STOPPING: Duration = Duration::from_millis(500);

/// The subscription: wanted, up, running or not.
#[derive(Debug)]
pub(super) struct Events {
    source: Source,
    state: Mutex<State>,
}

/// What the thread needs.
#[derive(Clone, Debug)]
struct Source {
    pass: Pass,
    target: Target,
    timing: Timing,
    hint: Arc<Notify>,
    out: mpsc::Sender<Update>,
}

#[derive(Debug, Default)]
struct State {
    /// The runtime is up.
    up: bool,
    /// The program is about to be suspended.
    paused: bool,
    /// The runtime has no events, or none for us: polling for good.
    over: bool,
    thread: Option<Thread>,
}

/// A running thread. Dropping `stop` ends it; `done` then disconnects.
#[derive(Debug)]
struct Thread {
    stop: oneshot::Sender<()>,
    done: std_mpsc::Receiver<()>,
}

impl Thread {
    /// Ends the thread and waits until its connection is closed.
    fn end(self) {
        drop(self.stop);
        let _ = self.done.recv_timeout(STOPPING);
    }
}

impl Events {
    /// A subscription that waits for [`Events::runtime_up`].
    pub fn new(
        pass: Pass,
        target: Target,
        timing: Timing,
        hint: Arc<Notify>,
        out: mpsc::Sender<Update>,
    ) -> Arc<Self> {
        let source = Source {
            pass,
            target,
            timing,
            hint,
            out,
        };
        Arc::new(Self {
            source,
            state: Mutex::default(),
        })
    }

    /// There is a runtime: subscribe, unless it is known to have no events.
    pub fn runtime_up(self: &Arc<Self>) {
        let mut state = self.state();
        state.up = true;
        self.settle(&mut state);
    }

    /// The connection is gone.
    pub fn runtime_down(self: &Arc<Self>) {
        let mut state = self.state();
        state.up = false;
        self.settle(&mut state);
    }

    /// Closes the subscription, and returns when it is closed (or half a second later): a
    /// suspended subscriber would stall the runtime. Subscribes again when no longer `paused`.
    pub fn pause(self: &Arc<Self>, paused: bool) {
        let ended = {
            let mut state = self.state();
            state.paused = paused;
            self.settle(&mut state)
        };
        // Not while the state is locked: the thread may need it to end.
        if let Some(thread) = ended {
            thread.end();
        }
    }

    #[cfg(test)]
    pub fn runs(&self) -> bool {
        self.state().thread.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread that should run; gives back one that should not, stopped when dropped.
    fn settle(self: &Arc<Self>, state: &mut State) -> Option<Thread> {
        let run = state.up && !state.paused && !state.over;
        match state.thread.take() {
            Some(thread) if !run => return Some(thread),
            None if run => state.thread = self.spawn(),
            thread => state.thread = thread,
        }
        None
    }

    fn spawn(self: &Arc<Self>) -> Option<Thread> {
        let (stop, stopped) = oneshot::channel();
        let (alive, done) = std_mpsc::channel();
        let source = self.source.clone();
        let this = Arc::downgrade(self);
        let work = move || {
            // Dropped last, when everything else of this thread is gone.
            let _alive = alive;
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            else {
                return;
            };
            let over = runtime.block_on(async {
                tokio::select! {
                    _ = stopped => None,
                    // Nobody is there any more to list because of an event.
                    () = source.out.closed() => None,
                    why = drain(&source) => Some(why),
                }
            });
            drop(runtime);
            if let (Some(why), Some(this)) = (over, this.upgrade()) {
                this.state().over = true;
                // Nobody waits for this line: better lost than a thread that hangs.
                let _ = source.out.try_send(Update::Notice(why));
            }
        };
        let spawned = std::thread::Builder::new()
            .name("events".into())
            .spawn(work);
        spawned.ok().map(|_| Thread { stop, done })
    }
}

/// containerd 1.7, which must not be subscribed to.
fn takes_events_away(version: &RuntimeVersion) -> bool {
    let number = version.version.as_str().trim_start_matches('v');
    version.name.as_str() == "containerd" && number.starts_with("1.7.")
}

/// How one subscription ended.
enum End {
    /// The runtime has no events; why.
    Never(&'static str),
    /// It was closed or could not be made: worth another try.
    Broken,
}

/// Reads events, over and over, until the runtime turns out to have none; says why.
async fn drain(source: &Source) -> Text {
    let mut pause = Retry::FIRST;
    loop {
        let began = Instant::now();
        match subscribe(source).await {
            End::Never(why) => {
                return Text::from(format!("--events is ignored: {why}; polling instead"));
            }
            End::Broken if began.elapsed() > Retry::LAST => pause = Retry::FIRST,
            End::Broken => (),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Retry::LAST);
    }
}

/// Bounds of the wait between two subscriptions.
struct Retry;

impl Retry {
    const FIRST: Duration = Duration::from_millis(500);
    const LAST: Duration = Duration::from_secs(10);
}

async fn subscribe(source: &Source) -> End {
    let dialled = dial::dial(&source.target, source.timing.deadline).await;
    let Ok((session, _watch)) = dialled else {
        return End::Broken;
    };
    let channel = session.runtime.clone();
    // Asked on this very connection: the runtime may have been replaced since the last one.
    let reader = Reader::new(&source.timing);
    reader.pick_up(session);
    match reader.version().await {
        Err(_) => return End::Broken,
        Ok(version) if takes_events_away(&version) => {
            return End::Never(
                "containerd 1.7 gives each event to one subscriber only and would no longer \
                 give them to the kubelet",
            );
        }
        Ok(_) => (),
    }
    let began = Instant::now();
    match read(source, channel).await {
        Ok(()) if began.elapsed() < INSTANT => {
            End::Never("the runtime ends the stream at once (CRI-O needs enable_pod_events)")
        }
        Err(status) if CriError::from_status("", &status).kind == Kind::Unimplemented => {
            End::Never("the runtime has no events")
        }
        _ => End::Broken,
    }
}

/// Reads until the stream ends. Nothing here waits for anybody else.
async fn read(source: &Source, channel: Channel) -> Result<(), Status> {
    let gate = Gate::open(channel, source.pass);
    let mut client = tonic::client::Grpc::new(gate);
    let ready = client.ready().await;
    ready.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static(SUBSCRIBE);
    // What an event says does not matter, so nothing of it is decoded.
    let codec = ProstCodec::<(), ()>::default();
    // No deadline: Go's servers send nothing, not even headers, before the first event.
    let answer = client.server_streaming(Request::new(()), path, codec);
    let mut events = answer.await?.into_inner();
    while let Some(event) = events.next().await {
        event?;
        source.hint.notify_one();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("containerd", "1.7.24", true)]
    #[case("containerd", "v1.7.23-k3s2", true)]
    #[case("containerd", "1.6.20~ds1", false)]
    #[case("containerd", "v2.1.7", false)]
    #[case("cri-o", "1.7.0", false)]
    fn only_containerd_1_7_takes_events_away(
        #[case] name: &str,
        #[case] version: &str,
        #[case] expected: bool,
    ) {
        let version = RuntimeVersion {
            name: Text::clean(name),
            version: Text::clean(version),
            api_version: Text::clean("v1"),
        };
        assert_eq!(takes_events_away(&version), expected);
    }
}
