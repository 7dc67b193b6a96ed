//! What comes in and what goes out: [`Msg`]s and [`Effect`]s.

use std::path::PathBuf;
use std::sync::Arc;

use super::asked::Asked;
use super::inspect::Answer;
use super::{
    About, Keymap, Target, act, audit, files, forward, lines, list, logs, node, ran, stats, visit,
    why,
};
use crate::act::Act;
use crate::audit::Report;
use crate::cri::spec::Plan;
use crate::cri::{Update, Wanted};
use crate::domain::{
    ContainerDetail, ContainerId, ContainerState, Contents, Inside, PodDetail, PodId,
};
use crate::journal::Kept;
use crate::keys::Key;
use crate::layout::Layout;
use crate::local::Reads;
use crate::logs::export::Export;
use crate::logs::viewer::News;
use crate::stats::node::Fills;
use crate::text::Text;
use crate::tree;
use crate::triage::facts::Said;

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
    /// What became of a file that was copied out.
    CopiedOut(Text),
    /// How saving goes; what came of it if that is over.
    Saving(Text, bool),
    /// Logs have been read.
    Logs(Slot, Box<News>),
    /// The settings have changed.
    Settings(Changed),
    /// Something in a container has given the terminal back, with a line about it.
    Returned(Text),
    /// A container from outside, or why it cannot be seen.
    Looked(ContainerId, Result<Inside, Text>),
    /// All that the runtime tells of something, asked for in this state.
    Inspected(About, &'static str, Answer),
    /// One value of that as it is, with the keys that lead to it, or why it cannot be had; and why
    /// the journal does not keep it.
    Revealed(About, Vec<tree::Key>, Result<Text, Text>, Option<Text>),
    /// The forwarded ports, and a line about a change of them.
    Forwards(Vec<forward::Forward>, Option<Text>),
    /// What a command left in one of several containers.
    Ran(usize, ran::Left),
    /// What is at this path of a container, and where that is without links.
    Browsed(PathBuf, Result<(PathBuf, Contents), Text>),
    /// Debug containers that a critui has left behind which is no more.
    LeftBehind(Vec<ContainerId>),
    /// What everything uses.
    Sampled(Box<stats::Sampled>),
    /// How the node itself fares.
    Node(Box<node::NodeSeen>),
    /// What fills the node's disks.
    Filled(Result<Fills, Text>),
    /// Why something fares as it does, by the number of the question.
    Why(u64, Box<why::Found>),
    /// What an audit came to, by the number of the question.
    Audited(u64, Result<Arc<Report>, Text>),
    /// Lines of the node's files, or why they cannot be read.
    Lines(u64, Result<Vec<Said>, Text>),
    /// What was found out for the question of this number.
    Foreseen(u64, act::foresee::Foreseen),
    /// What came of the change of this number.
    Acted(u64, Result<Text, Text>),
    /// What files say is to be made, or what is wrong with them.
    Planned(Result<Box<Plan>, Text>),
    /// Bytes of layers that have come in and are not unpacked yet, if that can be seen.
    Coming(Option<u64>),
    /// The journal, the newest first.
    Journal(Result<Vec<Kept>, Text>),
    /// Time has passed.
    Wake,
}

impl Msg {
    /// True for what somebody did, or waits for: it is drawn at once.
    pub fn is_awaited(&self) -> bool {
        matches!(
            self,
            Self::Key(_)
                | Self::Mouse(..)
                | Self::Redraw
                | Self::Settings(_)
                | Self::Returned(_)
                | Self::Why(..)
                | Self::Lines(..)
                | Self::Inspected(..)
                | Self::Revealed(..)
                | Self::Browsed(..)
                | Self::Looked(..)
        )
    }
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
    /// The mouse moved while it was down.
    Drag,
    /// It was let go.
    Release,
    /// The wheel turned, down when positive.
    Wheel(isize),
}

/// What changed settings mean while the program runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// Which key means what.
    pub keymap: Keymap,
    /// The order of each list whose setting has changed, by [`Panel::index`](super::Panel::index).
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
    Theme(Text),
    /// Show how a theme would look; `None` is the one in effect again.
    Preview(Option<Text>),
    /// Hand this text to the terminal's clipboard.
    Copy(String),
    /// Save what a view of logs shows, to this new file.
    Save(Box<Export>, PathBuf),
    /// Give the terminal to a program that reads what a view of logs shows.
    Read(Box<Export>, Reads),
    /// Break off what is being saved.
    StopSaving,
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
    /// Ask the runtime for everything about something, which is in this state.
    Inspect(About, &'static str),
    /// Ask for one masked value as it is, by the keys that lead to it.
    Reveal(About, Vec<tree::Key>),
    /// Give the terminal to a shell of the node in a container's network: the container runs, and
    /// the shell is to be among its processes.
    HostShell(Box<visit::Visit>, bool, bool),
    /// Run a line in several containers, without a terminal.
    RunInAll(Vec<ContainerId>, String),
    /// Look at a file or folder of a container.
    Browse(Box<files::Browse>),
    /// Copy a file of a container to this new file.
    CopyOut(Box<files::Browse>, PathBuf),
    /// Find out which of these containers, each with its owner, have been left behind.
    Owners(Vec<(ContainerId, Text)>),
    /// Remove containers that were left behind.
    Discard(Vec<ContainerId>),
    /// Look at what everything uses.
    Sample(Box<stats::Asked>),
    /// Look at the node itself, also at what changes seldom if that is said.
    LookAtNode(bool),
    /// Measure what fills the node's disks.
    MeasureDisks,
    /// End that early.
    StopMeasuring,
    /// Find out why something fares as it does; the number comes back.
    Why(u64, Box<Asked>),
    /// Look for what could hurt.
    Audit(Box<audit::Asked>),
    /// Read lines of the node's files.
    ReadLines(u64, lines::Wanted),
    /// Find out what the question of this number depends on.
    Foresee(u64, Vec<act::foresee::Question>),
    /// Do the change of this number, of what is called so; `true` if it was said that the journal
    /// will not keep it.
    Act(u64, Box<Act>, Text, bool),
    /// Count what comes in.
    CountComing,
    /// Read files that say what to make.
    ReadFiles(act::make::Wanted, Option<PodId>, Vec<PathBuf>),
    /// Break off the change of this number.
    BreakOff(u64),
    /// Read the journal.
    ReadJournal,
    /// Remember this for the next start, and say what came of it for what is called so; nothing is
    /// said about what has no name.
    Remember(Box<Layout>, &'static str),
}
