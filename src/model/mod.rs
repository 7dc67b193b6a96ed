//! What the program knows and how it changes: [`Model`], and [`update()`] from one message to
//! the next. Synchronous, without I/O: what is to be done outside is returned as [`Effect`]s.

pub mod columns;
pub mod command;
pub mod exit;
mod fetch;
pub mod filter;
pub mod home;
pub mod keymap;
pub mod list;
pub mod logs;
mod mouse;
pub mod narrowing;
pub mod palette;
mod panel;
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
use crate::logs::export::Export;
use crate::logs::viewer::News;
use crate::text::Text;

pub use fetch::{Fetches, Target};
pub use home::Home;
pub use keymap::Keymap;
pub use logs::LogView;
pub use panel::Panel;
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
    /// How the next view of logs looks.
    pub log_look: logs::Look,
    /// The end of the selection's log, for the preview.
    pub log_tail: Option<logs::Tail>,
    /// Commands for containers that were typed, the newest last.
    pub commands: Vec<String>,
    /// Statuses being read.
    pub fetches: Fetches,
    /// Something is being saved.
    pub saving: bool,
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
    /// The view of logs.
    Logs,
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
    Help,
    /// The facts about one thing.
    Summary(Subject),
    /// The notices of this run, the newest first.
    Notices,
    /// Logs, with a state of their own.
    Logs(Box<LogView>),
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
    /// How saving goes; what came of it if that is over.
    Saving(Text, bool),
    /// Logs have been read.
    Logs(Slot, Box<News>),
    /// The settings have changed.
    Settings(Changed),
    /// Something in a container has given the terminal back, with a line about it.
    Returned(Text),
    /// Time has passed.
    Wake,
}

/// Which of the logs that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// Those of the view.
    View,
    /// Those of the preview.
    Preview,
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
    /// How the next view of logs begins, if that setting has changed.
    pub logs: Option<Box<logs::Look>>,
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
    /// Save what a view of logs shows.
    Save(Box<Export>),
    /// Break off what is being saved.
    StopSaving,
    /// Ask the terminal for mouse reports, or no more.
    Mouse(bool),
    /// Give the terminal to something in a container.
    Visit(Box<visit::Visit>),
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
    /// Area of the lines of the view of logs.
    pub log: Option<Size>,
    /// Area of the log in the preview.
    pub log_tail: Option<Size>,
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
            log_look: logs::Look::default(),
            log_tail: None,
            commands: Vec::new(),
            fetches: Fetches::default(),
            saving: false,
            mouse: false,
            leaving: false,
        }
    }

    /// What the keys are about now.
    pub fn noun(&self) -> Noun {
        match self.layers.last().map(|layer| &layer.page) {
            None => self.home.focus.noun(),
            Some(Page::Logs(_)) => Noun::Logs,
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

    /// The thing under the cursor.
    pub fn subject(&self) -> Option<Subject> {
        match self.layers.last().map(|layer| &layer.page) {
            Some(Page::Summary(subject)) => Some(subject.clone()),
            Some(Page::Logs(view)) => Some(view.subject.clone()),
            Some(_) => None,
            None => self.home.subject(),
        }
    }
}
