//! What the program knows and how it changes: [`Model`], and [`update()`] from one message to
//! the next. Synchronous, without I/O: what is to be done outside is returned as [`Effect`]s.

pub mod act;
pub mod arrange;
pub mod arranging;
pub mod asked;
pub mod audit;
pub mod columns;
mod comfort;
pub mod command;
pub mod events;
pub mod exit;
mod fetch;
pub mod files;
pub mod filter;
pub mod forward;
pub mod help;
pub mod home;
pub mod inspect;
pub mod keymap;
pub mod lines;
pub mod list;
pub mod logs;
pub mod look;
mod messages;
mod mouse;
pub mod narrowing;
pub mod node;
mod noun;
pub mod palette;
mod panel;
pub mod prompt;
pub mod ran;
pub mod rows;
mod seen;
pub mod sorting;
pub mod stats;
pub mod store;
pub mod top;
pub mod trouble;
mod typing;
mod update;
pub mod visit;
pub mod why;

use std::time::Duration;

use jiff::Timestamp;

use crate::confine::Confined;
use crate::domain::{ContainerId, ImageId, PodId, RuntimeVersion};
use crate::journal::Kept;
use crate::link::Link;
use crate::text::Text;

pub use comfort::Comfort;
pub use events::EventsView;
pub use fetch::{Fetches, Target};
pub use home::Home;
pub use inspect::{About, DiffView, Inspections, TreeView};
pub use keymap::Keymap;
pub use logs::LogView;
pub use messages::{Changed, Effect, Mouse, Msg, Slot};
pub use noun::Noun;
pub use panel::Panel;
pub use prompt::Prompt;
pub use seen::{PageSeen, PanelSeen, Seen};
pub use stats::trends;
pub use store::Store;
pub use update::{fit, settle, turns, update, wake, wanted};

/// The time, twice: the wall clock for ages, which may jump, and one that cannot, for pauses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Wall clock.
    pub now: Timestamp,
    /// Since the program started.
    pub uptime: Duration,
}

/// Everything there is.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub struct Model {
    /// The time of the message that is being handled.
    pub clock: Clock,
    /// The node and the connection to its runtime.
    pub node: Node,
    /// Pods, containers, images.
    pub store: Store,
    /// Which key means what.
    pub keymap: Keymap,
    /// The home screen.
    pub home: Home,
    /// What lies above it, the topmost last.
    pub layers: Vec<Layer>,
    /// A line for a few seconds.
    pub toast: Option<Toast>,
    /// The line in which one types, if it is open.
    pub prompt: Option<Prompt>,
    /// The question before a change, if one is open.
    pub confirm: Option<act::Confirm>,
    /// Changes of the node.
    pub deeds: act::Deeds,
    /// Filters that were typed, the newest last.
    pub filters: Vec<String>,
    /// How the next view of logs looks.
    pub log_look: logs::Look,
    /// The end of the selection's log, for the preview.
    pub log_tail: Option<logs::Tail>,
    /// Commands for containers that were typed, the newest last.
    pub commands: Vec<String>,
    /// What was typed for changes, the newest last.
    pub asked: Vec<String>,
    /// Forwarded ports.
    pub forwards: forward::Forwards,
    /// The container that is looked at from outside.
    pub look: look::Look,
    /// What the runtime has told in full.
    pub inspections: Inspections,
    /// What everything uses.
    pub stats: stats::Board,
    /// How the node itself fares.
    pub node_look: node::NodeLook,
    /// Statuses being read.
    pub fetches: Fetches,
    /// Something is being saved.
    pub saving: bool,
    /// Mouse reports are on.
    pub mouse: bool,
    /// What makes it comfortable on this terminal.
    pub comfort: Comfort,
    /// Whether to end.
    pub leaving: bool,
    /// The last key asked to quit, and it was said what would end.
    pub asked_to_quit: bool,
    /// Files being copied out.
    pub copying: usize,
    /// Audits, and what auditors asked for.
    pub audit: audit::Audits,
    /// How often it was asked why.
    pub why_asked: u64,
}

/// The node, for the header.
#[derive(Debug)]
pub struct Node {
    /// Name of the node.
    pub name: Text,
    /// The socket, as crictl writes it.
    pub endpoint: Text,
    /// Where the endpoint was found.
    pub endpoint_source: Text,
    /// Who answers there.
    pub version: Option<RuntimeVersion>,
    /// Whether anybody does.
    pub link: Link,
    /// Why nothing may be changed; empty when things may be.
    pub read_only: Vec<Text>,
    /// Which of its rights this run has given up to the kernel, and which not, if it was asked to.
    pub kernel: Option<Confined>,
    /// Warnings of the start and notices since.
    pub notices: Vec<Text>,
    /// The worst pressure on the node, in words, if it is worth a word.
    pub pressure: Option<Text>,
}

/// One thing on the node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// A pod sandbox.
    Pod(PodId),
    /// One attempt of a container.
    Container(ContainerId),
    /// An image.
    Image(ImageId),
}

/// A page above the home screen.
#[derive(Debug)]
pub struct Layer {
    /// What it shows.
    pub page: Page,
    /// First line on the screen.
    pub scroll: usize,
}

/// What a page shows.
#[derive(Debug)]
pub enum Page {
    /// The keys.
    Help(help::Help),
    /// The facts about one thing.
    Summary(Subject),
    /// The notices of this run, the newest first.
    Notices,
    /// Logs, with a state of their own.
    Logs(Box<LogView>),
    /// The forwarded ports.
    Forwards,
    /// All that the runtime tells of something, as a tree.
    Tree(Box<TreeView>),
    /// What differs between two things.
    Diff(Box<DiffView>),
    /// The runtime.
    Runtime,
    /// What has happened.
    Events(Box<EventsView>),
    /// A container from outside.
    Inside(Box<visit::Visit>),
    /// Its files.
    Files(Box<files::Files>),
    /// A command in several containers.
    Ran(Box<ran::Ran>),
    /// The node itself.
    Node,
    /// What a pod or a container uses, over time.
    Top(Box<top::TopView>),
    /// Why something fares as it does.
    Why(Box<why::WhyView>),
    /// What could hurt.
    Audit(Box<audit::AuditView>),
    /// One finding of that.
    Finding(Box<audit::FindingView>),
    /// Lines of the node's files.
    Lines(Box<lines::LinesView>),
    /// The changes of this run.
    Deeds,
    /// Which columns a list shows.
    Columns(Box<arranging::Dialog>),
    /// The journal, once it was read, the newest first.
    Journal(Option<Result<Vec<Kept>, Text>>),
}

/// A line that goes away by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// The line.
    pub text: Text,
    /// When it goes, by [`Clock::uptime`].
    pub until: Duration,
}

impl Model {
    /// A model that knows nothing of the node's pods yet.
    pub fn new(node: Node, clock: Clock, keymap: Keymap) -> Self {
        Self {
            clock,
            node,
            store: Store::default(),
            keymap,
            home: Home::default(),
            layers: Vec::new(),
            toast: None,
            prompt: None,
            confirm: None,
            deeds: act::Deeds::default(),
            filters: Vec::new(),
            log_look: logs::Look::default(),
            log_tail: None,
            commands: Vec::new(),
            asked: Vec::new(),
            forwards: forward::Forwards::default(),
            look: look::Look::default(),
            inspections: Inspections::default(),
            stats: stats::Board::default(),
            node_look: node::NodeLook::default(),
            fetches: Fetches::default(),
            saving: false,
            mouse: false,
            comfort: Comfort::default(),
            leaving: false,
            asked_to_quit: false,
            copying: 0,
            audit: audit::Audits::default(),
            why_asked: 0,
        }
    }

    /// What the keys are about now.
    pub fn noun(&self) -> Noun {
        match self.layers.last().map(|layer| &layer.page) {
            None => self.home.focus.noun(),
            Some(Page::Logs(_)) => Noun::Logs,
            Some(Page::Forwards) => Noun::Forward,
            Some(Page::Tree(_)) => Noun::Tree,
            Some(Page::Events(_)) => Noun::Events,
            Some(Page::Inside(_)) => Noun::Inside,
            Some(Page::Files(_)) => Noun::File,
            Some(Page::Top(_)) => Noun::Stats,
            Some(Page::Node) => Noun::Node,
            Some(Page::Why(_)) => Noun::Why,
            Some(Page::Audit(_)) => Noun::Audit,
            Some(Page::Finding(_)) => Noun::Finding,
            Some(Page::Lines(_)) => Noun::Lines,
            Some(Page::Deeds) => Noun::Deed,
            Some(Page::Columns(_)) => Noun::Columns,
            Some(Page::Help(_)) => Noun::Help,
            Some(_) => Noun::Page,
        }
    }

    /// The view of logs, if it is on top.
    pub fn log(&self) -> Option<&LogView> {
        match &self.layers.last()?.page {
            Page::Logs(view) => Some(view),
            _ => None,
        }
    }

    /// The screen of statistics, if it is on top.
    pub fn top(&self) -> Option<&top::TopView> {
        match &self.layers.last()?.page {
            Page::Top(view) => Some(view),
            _ => None,
        }
    }

    fn top_mut(&mut self) -> Option<&mut top::TopView> {
        match &mut self.layers.last_mut()?.page {
            Page::Top(view) => Some(view),
            _ => None,
        }
    }

    /// A view of logs is somewhere on the screen's stack.
    pub fn reads_logs(&self) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|layer| matches!(layer.page, Page::Logs(_)))
    }

    fn log_mut(&mut self) -> Option<&mut LogView> {
        match &mut self.layers.last_mut()?.page {
            Page::Logs(view) => Some(view),
            _ => None,
        }
    }

    /// The topmost view of logs, whatever lies above it.
    fn any_log_mut(&mut self) -> Option<&mut LogView> {
        let mut layers = self.layers.iter_mut().rev();
        layers.find_map(|layer| match &mut layer.page {
            Page::Logs(view) => Some(&mut **view),
            _ => None,
        })
    }

    /// The view of events, if it is on top, and all of them.
    fn events_mut(&mut self) -> (Option<&mut EventsView>, &events::History) {
        let top = self.layers.last_mut().map(|layer| &mut layer.page);
        let view = match top {
            Some(Page::Events(view)) => Some(&mut **view),
            _ => None,
        };
        (view, self.store.history())
    }

    fn lines_mut(&mut self) -> Option<&mut lines::LinesView> {
        match &mut self.layers.last_mut()?.page {
            Page::Lines(view) => Some(view),
            _ => None,
        }
    }

    /// The view of a tree, if it is on top.
    pub fn tree(&self) -> Option<&TreeView> {
        match &self.layers.last()?.page {
            Page::Tree(view) => Some(view),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn tree_mut(&mut self) -> Option<&mut TreeView> {
        match &mut self.layers.last_mut()?.page {
            Page::Tree(view) => Some(view),
            _ => None,
        }
    }
}
