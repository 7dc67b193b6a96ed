//! Making pods and containers from files of crictl's form.

use std::path::PathBuf;

use crate::act::Act;
use crate::cri::spec::{Place, Plan};
use crate::domain::{PodId, PodState};
use crate::model::act::choose::{Victim, Weight};
use crate::model::act::confirm::{self, Confirm};
use crate::model::act::foresee::Question;
use crate::model::{Effect, Model, Subject, update};
use crate::registry::Reference;
use crate::text::Text;

/// What is to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A pod.
    Pod,
    /// A pod with a container that runs.
    Both,
    /// A container in a pod that is there, not started.
    Created,
    /// The same, started.
    Started,
}

impl Wanted {
    /// Which files it takes.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Pod => "POD-FILE",
            Self::Both => "CONTAINER-FILE POD-FILE",
            Self::Created | Self::Started => "CONTAINER-FILE, into the selected pod",
        }
    }

    fn count(self) -> usize {
        if self == Self::Both { 2 } else { 1 }
    }
}

/// The pod that is meant.
fn pod(model: &Model) -> Option<PodId> {
    match model.subject()? {
        Subject::Pod(id) => Some(id),
        Subject::Container(id) => Some(model.store.container(&id)?.container.pod_id.clone()),
        Subject::Image(_) => None,
    }
}

/// Why nothing can be made in a pod.
pub fn refuse(model: &Model) -> Option<&'static str> {
    let Some(row) = pod(model).and_then(|id| model.store.pod(&id)) else {
        return Some("no pod is selected");
    };
    (row.pod.state != PodState::Ready).then_some("the sandbox does not run")
}

/// Has the files read that were typed.
pub fn read(model: &Model, wanted: Wanted, typed: &str) -> Result<Vec<Effect>, String> {
    let words = shlex::split(typed).ok_or("a quotation mark is not closed")?;
    let files: Vec<PathBuf> = words.into_iter().map(PathBuf::from).collect();
    if files.len() != wanted.count() {
        return Err(format!("type {}", wanted.hint()));
    }
    Ok(vec![Effect::ReadFiles(wanted, pod(model), files)])
}

/// Takes what the files say, and asks.
pub fn planned(model: &mut Model, plan: Result<Box<Plan>, Text>) -> Vec<Effect> {
    let plan = match plan {
        Ok(plan) => plan,
        Err(why) => {
            update::say(model, why.as_str());
            return vec![];
        }
    };
    let mut lines = Vec::new();
    let name = match &plan.pod {
        Place::New(config) => {
            let line = "no API object stands for it: a kubelet that runs here removes it soon";
            lines.push((Weight::Warn, line.to_owned()));
            if config
                .linux
                .as_ref()
                .is_none_or(|linux| linux.cgroup_parent.is_empty())
            {
                let line = "without linux.cgroup_parent containerd cannot tell what it uses";
                lines.push((Weight::Plain, line.to_owned()));
            }
            plan.name().to_owned()
        }
        Place::There(id) => {
            let line = "the kubelet knows nothing of it, and may remove it at any time";
            lines.push((Weight::Warn, line.to_owned()));
            let pod = model.store.pod(id).map(|row| &row.pod);
            let rest = plan.name().split_once('/').map_or("", |(_, rest)| rest);
            pod.map_or_else(
                || plan.name().to_owned(),
                |pod| format!("{}/{}/{rest}", pod.namespace, pod.name),
            )
        }
    };
    if let Some(image) = plan.image() {
        lines.push(if is_here(model, image) {
            (
                Weight::Plain,
                format!("from the image {image}, which is here"),
            )
        } else {
            (
                Weight::Bad,
                format!("the image {image} is not here: P pulls it"),
            )
        });
    }
    let (word, what) = if plan.starts || plan.container.is_none() {
        ("Run", "Run")
    } else {
        ("Create", "Create")
    };
    let title = Text::clean(&name);
    let question = format!("{what} {title}?");
    let lines = lines.into_iter();
    let victim = Victim {
        title,
        lines: lines
            .map(|(weight, line)| (weight, Text::clean(&line).to_string()))
            .collect(),
        looked_at: Question::default(),
        act: Act::Make(plan),
    };
    confirm::ask(model, Confirm::new(question, word, vec![victim]))
}

fn is_here(model: &Model, image: &str) -> bool {
    let full = Reference::parse(image).map(|parsed| Text::clean(&parsed.full()));
    let key = image.strip_prefix("sha256:").unwrap_or(image);
    let mut rows = model.store.image_rows();
    rows.any(|row| {
        let tags = &row.image.tags;
        let by_id = key.len() >= 12 && row.image.id.key().starts_with(key);
        let by_name = full.as_ref().is_ok_and(|full| tags.contains(full));
        by_id || by_name || tags.iter().any(|tag| *tag == *image)
    })
}
