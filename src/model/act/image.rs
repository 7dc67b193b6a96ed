//! What is said before images are pulled and removed.

use crate::act::{Act, Login, Secret};
use crate::domain::ContainerState;
use crate::format::{bytes, some_of};
use crate::model::act::choose::{Victim, Weight, counted, title};
use crate::model::act::confirm::{self, Confirm};
use crate::model::act::foresee::Question;
use crate::model::rows::ImageRow;
use crate::model::{Effect, Model};
use crate::registry::Reference;
use crate::text::Text;

/// Users of an image that are named.
const NAMED: usize = 5;

/// What follows when an image is removed.
pub(super) fn removed(model: &Model, row: &ImageRow) -> Victim {
    let image = &row.image;
    let names: Vec<String> = image
        .tags
        .iter()
        .chain(&image.digests)
        .map(Text::to_string)
        .collect();
    let mut lines = Vec::new();
    if names.len() > 1 {
        let line = format!("all its names go with it: {}", names.join(", "));
        lines.push((Weight::Warn, line));
    }
    let users = model.store.container_rows();
    let users = users.filter(|one| one.container.image_id.key() == image.id.key());
    let (mut running, mut ended) = (Vec::new(), Vec::new());
    for user in users {
        match user.container.state {
            ContainerState::Running => running.push(title(user).to_string()),
            _ => ended.push(title(user).to_string()),
        }
    }
    running.sort();
    ended.sort();
    if !running.is_empty() {
        let line = format!(
            "used by {} running: {}; they run on, but the next start has to pull it again (CRI-O \
             refuses)",
            running.len(),
            some_of(&running, NAMED)
        );
        lines.push((Weight::Bad, line));
    }
    if !ended.is_empty() {
        let line = format!("used by {} ended: {}", ended.len(), some_of(&ended, NAMED));
        lines.push((Weight::Warn, line));
    }
    if running.is_empty() && ended.is_empty() {
        let line = "nobody uses it; what other images share with it stays";
        lines.push((Weight::Plain, line.to_owned()));
    }
    let unused = running.is_empty() && ended.is_empty();
    Victim {
        act: Act::RemoveImage {
            id: image.id.clone(),
            unused,
        },
        title: Text::clean(&format!("{} ({})", row.name, bytes(image.size))),
        lines,
        looked_at: Question {
            removed: image.tags.clone(),
            ..Question::default()
        },
    }
}

/// The images that nobody uses.
fn unused(model: &Model) -> Vec<&ImageRow> {
    let rows = model.store.image_rows().map(AsRef::as_ref);
    let mut rows: Vec<&ImageRow> = rows
        .filter(|row: &&ImageRow| row.is_reclaimable())
        .collect();
    rows.sort_by(|a, b| b.image.size.cmp(&a.image.size).then(a.name.cmp(&b.name)));
    rows
}

/// Asks to remove all images that nobody uses.
pub fn prune(model: &mut Model) -> Vec<Effect> {
    let rows = unused(model);
    let size: u64 = rows.iter().map(|row| row.image.size).sum();
    let victims: Vec<Victim> = rows.iter().map(|row| removed(model, row)).collect();
    let question = format!(
        "Remove {} that nobody uses, up to {}?",
        counted(&victims),
        bytes(size)
    );
    confirm::ask(model, Confirm::new(question, "Remove", victims))
}

/// Why there is nothing to remove.
pub fn refuse_prune(model: &Model) -> Option<&'static str> {
    if !model.store.loaded().all() {
        return Some("the lists are not there yet");
    }
    unused(model)
        .is_empty()
        .then_some("every image is used or kept")
}

/// `REFERENCE as USER`, or the reference alone.
pub fn parse(typed: &str) -> Result<(String, Option<String>), String> {
    let (reference, user) = match typed.trim().split_once(" as ") {
        Some((reference, user)) => (reference.trim(), Some(user.trim().to_owned())),
        None => (typed.trim(), None),
    };
    Reference::parse(reference)?;
    if user.as_ref().is_some_and(String::is_empty) {
        return Err("type a user after as".to_owned());
    }
    Ok((reference.to_owned(), user))
}

/// Asks to pull.
pub fn pull(model: &mut Model, reference: &str, typed: Option<(String, Secret)>) -> Vec<Effect> {
    let Ok(parsed) = Reference::parse(reference) else {
        return vec![];
    };
    let full = parsed.full();
    let mut lines = Vec::new();
    if full != reference {
        lines.push((Weight::Plain, format!("that is {full}")));
    }
    let full_name = Text::clean(&full);
    let here = model.store.image_rows();
    let here = here
        .filter(|row| row.image.tags.contains(&full_name))
        .count()
        > 0;
    let line = if here {
        "an image of this name is here: the name moves if the registry has another by now, and \
         containers keep what they were made from"
    } else {
        "no image of this name is here"
    };
    lines.push((Weight::Plain, line.to_owned()));
    let pulled = typed.is_none().then(|| reference.to_owned());
    let login = match typed {
        Some((user, secret)) => {
            let line = format!(
                "as {}, with the password that was typed",
                Text::clean(&user)
            );
            lines.push((Weight::Plain, line));
            Login::Typed(user, secret)
        }
        None => Login::Found,
    };
    let victim = Victim {
        act: Act::Pull {
            reference: reference.to_owned(),
            login,
        },
        title: Text::clean(reference),
        lines,
        looked_at: Question {
            pulled,
            ..Question::default()
        },
    };
    let question = format!("Pull {}?", victim.title);
    confirm::ask(model, Confirm::new(question, "Pull", vec![victim]))
}

/// Names of images that begin with or hold what was typed, the best first.
pub fn known(model: &Model, typed: &str) -> Vec<String> {
    let tags = model
        .store
        .image_rows()
        .flat_map(|row| row.image.tags.iter());
    let mut tags: Vec<String> = tags
        .map(Text::to_string)
        .filter(|tag| tag.contains(typed))
        .collect();
    tags.sort_by_key(|tag| (!tag.starts_with(typed), tag.clone()));
    tags.dedup();
    tags
}

/// The next of the known names after what stands there, for Tab.
pub fn complete(model: &Model, sought: &str, shown: &str) -> Option<String> {
    let known = known(model, sought);
    let at = known.iter().position(|name| name == shown);
    let next = at.map_or(0, |at| (at + 1) % known.len().max(1));
    known.get(next).cloned()
}
