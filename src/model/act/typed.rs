//! What is typed for changes: images, limits, files.

use crate::act::{Act, Secret};
use crate::domain::ContainerId;
use crate::model::act::limits::Limited;
use crate::model::act::make::{self, Wanted};
use crate::model::act::{image, limits};
use crate::model::prompt::{Prompt, Purpose, Typed, remember};
use crate::model::{Effect, Model, Subject};
use crate::text::Text;

/// What a line is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActLine {
    /// The image to pull; holds what Tab looks for.
    Pull(Option<String>),
    /// The password of this user, to pull this image.
    Password(String, String),
    /// Limits of this container.
    Limits(Box<Limited>),
    /// The file for the state of this container, which is called so.
    Checkpoint(ContainerId, Text),
    /// Files that say what to make.
    Files(Wanted),
}

/// What was typed before for the same. A password never is.
pub fn history<'a>(model: &'a Model, line: &ActLine) -> &'a [String] {
    match line {
        ActLine::Pull(_) | ActLine::Files(_) => &model.asked,
        _ => &[],
    }
}

fn open(model: &mut Model, line: ActLine, text: &str) {
    model.prompt = Some(Prompt::new(Purpose::Act(line), text));
}

/// Opens the prompt for an image to pull.
pub fn open_pull(model: &mut Model) {
    let subject = model.subject();
    let row = match &subject {
        Some(Subject::Image(id)) => model.store.image(id),
        _ => None,
    };
    let name = row.and_then(|row| row.image.tags.first());
    let name = name.map_or(String::new(), Text::to_string);
    open(model, ActLine::Pull(None), &name);
}

/// Opens the prompt for limits.
pub fn open_limits(model: &mut Model) {
    if let Ok(one) = limits::aim(model) {
        let text = one.shown();
        open(model, ActLine::Limits(Box::new(one)), &text);
    }
}

/// Opens the prompt for the file of a checkpoint.
pub fn open_checkpoint(model: &mut Model) {
    if let Ok(one) = limits::aim(model) {
        let name = one.title.as_str().replace('/', "-");
        let text = format!("/var/tmp/{name}.tar");
        open(model, ActLine::Checkpoint(one.id, one.title), &text);
    }
}

/// Opens the prompt for files.
pub fn open_files(model: &mut Model, wanted: Wanted) {
    open(model, ActLine::Files(wanted), "");
}

/// What a key has made of the line.
pub fn press(model: &mut Model, mut prompt: Prompt, typed: Typed) -> Vec<Effect> {
    let text = prompt.text().trim().to_owned();
    let Purpose::Act(line) = prompt.purpose else {
        return vec![];
    };
    prompt.purpose = Purpose::Act(line.clone());
    match typed {
        Typed::Cancel => return vec![],
        Typed::Changed => {
            prompt.error = None;
            if let Purpose::Act(ActLine::Pull(sought)) = &mut prompt.purpose {
                *sought = None;
            }
        }
        Typed::Tab => complete(model, &mut prompt, &text),
        Typed::Accept => match accept(model, line, &text, prompt.text()) {
            Ok(effects) => return effects,
            Err(why) => prompt.error = Some(why),
        },
        Typed::Nothing | Typed::Choose(_) => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn complete(model: &Model, prompt: &mut Prompt, text: &str) {
    let Purpose::Act(ActLine::Pull(sought)) = &mut prompt.purpose else {
        return;
    };
    let sought = sought.get_or_insert_with(|| text.to_owned());
    match image::complete(model, sought, text) {
        Some(name) => prompt.set(&name),
        None => prompt.error = Some("no image here has a name like that".to_owned()),
    }
}

/// `raw` is the line with its spaces, as a password may have them.
fn accept(model: &mut Model, line: ActLine, text: &str, raw: &str) -> Result<Vec<Effect>, String> {
    match line {
        ActLine::Pull(_) => {
            let (reference, user) = image::parse(text)?;
            remember(&mut model.asked, text);
            let Some(user) = user else {
                return Ok(image::pull(model, &reference, None));
            };
            open(model, ActLine::Password(reference, user), "");
            Ok(vec![])
        }
        ActLine::Password(reference, user) => {
            let secret = Secret::new(raw.to_owned());
            Ok(image::pull(model, &reference, Some((user, secret))))
        }
        ActLine::Limits(one) => limits::set(model, *one, text),
        ActLine::Checkpoint(id, title) => {
            if !text.starts_with('/') || text.ends_with('/') {
                return Err("type the absolute path of a file".to_owned());
            }
            let to = text.to_owned();
            Ok(limits::ask(model, Act::Checkpoint { id, to }, title))
        }
        ActLine::Files(wanted) => {
            let effects = make::read(model, wanted, text)?;
            remember(&mut model.asked, text);
            Ok(effects)
        }
    }
}
