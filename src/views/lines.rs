//! A page of lines that were read from the node.

use jiff::tz::TimeZone;

use super::logs::role;
use crate::logs::level::Level;
use crate::model::lines::{LinesView, Wanted};
use crate::theme::Role;
use crate::triage::facts::Said;
use crate::widgets::page::Doc;

/// Its title.
pub fn title(view: &LinesView) -> String {
    match &view.filter {
        Some(sought) => format!("{} only {:?}", view.title, sought.line()),
        None => view.title.to_string(),
    }
}

/// The page.
pub fn page(view: &LinesView) -> Doc {
    let mut doc = Doc::default();
    match &view.read {
        None => drop(doc.text("reading files of the node", Role::Dim)),
        Some(Err(why)) => drop(doc.text(why.as_str(), Role::Bad)),
        Some(Ok(all)) if all.is_empty() => drop(doc.text(nothing(&view.wanted), Role::Dim)),
        Some(Ok(_)) if view.shown().next().is_none() => {
            doc.text("nothing that is looked for; Esc shows all", Role::Dim);
        }
        Some(Ok(_)) if matches!(view.wanted, Wanted::Configs(_)) => configs(&mut doc, view),
        Some(Ok(_)) => view.shown().for_each(|line| logged(&mut doc, line)),
    }
    doc
}

fn nothing(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::NodeLog => "the logs are empty",
        Wanted::LogOf(_) => "the logs say nothing about it",
        Wanted::Configs(_) => "no ConfigMap or Secret is mounted into this pod",
    }
}

/// A section for each key of a volume.
fn configs(doc: &mut Doc, view: &LinesView) {
    let mut before = None;
    for line in view.shown() {
        if before != Some(&line.source) {
            let changed = line.at.map(|at| format!("  changed {at:.0}"));
            doc.title(format!("{}{}", line.source, changed.unwrap_or_default()));
            before = Some(&line.source);
        }
        doc.text(line.text.as_str(), Role::Text);
    }
}

fn logged(doc: &mut Doc, line: &Said) {
    let at = line.at.map(|at| {
        let at = at.to_zoned(TimeZone::system());
        at.strftime("%m-%d %H:%M:%S ").to_string()
    });
    let text = line.text.as_str();
    let what = format!("{}{}  {text}", at.unwrap_or_default(), line.source);
    doc.text(what, role(Level::of_text(text)));
}
