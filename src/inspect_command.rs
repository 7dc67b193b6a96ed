//! `critui inspect`: everything that the runtime tells of one thing, once, without a terminal.
//!
//! `summary` is for people. `yaml` and `json` have crictl's shape: `status`, and beside it `info`
//! with what was verbose; texts that are JSON are parsed, secrets are masked, texts sanitised.

mod choose;

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::app;
use crate::cri::{Reader, Update};
use crate::domain::{Changes, RuntimeVersion};
use crate::link::Link;
use crate::model::inspect::{About, answered};
use crate::model::{Clock, Keymap, Model, Msg, Node, Seen, Subject, update};
use crate::text::Text;
use crate::theme::{Ability, Depth, Theme};
use crate::tree::Tree;
use crate::views;

/// Width of a summary that goes to no terminal.
const WIDTH: u16 = 100;

/// The arguments of `critui inspect`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Inspect {
    /// What kind of thing
    pub kind: Kind,
    /// Its id or name, or the beginning of it: [NAMESPACE/]POD for a pod,
    /// [[NAMESPACE/]POD/]CONTAINER for a container, NAME:TAG for an image; nothing for the runtime
    #[arg(value_name = "ID|NAME", required_if_eq_any = [("kind", "pod"), ("kind", "container"), ("kind", "image")])]
    pub target: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "summary")]
    pub output: Output,
}

/// What can be inspected.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A pod sandbox; of a pod that has several, the newest.
    Pod,
    /// A container; of its attempts, the newest, unless an id names another.
    Container,
    /// An image.
    Image,
    /// The runtime: version, conditions, network, configuration, file systems.
    Runtime,
}

/// Form of the output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Output {
    /// The facts, for people.
    #[default]
    Summary,
    /// Everything.
    Yaml,
    /// Everything, for programs.
    Json,
}

/// What came of it.
#[derive(Debug)]
pub enum Report {
    /// Lines of facts.
    Summary(Vec<String>),
    /// All of it, as JSON or not.
    Whole(Box<Tree>, bool),
}

impl Inspect {
    /// Finds what is asked for and reads it. The error is one line.
    pub async fn read(&self, reader: &Reader, version: RuntimeVersion) -> Result<Report, Text> {
        let mut model = model();
        tell(&mut model, Msg::Feed(Update::Version(version)));
        let about = self.find(&mut model, reader).await?;
        let tree = app::inspect(reader, &about).await?;
        if self.output != Output::Summary {
            let tree = std::sync::Arc::unwrap_or_clone(tree);
            return Ok(Report::Whole(Box::new(tree), self.output == Output::Json));
        }
        self::details(&mut model, reader, &about).await;
        answered(&mut model, about.clone(), "", Ok(tree));
        let bare = Ability {
            depth: Depth::None,
            unicode: false,
        };
        let theme = Theme::named("default", bare).map_err(|error| Text::clean(&error))?;
        Ok(Report::Summary(views::report(
            &model,
            &theme,
            &about,
            width(),
        )))
    }

    async fn find(&self, model: &mut Model, reader: &Reader) -> Result<About, Text> {
        let Some(target) = self
            .target
            .as_deref()
            .filter(|_| self.kind != Kind::Runtime)
        else {
            return Ok(About::Runtime);
        };
        let lists = tokio::try_join!(reader.pods(), reader.containers(), reader.images());
        let (pods, containers, images) = lists.map_err(|error| error.message)?;
        tell(model, Msg::Feed(Update::Pods(Changes::all(pods))));
        tell(
            model,
            Msg::Feed(Update::Containers(Changes::all(containers))),
        );
        tell(model, Msg::Feed(Update::Images(Changes::all(images))));
        let store = &model.store;
        let subject = match self.kind {
            Kind::Pod => Subject::Pod(choose::pod(store, target)?),
            Kind::Container => Subject::Container(choose::container(store, target)?),
            _ => Subject::Image(choose::image(store, target)?),
        };
        Ok(About::One(subject))
    }
}

/// The statuses of all that the summary tells about. One that cannot be read is left out.
async fn details(model: &mut Model, reader: &Reader, about: &About) {
    let pod = match about {
        About::One(Subject::Pod(id)) => id.clone(),
        About::One(Subject::Container(id)) => match model.store.container(id) {
            Some(row) => row.container.pod_id.clone(),
            None => return,
        },
        _ => return,
    };
    let detail = reader.pod_detail(&pod).await.ok();
    let rows = model.store.attempts_in(&pod);
    let attempts: Vec<_> = rows
        .iter()
        .map(|row| (row.container.id.clone(), row.container.state))
        .collect();
    tell(model, Msg::PodDetail(pod, detail));
    for (id, state) in attempts {
        let detail = reader.container_detail(&id).await.ok();
        tell(model, Msg::ContainerDetail(id, state, detail));
    }
}

fn tell(model: &mut Model, msg: Msg) {
    // What it would do outside is done here.
    let clock = model.clock;
    drop(update(model, &Seen::default(), clock, msg));
}

fn model() -> Model {
    let node = Node {
        name: Text::default(),
        endpoint: Text::default(),
        endpoint_source: Text::default(),
        version: None,
        link: Link::Up,
        read_only: vec![],
        notices: vec![],
        kernel: None,
        pressure: None,
    };
    let clock = Clock {
        now: Timestamp::now(),
        uptime: std::time::Duration::ZERO,
    };
    Model::new(node, clock, Keymap::default())
}

/// Cells of a line: those of the terminal, if there is one.
fn width() -> u16 {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(WIDTH, |size| size.ws_col).max(40)
}

impl Report {
    /// Writes it.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Summary(lines) => lines.iter().try_for_each(|line| writeln!(out, "{line}")),
            Self::Whole(tree, true) => writeln!(out, "{}", tree.json(0)),
            Self::Whole(tree, false) => write!(out, "{}", tree.yaml(0)),
        }
    }
}
