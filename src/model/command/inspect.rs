//! The commands about everything that the runtime tells.

use super::run::{nothing_selected, push};
use super::{Command, changes, command, unless};
use crate::model::inspect::{compare, show, title};
use crate::model::prompt::ViewLine;
use crate::model::{About, Effect, Model, Noun, Page, Seen, TreeView, typing, update};

const COMPARED: &[Noun] = &[
    Noun::Pod,
    Noun::Container,
    Noun::Image,
    Noun::Page,
    Noun::Tree,
    Noun::Why,
];
const TREE: &[Noun] = &[Noun::Tree];

/// A command of the view of a tree.
const fn of_tree(
    name: &'static str,
    keys: &'static [&'static str],
    short: &'static str,
    doc: &'static str,
    run: fn(&mut Model, &Seen) -> Vec<Effect>,
) -> Command {
    command(name, keys, TREE, short, doc, run)
}

/// All of them, in the order in which help shows them.
pub(super) const COMMANDS: &[Command] = &[
    unless(
        command(
            "tree",
            &["y"],
            super::LISTS,
            "",
            "everything the runtime tells, as YAML or JSON",
            |m, _| open(m),
        ),
        nothing_to_tell,
    ),
    unless(
        command(
            "page-tree",
            &["y"],
            &[Noun::Page, Noun::Why],
            "YAML",
            "everything the runtime tells of what the page is about",
            |m, _| open(m),
        ),
        nothing_to_tell,
    ),
    unless(
        command(
            "compare",
            &["="],
            COMPARED,
            "",
            "what differs from the attempt before, else from one of its kind, or from the marked one",
            |m, _| compared(m),
        ),
        nothing_selected,
    ),
    command(
        "runtime",
        &["I"],
        super::LISTS,
        "",
        "the runtime: version, conditions, network, configuration, disk",
        |m, _| {
            m.inspections.retry();
            push(m, Page::Runtime)
        },
    ),
    of_tree(
        "toggle",
        &["Enter", "Space"],
        "fold",
        "fold the branch, or unfold it; of a value show all",
        |m, _| on(m, TreeView::enter),
    ),
    of_tree(
        "fold",
        &["Left", "h"],
        "",
        "fold; to the branch above",
        |m, _| on(m, TreeView::fold),
    ),
    of_tree("unfold", &["Right"], "", "unfold", |m, _| {
        on(m, TreeView::unfold)
    }),
    of_tree(
        "fold-all",
        &["-"],
        "",
        "fold all but the upper branches",
        |m, _| on(m, |view| view.fold_all(true)),
    ),
    of_tree("unfold-all", &["+"], "", "unfold everything", |m, _| {
        on(m, |view| view.fold_all(false))
    }),
    of_tree("tree-form", &["J"], "JSON/YAML", "JSON, or YAML", |m, _| {
        on(m, TreeView::change_form)
    }),
    of_tree(
        "tree-search",
        &["/"],
        "search",
        "search names and values: text, or ~ and a regular expression",
        |m, _| {
            typing::open_view_line(m, ViewLine::Tree);
            vec![]
        },
    ),
    of_tree(
        "tree-next",
        &["n"],
        "",
        "to the next place that matches",
        |m, _| seek(m, false),
    ),
    of_tree(
        "tree-previous",
        &["N"],
        "",
        "to the place before that matches",
        |m, _| seek(m, true),
    ),
    of_tree(
        "copy-value",
        &["c"],
        "copy",
        "copy the value, or the branch",
        |m, _| {
            let value = m.tree_mut().and_then(|view| view.value());
            value.map(Effect::Copy).into_iter().collect()
        },
    ),
    changes(unless(
        of_tree(
            "reveal",
            &["x"],
            "",
            "show the masked value for a few seconds; any key hides it",
            |m, _| reveal(m),
        ),
        nothing_masked,
    )),
    of_tree(
        "copy-tree-path",
        &["C"],
        "",
        "copy the path, as jq writes it",
        |m, _| {
            let path = m.tree_mut().map(|view| view.path());
            path.map(Effect::Copy).into_iter().collect()
        },
    ),
    of_tree(
        "tree-refresh",
        &["R"],
        "",
        "ask the runtime again",
        |m, _| {
            let about = m.tree_mut().map(|view| view.about.clone());
            if let Some(about) = about {
                m.inspections.forget(&about);
            }
            vec![]
        },
    ),
];

fn nothing_masked(model: &Model) -> Option<&'static str> {
    if model.audit.mask_always {
        return Some("--mask-always was given");
    }
    let masked = model.tree().and_then(TreeView::masked);
    masked.is_none().then_some("nothing is masked on this line")
}

fn reveal(model: &mut Model) -> Vec<Effect> {
    let view = model.tree();
    let asked = view.and_then(|view| Some(Effect::Reveal(view.about.clone(), view.masked()?)));
    asked.into_iter().collect()
}

fn on(model: &mut Model, change: impl FnOnce(&mut TreeView)) -> Vec<Effect> {
    if let Some(view) = model.tree_mut() {
        change(view);
    }
    vec![]
}

fn nothing_to_tell(model: &Model) -> Option<&'static str> {
    let runtime = matches!(model.layers.last(), Some(layer) if matches!(layer.page, Page::Runtime));
    nothing_selected(model).filter(|_| !runtime)
}

fn open(model: &mut Model) -> Vec<Effect> {
    let about = model.subject().map_or(About::Runtime, About::One);
    let title = title(model, &about);
    model.inspections.retry();
    push(model, Page::Tree(Box::new(TreeView::new(about, title))));
    show(model);
    vec![]
}

fn compared(model: &mut Model) -> Vec<Effect> {
    let Some(subject) = model.subject() else {
        return vec![];
    };
    match compare::aim(model, &subject) {
        Ok(view) => {
            model.inspections.retry();
            push(model, Page::Diff(Box::new(view)));
            show(model);
        }
        Err(why) => update::say(model, why),
    }
    vec![]
}

fn seek(model: &mut Model, back: bool) -> Vec<Effect> {
    let Some(view) = model.tree_mut() else {
        return vec![];
    };
    if view.search.is_none() {
        update::say(model, "nothing is searched for yet: / begins");
    } else if !view.seek(back) {
        update::say(model, "nothing here matches; what is masked is never found");
    }
    vec![]
}
