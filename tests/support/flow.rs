//! The real loop against the simulated node, on its real socket, with a terminal in memory: keys
//! in, screens out. Everything that is waited for is a frame, so nothing sleeps.
//!
//! The loop is idle towards the keys when it has drawn a frame after it took the last of them;
//! each frame carries how many it had taken by then. Time stands still on the node and for the
//! program's clock until a test moves both; tokio's own clock is the real one, for it also guards
//! what goes through the socket to the node's thread.

use std::cell;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use critui::access::{Access, Reason};
use critui::app::{self, App};
use critui::clipboard::Clipboard;
use critui::config::look::Skin;
use critui::cri::stream::{Size, Trust};
use critui::cri::{Connection, SocketPath, Target, Timing};
use critui::demo::{self, DemoNode, Fault, Scenario};
use critui::host::pressure::Gauge;
use critui::journal::{Journal, Origin, Place};
use critui::layout::{FILE, Layout};
use critui::link::Link;
use critui::local::Tools;
use critui::model::{Clock, Keymap, Model, Node, arranging};
use critui::terminal::{Console, Keys, Surface};
use critui::theme::{Ability, Depth, Theme};
use crossterm::event::{Event, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use k8s_cri::v1::{self, runtime_service_client::RuntimeServiceClient};
use prost::bytes::Bytes;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Endpoint;

use super::typing::typed;

/// Long enough for any machine; reached only by a failure.
const LONG: Duration = Duration::from_secs(20);
const REFRESH: Duration = Duration::from_millis(250);

thread_local! {
    // A test's program runs on the test's own thread, so each has a clock of its own.
    static NOW: cell::Cell<Timestamp> = const { cell::Cell::new(Timestamp::UNIX_EPOCH) };
}

fn wall() -> Timestamp {
    NOW.get()
}

/// A frame, and what had happened by then.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What is on the screen.
    pub buffer: Buffer,
    /// Events taken from the input.
    taken: usize,
    /// How often the terminal was given back and how often drawn anew.
    suspended: usize,
    repainted: usize,
    /// Sequences that draw nothing.
    raw: Vec<u8>,
}

impl Shown {
    /// The lines of the screen.
    pub fn lines(&self) -> Vec<String> {
        let width = usize::from(self.buffer.area.width).max(1);
        let line = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect();
        self.buffer.content.chunks(width).map(line).collect()
    }

    /// The row under the cursor: the one that is reversed.
    pub fn selected(&self) -> Option<String> {
        let width = usize::from(self.buffer.area.width).max(1);
        let reversed = |cells: &&[Cell]| {
            let marked = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
            cells.iter().any(marked)
        };
        let rows: Vec<_> = self.buffer.content.chunks(width).collect();
        // The header and the footer select nothing.
        let body = rows.get(1..rows.len().saturating_sub(1))?;
        let row = body.iter().copied().find(reversed)?;
        Some(row.iter().map(Cell::symbol).collect())
    }

    fn sees(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }
}

/// A terminal in memory.
struct Memory {
    terminal: Terminal<TestBackend>,
    shown: watch::Sender<Shown>,
    taken: Arc<AtomicUsize>,
    inside: Arc<Inside>,
}

/// The other end of a terminal that was lent to a container.
#[derive(Default)]
struct Inside {
    typing: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    /// Everything that was shown there, of all visits.
    shown: watch::Sender<String>,
}

/// What is typed, as the program takes it.
struct Typed<I>(I);

impl<I: Stream<Item = io::Result<Event>> + Unpin> Keys for Typed<I> {}

impl<I: Stream<Item = io::Result<Event>> + Unpin> Stream for Typed<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl Surface for Memory {
    type Backend = TestBackend;

    fn terminal(&mut self) -> &mut Terminal<TestBackend> {
        &mut self.terminal
    }

    fn present(&mut self) {
        let buffer = self.terminal.backend().buffer().clone();
        let taken = self.taken.load(Ordering::Relaxed);
        self.shown.send_modify(|shown| {
            shown.buffer = buffer;
            shown.taken = taken;
        });
    }

    fn ready(&self) -> io::Result<bool> {
        Ok(true)
    }

    async fn changed(&mut self) {
        std::future::pending::<()>().await;
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.shown.send_modify(|shown| shown.suspended += 1);
        Ok(())
    }

    fn lend(&mut self) -> io::Result<Console> {
        let (typing, typed) = mpsc::channel(16);
        let (shown, mut showing) = mpsc::channel::<Bytes>(16);
        let area = self.terminal.size().map_err(io::Error::other)?;
        let size = Size {
            columns: area.width,
            rows: area.height,
        };
        *self.inside.typing.lock().expect("no panic") = Some(typing);
        let inside = Arc::clone(&self.inside);
        tokio::spawn(async move {
            while let Some(bytes) = showing.recv().await {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                inside.shown.send_modify(|shown| *shown += &text);
            }
        });
        Ok(Console {
            typed,
            shown,
            size: watch::channel(size).1,
        })
    }

    fn step_aside(&mut self) {}

    fn take_back(&mut self) -> io::Result<()> {
        *self.inside.typing.lock().expect("no panic") = None;
        self.repaint()
    }

    fn raw(&mut self, sequence: &[u8]) -> io::Result<()> {
        self.shown
            .send_modify(|shown| shown.raw.extend_from_slice(sequence));
        Ok(())
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.shown.send_modify(|shown| shown.repainted += 1);
        self.terminal.clear().map_err(io::Error::other)
    }
}

/// How to start.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Start {
    /// Which story.
    pub scenario: &'static str,
    /// Size of the terminal.
    pub size: (u16, u16),
    /// With `--read-only`.
    pub read_only: bool,
    /// With `--mask-always`.
    pub mask_always: bool,
    /// With `--events`.
    pub events: bool,
    /// Longest wait for an answer.
    pub deadline: Duration,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// What the header says once everything has been read.
    pub full: &'static str,
    /// Colours.
    pub depth: Depth,
    /// Pager and editor.
    pub tools: Tools,
    /// With `--low-bandwidth`.
    pub slow: bool,
    /// The first start of this user.
    pub first: bool,
    /// Themes of the user's own: name and source.
    pub themes: Vec<(&'static str, &'static str)>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            scenario: "node",
            size: (120, 40),
            read_only: false,
            mask_always: false,
            events: false,
            deadline: Duration::from_secs(10),
            faults: vec![],
            full: "6 in trouble",
            depth: Depth::True,
            tools: Tools::default(),
            slow: false,
            first: false,
            themes: vec![],
        }
    }
}

/// When the stories begin.
pub fn start_of_time() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().expect("a time")
}

/// A simulated node that a program can be opened on.
pub fn node(start: &Start) -> DemoNode {
    let options = demo::Options {
        clock: demo::Clock::manual(start_of_time()),
        faults: start.faults.clone(),
        ..demo::Options::default()
    };
    let scenario = Scenario::named(start.scenario).expect("a scenario");
    DemoNode::start(&scenario, options).expect("it starts")
}

/// A running program and its user.
pub struct Flow {
    runtime: Runtime,
    pub demo: DemoNode,
    program: Program,
}

struct Program {
    input: mpsc::UnboundedSender<io::Result<Event>>,
    sent: usize,
    shown: watch::Receiver<Shown>,
    inside: Arc<Inside>,
    app: JoinHandle<io::Result<()>>,
}

/// Opens the program on the simulated node and waits until everything is there.
pub fn opened(start: &Start) -> Flow {
    let mut flow = opening(start);
    flow.wait_full(start.full);
    flow
}

/// Opens the program on the simulated node.
pub fn opening(start: &Start) -> Flow {
    let demo = node(start);
    NOW.set(start_of_time());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // What a case does with them must not depend on how quick the disk is.
    runtime.block_on(demo.files_written());
    let program = runtime.block_on(async { Program::start(&demo, start) });
    Flow {
        runtime,
        demo,
        program,
    }
}

/// The default program, opened, and these keys typed.
pub fn flow(keys: &str) -> Flow {
    opened(&Start::default()).types(keys)
}

/// Does the same with each of `cases`, each in a program of its own on one node.
pub fn each<C: Copy + std::fmt::Debug>(start: &Start, cases: &[C], check: fn(Flow, C) -> Flow) {
    let mut flow = opened(start);
    for case in cases {
        // Shown when it fails, the failing one last.
        println!("case {case:?}");
        flow = check(flow, *case).again(start);
    }
}

impl Program {
    fn start(demo: &DemoNode, start: &Start) -> Self {
        let taken = Arc::new(AtomicUsize::new(0));
        let (shown, showing) = watch::channel(Shown::default());
        let inside = Arc::new(Inside::default());
        let backend = TestBackend::new(start.size.0, start.size.1);
        let surface = Memory {
            terminal: Terminal::new(backend).expect("a terminal"),
            shown,
            taken: Arc::clone(&taken),
            inside: Arc::clone(&inside),
        };
        let (input, events) = mpsc::unbounded_channel();
        let count = move |_: &io::Result<Event>| {
            taken.fetch_add(1, Ordering::Relaxed);
        };
        let events = Typed(UnboundedReceiverStream::new(events).inspect(count));
        let app = tokio::spawn(app(demo, start, surface, events).run());
        Self {
            input,
            sent: 0,
            shown: showing,
            inside,
            app,
        }
    }

    fn send(&mut self, event: Event) {
        // A program that has ended takes no more.
        let _ = self.input.send(Ok(event));
        self.sent += 1;
    }

    /// Waits for a frame that shows the effect of all that was typed and holds `wanted`; `Err` if
    /// the program ends or takes too long.
    async fn wait(&mut self, wanted: impl Fn(&Shown) -> bool) -> Result<Shown, &'static str> {
        let sent = self.sent;
        let done = |shown: &Shown| shown.taken >= sent && wanted(shown);
        match timeout(LONG, self.shown.wait_for(done)).await {
            Ok(Ok(shown)) => Ok(shown.clone()),
            Ok(Err(_)) => Err("the program has ended"),
            Err(_) => Err("it did not come"),
        }
    }
}

fn app<I>(demo: &DemoNode, start: &Start, surface: Memory, input: I) -> App<Memory, I>
where
    I: Keys,
{
    let host = demo.host().expect("its root");
    let socket = demo.socket().strip_prefix(demo.host_root()).expect("below");
    let socket = SocketPath::new(std::path::Path::new("/").join(socket));
    let target = Target {
        image: socket.clone(),
        runtime: socket.clone(),
        host: host.clone(),
    };
    let timing = Timing {
        deadline: start.deadline,
        refresh: REFRESH,
        clock: wall,
    };
    let reasons = if start.read_only {
        vec![Reason::Flag]
    } else {
        vec![]
    };
    let read_only = reasons.iter().map(|why| why.to_string().into()).collect();
    let access = Access::decide(reasons);
    let (out, updates) = mpsc::channel(64);
    let grant = access.grant().cloned();
    let events = grant.as_deref().filter(|_| start.events);
    let connection = Connection::start(target, timing, events, out);
    let node = Node {
        name: "worker-3".into(),
        endpoint: socket.shown().clone(),
        endpoint_source: "--demo".into(),
        version: None,
        link: Link::Connecting,
        read_only,
        notices: vec![],
        kernel: None,
        pressure: None,
    };
    let clock = Clock {
        now: wall(),
        uptime: Duration::ZERO,
    };
    let mut model = Model::new(node, clock, Keymap::default());
    (model.audit.mask_always, model.audit.quiet) = (start.mask_always, start.mask_always);
    let ability = Ability {
        depth: start.depth,
        unicode: true,
    };
    let layout = std::fs::read_to_string(layout_of(demo)).unwrap_or_default();
    let layout = Layout::parse(&layout).unwrap_or_default();
    arranging::take(&mut model, &layout).expect("what was written");
    model.comfort.hint &= start.first;
    (model.comfort.slow, model.home.arranged.still) = (start.slow, start.slow);
    let skin = |(name, source): &(&str, &str)| {
        Skin::parse("/t".into(), source).map(|skin| skin.called(name))
    };
    let own: Vec<Skin> = start
        .themes
        .iter()
        .map(skin)
        .collect::<Result<_, _>>()
        .expect("themes");
    model.comfort.own_themes = own.iter().map(|skin| skin.name.clone()).collect();
    App {
        model,
        theme: Theme::named("default", ability).expect("a theme"),
        looks: app::Looks::new(own, Ok(layout_of(demo))),
        surface,
        input,
        connection,
        updates,
        // Nobody watches them: its sender is gone.
        settings: mpsc::channel(1).1,
        gauge: Gauge::new(host),
        grant,
        clipboard: Clipboard::Direct,
        inside: app::Inside::new(Trust::default(), start.tools.clone(), journal(demo)),
        started: Instant::now(),
        wall,
    }
}

/// What the screen remembers on the simulated node.
pub fn layout_of(demo: &DemoNode) -> PathBuf {
    demo.host_root().join(".local/state").join(FILE)
}

/// The journal of the simulated node.
fn journal(demo: &DemoNode) -> Journal {
    let place = Place {
        path: Some(journal_of(demo)),
        ..Place::default()
    };
    Journal::new(place, "worker-3".into(), Origin::default())
}

/// Where it is.
pub fn journal_of(demo: &DemoNode) -> PathBuf {
    demo.host_root().join("var/log/critui/journal.jsonl")
}

impl Flow {
    /// Types, and waits until the program has taken it and drawn.
    pub fn types(self, keys: &str) -> Self {
        self.presses(typed(keys))
    }

    /// The same with key events.
    pub fn presses(mut self, keys: Vec<KeyEvent>) -> Self {
        for key in keys {
            self.program.send(Event::Key(key));
        }
        self.wait("the keys to be taken", |_| true);
        self
    }

    /// Does something beside the program, which goes on meanwhile.
    pub fn beside<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Presses keys that give the terminal to a container.
    pub fn enters(mut self, keys: &str) -> Self {
        for key in typed(keys) {
            self.program.send(Event::Key(key));
        }
        self
    }

    /// Waits until `text` was shown there.
    pub fn reads(self, text: &str) -> Self {
        let mut shown = self.program.inside.shown.subscribe();
        let found = self.runtime.block_on(async {
            timeout(LONG, shown.wait_for(|shown| shown.contains(text)))
                .await
                .is_ok()
        });
        let all = self.program.inside.shown.borrow().clone();
        assert!(found, "no {text:?} in the container; there is {all:?}");
        self
    }

    /// Types there.
    pub fn says(self, bytes: &str) -> Self {
        let typing = self.program.inside.typing.lock().expect("no panic").clone();
        let typing = typing.expect("the terminal is lent");
        let sent = self
            .runtime
            .block_on(typing.send(bytes.as_bytes().to_vec()));
        sent.expect("somebody reads");
        self
    }

    /// Uses the mouse at a place.
    pub fn mouse(mut self, kind: MouseEventKind, (column, row): (u16, u16)) -> Self {
        self.program.send(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }));
        self.wait("a frame after the mouse", |_| true);
        self
    }

    /// Waits until `text` stands in a line of the screen.
    pub fn sees(mut self, text: &str) -> Self {
        self.wait(&format!("{text:?}"), |shown| shown.sees(text));
        self
    }

    /// Waits until `text` stands nowhere on the screen.
    pub fn misses(mut self, text: &str) -> Self {
        self.wait(&format!("no {text:?}"), |shown| !shown.sees(text));
        self
    }

    /// Waits until the row under the cursor holds `text`.
    pub fn selects(mut self, text: &str) -> Self {
        let holds = |shown: &Shown| shown.selected().is_some_and(|row| row.contains(text));
        self.wait(&format!("the cursor on {text:?}"), holds);
        self
    }

    /// Waits until the first row of the upper list starts with `text`.
    pub fn starts_with(mut self, text: &str) -> Self {
        // Below the header, the title and the heads; after the glyph.
        let first = |shown: &Shown| {
            shown
                .lines()
                .get(3)
                .map(|line| line.chars().skip(2).collect())
        };
        let holds = |row: Option<String>| row.is_some_and(|row| row.starts_with(text));
        self.wait(&format!("{text:?} at the top"), |shown| holds(first(shown)));
        self
    }

    /// Waits until the terminal was given back and drawn anew so often.
    pub fn has_left_and_repainted(mut self, suspended: usize, repainted: usize) -> Self {
        self.wait("the terminal to be given back or drawn anew", |shown| {
            (shown.suspended, shown.repainted) == (suspended, repainted)
        });
        self
    }

    /// Does something to the node.
    pub fn node(self, act: impl FnOnce(&DemoNode)) -> Self {
        act(&self.demo);
        self
    }

    /// Somebody else removes a pod.
    pub fn removes(self, name: &str) -> Self {
        let socket = format!("unix://{}", self.demo.socket().display());
        self.runtime.block_on(async {
            let endpoint = Endpoint::from_shared(socket).expect("an endpoint");
            let channel = endpoint.connect().await.expect("the node listens");
            let mut runtime = RuntimeServiceClient::new(channel);
            let all = v1::ListPodSandboxRequest::default();
            let pods = runtime.list_pod_sandbox(all).await.expect("a list");
            let named =
                |pod: &v1::PodSandbox| pod.metadata.as_ref().is_some_and(|m| m.name == name);
            let pod = pods.into_inner().items.into_iter().find(named);
            let pod_sandbox_id = pod.expect("the pod").id;
            let stop = v1::StopPodSandboxRequest {
                pod_sandbox_id: pod_sandbox_id.clone(),
            };
            runtime.stop_pod_sandbox(stop).await.expect("it stops");
            let remove = v1::RemovePodSandboxRequest { pod_sandbox_id };
            runtime.remove_pod_sandbox(remove).await.expect("it goes");
        });
        self
    }

    /// Time passes on the node and here.
    pub fn passes(mut self, by: Duration) -> Self {
        self.demo.advance(by);
        NOW.set(NOW.get().checked_add(by).expect("a time"));
        // The program's timers run by the real clock: tell it to look.
        self.program.send(Event::Resize(0, 0));
        self.wait("a frame at the new time", |_| true);
        self
    }

    /// Types, and waits until the program has ended well.
    pub fn quits(mut self, keys: &str) {
        for key in typed(keys) {
            self.program.send(Event::Key(key));
        }
        let app = self.program.app;
        let ended = self.runtime.block_on(async { timeout(LONG, app).await });
        let ended = ended.expect("it ends").expect("without a panic");
        ended.expect("without an error");
    }

    /// Whether the program has ended.
    pub fn ended(&self) -> bool {
        self.program.app.is_finished()
    }

    /// What is on the screen now.
    pub fn shown(&self) -> Shown {
        self.program.shown.borrow().clone()
    }

    /// Types random keys one by one; when the program ends by them it is started again.
    pub fn hammers(mut self, start: &Start, keys: &[KeyEvent]) -> Self {
        for key in keys {
            self.program.send(Event::Key(*key));
            let taken = self.runtime.block_on(self.program.wait(|_| true));
            if taken.is_err() {
                self = self.restarts(start);
            }
        }
        self
    }

    /// The same with events of any kind, a burst at a time; how many of them were taken.
    pub fn hammers_with(mut self, start: &Start, bursts: &[Vec<Event>]) -> (Self, usize) {
        let mut taken = 0;
        for burst in bursts {
            for event in burst {
                self.program.send(event.clone());
            }
            let shown = self.runtime.block_on(self.program.wait(|_| true));
            match shown {
                Ok(_) => taken += burst.len(),
                // Somewhere in it was a key that quits.
                Err(_) => self = self.restarts(start),
            }
        }
        (self, taken)
    }

    fn restarts(mut self, start: &Start) -> Self {
        let app = &mut self.program.app;
        let ended = self.runtime.block_on(async { timeout(LONG, app).await });
        let ended = ended.expect("it takes keys or ends");
        ended.expect("without a panic").expect("without an error");
        self.again(start)
    }

    /// The program anew on the same node, whether the old one has ended or not.
    pub fn again(mut self, start: &Start) -> Self {
        self.program.app.abort();
        let program = async { Program::start(&self.demo, start) };
        self.program = self.runtime.block_on(program);
        self.wait_full(start.full);
        self
    }

    /// Waits until the node has received a list that was asked for after all that was done.
    pub fn lists_once_more(mut self) -> Self {
        let lists = |demo: &DemoNode| {
            let calls = demo.recording();
            calls
                .iter()
                .filter(|call| call.method() == "ListPodSandbox")
                .count()
        };
        let before = lists(&self.demo);
        let _ = self.program.input.send(Ok(Event::Resize(0, 0)));
        let end = std::time::Instant::now() + LONG;
        while lists(&self.demo) < before + 2 {
            assert!(
                std::time::Instant::now() < end,
                "the lists are not read again"
            );
            // Each round of lists takes the loop through its channels.
            self.runtime
                .block_on(async { tokio::time::sleep(REFRESH / 10).await });
        }
        self.program.sent += 1;
        self
    }

    fn wait_full(&mut self, full: &str) {
        self.wait("pods, containers and images", |shown| {
            let texts = ["1 Pods 1/", "2 Containers ", "3 Images 1/", full];
            texts.iter().all(|text| shown.sees(text))
        });
    }

    fn wait(&mut self, what: &str, wanted: impl Fn(&Shown) -> bool) {
        if let Err(why) = self.runtime.block_on(self.program.wait(wanted)) {
            let lines = self.shown().lines().join("\n");
            panic!("waiting for {what}: {why}; the screen:\n{lines}");
        }
    }
}
