//! What the program knows and how it changes: [`Model`], and [`update()`] from one message to
//! the next. Synchronous, without I/O: what is to be done outside is returned as [`Effect`]s.

pub mod columns;
pub mod command;
pub mod exit;
mod fetch;
pub mod filter;
pub mod forward;
pub mod home;
pub mod keymap;
pub mod list;
pub mod look;
mod mouse;
pub mod narrowing;
pub mod palette;
pub mod prompt;
pub mod rows;
pub mod sorting;
pub mod store;
pub mod trouble;
mod typing;
mod update;
pub mod visit;

use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::{Rect, Size};

use crate::cri::{Update, Wanted};
use crate::domain::{
    ContainerDetail, ContainerId, ContainerState, ImageId, PodDetail, PodId, RuntimeVersion,
};
use crate::keys::Key;
use crate::link::Link;
use crate::text::Text;

pub use fetch::{Fetches, Target};
pub use home::{Home, Panel};
pub use keymap::Keymap;
pub use prompt::Prompt;
pub use store::Store;
pub use update::{fit, settle, update, wake, wanted};

/// The time, twice: the wall clock for ages, which may jump, and one that cannot, for pauses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Wall clock.
    pub now: Timestamp,
    /// Since the program started.
    pub uptime: Duration,
}

/// Everything there is.
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
    /// Filters that were typed, the newest last.
    pub filters: Vec<String>,
    /// Commands for containers that were typed, the newest last.
    pub commands: Vec<String>,
    /// Forwarded ports.
    pub forwards: forward::Forwards,
    /// The container that is looked at from outside.
    pub look: look::Look,
    /// Statuses being read.
    pub fetches: Fetches,
    /// Mouse reports are on.
    pub mouse: bool,
    /// Whether to end.
    pub leaving: bool,
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
    /// Warnings of the start and notices since.
    pub notices: Vec<Text>,
    /// The worst pressure on the node, in words, if it is worth a word.
    pub pressure: Option<Text>,
}

/// What a key can be about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Noun {
    /// The list of pods.
    Pod,
    /// The list of containers.
    Container,
    /// The list of images.
    Image,
    /// A page of text.
    Page,
    /// The list of forwarded ports.
    Forward,
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// What it shows.
    pub page: Page,
    /// First line on the screen.
    pub scroll: usize,
}

/// What a page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// The keys.
    Help,
    /// The facts about one thing.
    Summary(Subject),
    /// The notices of this run, the newest first.
    Notices,
    /// The forwarded ports.
    Forwards,
    /// A container from outside, with its name.
    Inside(ContainerId, Text),
}

/// A line that goes away by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// The line.
    pub text: Text,
    /// When it goes, by [`Clock::uptime`].
    pub until: Duration,
}

/// What happens.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// The terminal has another size, or its content is lost: draw all.
    Redraw,
    /// The connection has learnt something.
    Feed(Update),
    /// The status of a sandbox was read; `None` if it could not be.
    PodDetail(PodId, Option<PodDetail>),
    /// The status of a container was read, asked for in this state.
    ContainerDetail(ContainerId, ContainerState, Option<ContainerDetail>),
    /// The worst pressure on the node.
    Pressure(Option<Text>),
    /// The mouse was used at this place of the screen.
    Mouse(Mouse, u16, u16),
    /// What became of a text for the clipboard.
    Copied(Text),
    /// The settings have changed.
    Settings(Changed),
    /// Something in a container has given the terminal back, with a line about it.
    Returned(Text),
    /// A container from outside, or why it cannot be seen.
    Looked(ContainerId, Result<crate::domain::Inside, Text>),
    /// The forwarded ports, and a line about a change of them.
    Forwards(Vec<forward::Forward>, Option<Text>),
    /// Time has passed.
    Wake,
}

/// What the mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mouse {
    /// The left button was pressed.
    Click,
    /// The wheel turned, down when positive.
    Wheel(isize),
}

/// What changed settings mean while the program runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// Which key means what.
    pub keymap: Keymap,
    /// The order of each list whose setting has changed, by [`Panel::index`].
    pub sorts: [Option<list::Sort>; 3],
    /// Why nothing may be changed any more; empty when the settings do not say so, which takes
    /// nothing back.
    pub read_only: Vec<Text>,
    /// What is wrong with the settings.
    pub problems: Vec<Text>,
}

/// What is to be done outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Which lists are looked at.
    Want(Wanted),
    /// List now.
    Refresh,
    /// Read these statuses.
    Fetch(Vec<Target>),
    /// Give the terminal back and stop until continued.
    Suspend,
    /// Draw everything anew.
    Repaint,
    /// Change the colours, by name.
    Theme(&'static str),
    /// Hand this text to the terminal's clipboard.
    Copy(String),
    /// Ask the terminal for mouse reports, or no more.
    Mouse(bool),
    /// Give the terminal to something in a container.
    Visit(Box<visit::Visit>),
    /// Open ports.
    Forward(Box<forward::Asked>),
    /// Close one of them.
    StopForward(u32),
    /// Count what goes through them.
    CountForwards,
    /// Look at a container from outside.
    Look(ContainerId),
}

/// What drawing tells the next update: where things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Size of the terminal.
    pub size: Size,
    /// Rows of each panel that is shown in full, by [`Panel::index`].
    pub panels: [Option<PanelSeen>; 3],
    /// Lines of the page on top, and how many of them fit.
    pub page: Option<PageSeen>,
    /// When something drawn changes by itself.
    pub wake_at: Option<Timestamp>,
}

/// A list as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelSeen {
    /// Where its rows are.
    pub rows: Rect,
    /// Width of the widest cell drawn, by column.
    pub widths: Vec<u16>,
    /// Where each column that is shown begins and ends, and its index.
    pub columns: Vec<(u16, u16, usize)>,
    /// Whether the column that needs every pod's status is shown.
    pub shows_ip: bool,
}

/// A page as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSeen {
    /// Lines there are.
    pub lines: usize,
    /// Lines that fit.
    pub height: usize,
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
            filters: Vec::new(),
            commands: Vec::new(),
            forwards: forward::Forwards::default(),
            look: look::Look::default(),
            fetches: Fetches::default(),
            mouse: false,
            leaving: false,
        }
    }

    /// What the keys are about now.
    pub fn noun(&self) -> Noun {
        match self.layers.last().map(|layer| &layer.page) {
            None => self.home.focus.noun(),
            Some(Page::Forwards) => Noun::Forward,
            Some(_) => Noun::Page,
        }
    }

    /// The thing under the cursor.
    pub fn subject(&self) -> Option<Subject> {
        match self.layers.last().map(|layer| &layer.page) {
            Some(Page::Summary(subject)) => Some(subject.clone()),
            Some(Page::Inside(id, _)) => Some(Subject::Container(id.clone())),
            Some(_) => None,
            None => self.home.subject(),
        }
    }
}
