//! Opening the screen: from the configuration to the running loop.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use critui::access::Access;
use critui::app::{App, Inside, Looks};
use critui::clipboard::Clipboard;
use critui::config::Config;
use critui::config::endpoint::Endpoint;
use critui::config::layout::Remembered;
use critui::config::look::Look;
use critui::config::themes;
use critui::config::value::Valued;
use critui::config::watch::Watcher;
use critui::confine::Confined;
use critui::cri::stream::Trust;
use critui::cri::{Connection, Target, Timing};
use critui::host::open::HostRoot;
use critui::host::pressure::Gauge;
use critui::journal::{Journal, Origin, Place};
use critui::link::Link;
use critui::local::Tools;
use critui::model::{Clock, Model, Node, Panel, arranging};
use critui::terminal::{Keyboard, Screen};
use critui::text::Text;
use critui::theme::{Ability, Depth};
use jiff::Timestamp;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::begin::Guarded;

/// What the connection has learnt and the loop has not taken yet.
const UPDATES: usize = 64;
/// Longest wait for the file that names the node.
const NAME_DEADLINE: Duration = Duration::from_millis(200);

/// What the screen is opened with.
pub struct Opening<'a> {
    pub config: &'a Config,
    pub endpoint: &'a Valued<Endpoint>,
    pub target: Target,
    pub timing: Timing,
    pub watcher: Watcher,
    /// Which streaming servers exec goes to.
    pub trust: Trust,
    /// Where changes are kept.
    pub journal: Place,
    /// The line is slow.
    pub slow: bool,
    /// What was remembered.
    pub layout: Remembered,
    /// What the kernel holds this run to.
    pub confined: Option<Confined>,
    /// What is not to be shown.
    pub guarded: Guarded,
}

/// Whether there is a terminal to draw on; else the line that says what to do.
pub fn check() -> Result<(), String> {
    let on = |fd| rustix::termios::isatty(fd);
    if !on(rustix::stdio::stdout()) || !on(rustix::stdio::stdin()) {
        return Err(
            "standard input and output must be a terminal to open the screen; \
                    'critui snapshot' prints a report instead"
                .to_owned(),
        );
    }
    match std::env::var("TERM").unwrap_or_default().as_str() {
        term @ ("" | "dumb") => Err(format!(
            "TERM is {term:?}, a terminal that cannot move its cursor; set TERM (such as \
             xterm), or use 'critui snapshot' for a report"
        )),
        _ => Ok(()),
    }
}

/// Opens the screen and runs it until the user leaves.
pub async fn open(opening: Opening<'_>) -> io::Result<()> {
    let Opening {
        config,
        endpoint,
        target,
        timing,
        watcher,
        trust,
        journal,
        layout,
        slow,
        confined,
        guarded,
    } = opening;
    let started = Instant::now();
    let ability = ability(slow);
    let look = &config.look;
    let theme = look.theme.value.theme(ability).map_err(io::Error::other)?;
    let node = Node {
        name: node_name(&target.host),
        endpoint: Text::clean(&endpoint.value.to_string()),
        endpoint_source: Text::clean(&endpoint.source.to_string()),
        version: None,
        link: Link::Connecting,
        read_only: read_only(&config.access),
        notices: config.warnings.clone(),
        kernel: confined,
        pressure: None,
    };
    let journal = Journal::new(journal, node.name.clone(), Origin::of_process());
    let (out, updates) = mpsc::channel(UPDATES);
    let gauge = Gauge::new(target.host.clone());
    let grant = config.access.grant().cloned();
    let events = grant.as_deref().filter(|_| config.events.value);
    let connection = {
        let beside = beside()?;
        let _there = beside.enter();
        Connection::start(target, timing, events, out)
    };
    let clock = Clock {
        now: Timestamp::now(),
        uptime: Duration::ZERO,
    };
    let surface = Screen::enter()?;
    let input = Keyboard::open()?;
    let mut model = Model::new(node, clock, look.keymap.clone());
    dress(&mut model, look, slow, guarded);
    let (own, problems) = themes::own(&watcher.env);
    model.comfort.own_themes = own.iter().map(|skin| skin.name.clone()).collect();
    model.node.notices.extend(problems);
    let place = recall(&mut model, layout);
    let settings = watcher.start(look.clone());
    let wall = Timestamp::now;
    let clipboard = Clipboard::detect(|name| std::env::var(name).ok());
    App {
        model,
        theme,
        looks: Looks::new(own, place),
        surface,
        input,
        connection,
        updates,
        settings,
        gauge,
        grant,
        clipboard,
        inside: Inside::new(
            trust,
            Tools::from_env(|name| std::env::var_os(name)),
            journal,
        ),
        started,
        wall,
    }
    .run()
    .await
}

/// Has it look as settings and flags say.
fn dress(model: &mut Model, look: &Look, slow: bool, guarded: Guarded) {
    for (panel, sort) in Panel::ALL.into_iter().zip(look.sorts()) {
        model.home.sort_by(panel, sort);
    }
    (model.comfort.slow, model.home.arranged.still) = (slow, slow);
    model.log_look = look.logs.look();
    (model.audit.mask_always, model.audit.quiet) = (guarded.mask_always, guarded.quiet);
    model.audit.baseline = Arc::new(guarded.baseline);
}

/// What the terminal can show; on a slow line colours of 24 bits cost twice as much.
fn ability(slow: bool) -> Ability {
    let ability = Ability::detect(|name| std::env::var(name).ok());
    let most = if slow { Depth::Indexed } else { Depth::True };
    Ability {
        depth: ability.depth.min(most),
        ..ability
    }
}

/// Columns and the like as they were left; where they are kept, or why nowhere.
fn recall(model: &mut Model, remembered: Remembered) -> Result<PathBuf, Text> {
    let Remembered {
        place,
        layout,
        problem,
    } = remembered;
    let wrong = arranging::take(model, &layout).err();
    let wrong = wrong.zip(place.as_ref().ok());
    let wrong = wrong.map(|(what, path)| Text::clean(&format!("{}: {what}", path.display())));
    model.node.notices.extend(problem.into_iter().chain(wrong));
    place
}

/// An event loop on a thread of its own, for the connection: a list of 5,000 containers takes
/// longer to decode than a key may wait. It goes with the program.
fn beside() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("connection".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

fn read_only(access: &Access) -> Vec<Text> {
    match access {
        Access::ReadOnly(reasons) => reasons
            .iter()
            .map(|reason| Text::clean(&reason.to_string()))
            .collect(),
        Access::Full(_) => vec![],
    }
}

/// The node's own name: what its kernel says, or under another root the file that holds it.
fn node_name(host: &HostRoot) -> Text {
    let kernel = || Text::clean(&rustix::system::uname().nodename().to_string_lossy());
    let file = || {
        host.read(Path::new("/etc/hostname"), 256, NAME_DEADLINE)
            .ok()
    };
    let file = if host.is_slash() { None } else { file() };
    let name = match file {
        Some(name) => Text::clean(String::from_utf8_lossy(&name).trim()),
        None => kernel(),
    };
    name.non_empty().unwrap_or_else(|| "this node".into())
}
