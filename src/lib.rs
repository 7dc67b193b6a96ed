//! critui: a terminal UI for Kubernetes nodes that speaks CRI to the container runtime.
//!
//! # The map
//!
//! ```text
//! keys, resizes ─┐                               ┌─> views::draw(&Model, &Theme) -> Seen
//! time, signals ─┼─> Msg ─> model::update() ─> Effect ─> app: jobs, connection, terminal
//! connection   ──┘      (&mut Model, &Seen)                                     │
//!       └──────────────────── Msg <─────────────────────────────────────────────┘
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`app`] | the loop: the one `select!`, generic over surface and input, so that tests drive it |
//! | [`model`] | what is known ([`model::Store`]), what is shown ([`model::Home`]), how a message changes both, the table of commands, the columns |
//! | [`views`], [`widgets`] | from the model to the screen |
//! | [`cri`] | the connection: dialling, the gate, lists that reuse what did not change, polling; streams into containers |
//! | [`config`], [`cli`] | flags, environment, files; where each value comes from |
//! | [`logs`], [`logs_command`] | log files: one timeline, searched, followed, woven, printed; the thread that keeps a window on it for a screen |
//! | [`access`] | the write grant |
//! | [`confine`] | `--read-only`: what the kernel is asked to refuse |
//! | [`act`], [`journal`] | what can be done to the node, and the file that keeps what was |
//! | [`tree`] | all that a runtime tells of one thing |
//! | [`registry`] | references to images, and credentials that this node's files hold |
//! | [`spec_file`] | files that say what pod or container to make |
//! | [`mask`] | secrets: what is one, and what stands in its place |
//! | [`host`] | what the node's own files say, through the one opener |
//! | [`snapshot`], [`inspect_command`] | reports: of the whole node, of one thing |
//! | [`manual`] | completions of shells and manual pages |
//! | [`snapshot`], [`top`], [`triage_command`] | the reports |
//! | [`triage`], [`gather`] | why something is wrong: pure rules over facts, and who gathers the facts |
//! | [`audit`], [`audit_command`] | what could hurt: pure checks over facts, levels, reports; the baseline |
//! | [`stats`] | rates, histories, the numbers of a row: pure |
//! | [`demo`] | the simulated node, reached like any other |
//! | [`clipboard`] | what is copied, as the terminal takes it |
//! | [`shell`] | a shell in a container: what happens between the terminal and a stream |
//! | [`forward`] | ports of pods on this node |
//! | [`local`] | programs of this node that get the terminal: a pager, an editor, a shell in namespaces of a pod |
//! | [`layout`] | what the screen remembers from one run to the next |
//! | [`terminal`] | raw mode, the alternate screen, the thread that writes |
//! | [`domain`], [`link`], [`text`], [`paint`], [`mod@format`], [`keys`], [`theme`] | leaves: vocabulary of all |
//!
//! # Invariants
//!
//! - **One owner of state, one way round.** `update` is synchronous and does no I/O; it returns
//!   effects. `draw` takes `&Model`; what the next update must know of the screen comes back as
//!   [`model::Seen`]. Nothing is awaited in the loop except its one `select!`.
//! - **Cost follows change.** A list is read while it comes in, each item is hashed, and decoded
//!   only if its hash is new; what is passed on is what came and what went, and the store rebuilds
//!   the rows of those pods alone. Lists are sorted before a frame, not at each message.
//! - **Identity is the id**, never the place. While keys are being pressed rows keep their places.
//! - **Nothing is drawn without a reason**: a message, or a moment that the last frame named as the
//!   next at which it changes by itself (`Seen::wake_at`). Ages tick by seconds only below a
//!   minute, all others together at the full minute, and wait a moment for data.
//! - **A log is never in memory.** The model holds a window of lines, and declares what it wants of
//!   which log; the loop starts and ends the threads that read. Both ways hold the newest only, so
//!   a log that grows faster than it can be drawn costs frames, never memory.
//! - **Nothing from the node is trusted.** Whatever a view or a report can see is a
//!   [`text::Text`], and there is one way to make one.
//! - **Read-only is three locks**: the type [`access::WriteGrant`], the allow-list
//!   [`cri::gate`] in front of every byte that leaves, and tests that classify each method.
//! - **Import arrows**, checked by a test: `views` and `widgets` never see tokio, tonic or `cri`;
//!   `widgets` know only ratatui and the theme; `cri` imports nothing above it; `triage` and `audit`
//!   know facts and nobody who gathers them; colours are named
//!   in the theme alone.
//!
//! # Where this departs from the first design, on purpose
//!
//! - The domain types and the sanitiser are leaves of their own, not parts of `cri`: views, model
//!   and later triage need them without knowing the wire.
//! - `config` knows the model's tables, commands and columns, to tell a mistake in a settings file
//!   with its line; the model does not know `config`.
//! - The columns live in the model: sorting is state, and a filter must see the text of a cell.
//! - Statuses are effects, not feeds: each is read once, so there is nothing to keep running.
//! - Lists and containers' statistics are read below tonic's codec, which gathers a whole message:
//!   `cri::pieces` takes the items out of gRPC's frames as they come. A large node's lists never are
//!   in memory as one message, and what is read is still in the processor's cache.
//! - The connection has a thread and an event loop of its own: decoding the list of a large node
//!   takes longer than a key may wait.
//! - The first frame waits 8 ms for the first lists: a runtime that answers at once, as nearly all
//!   do, spares the terminal a frame that says only that it is being asked.

pub mod access;
pub mod act;
pub mod app;
pub mod audit;
pub mod audit_command;
pub mod cli;
pub mod clipboard;
pub mod config;
pub mod confine;
pub mod cri;
pub mod demo;
pub mod domain;
pub mod format;
pub mod forward;
pub mod gather;
pub mod host;
pub mod inspect_command;
pub mod journal;
pub mod keys;
pub mod layout;
pub mod link;
pub mod local;
pub mod logs;
pub mod logs_command;
pub mod manual;
pub mod mask;
pub mod model;
pub mod paint;
pub mod registry;
pub mod shell;
pub mod snapshot;
pub mod spec_file;
pub mod stats;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod top;
pub mod tree;
pub mod triage;
pub mod triage_command;
pub mod views;
pub mod widgets;
