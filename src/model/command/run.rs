//! What the commands do.

use crate::model::list::{Mark, Move, Sort};
use crate::model::narrowing::Narrowing;
use crate::model::{
    Effect, EventsView, Layer, Model, Noun, Page, Panel, Seen, Subject, TreeView, act, arranging,
    audit, files, help, top, update,
};

pub(super) fn nothing_selected(model: &Model) -> Option<&'static str> {
    model.subject().is_none().then_some("the list is empty")
}

pub(in crate::model) fn go(model: &mut Model, seen: &Seen, to: Move) -> Vec<Effect> {
    if let Some(view) = model.log_mut() {
        view.go(to, super::area(seen));
        return vec![];
    }
    if let Some(view) = model.top() {
        let lines = top::members(model, &view.subject).len() + 1;
        if let Some(view) = model.top_mut() {
            view.go(to, lines);
        }
        return vec![];
    }
    let height = seen.page.map_or(1, |page| page.height);
    if files::go(model, to, height)
        || act::go(model, to, height)
        || audit::go(model, to, height)
        || arranging::go(model, to)
    {
        return vec![];
    }
    if let (Noun::Forward, Move::By(by)) = (model.noun(), to) {
        model.forwards.go(by);
        return vec![];
    }
    let height = seen.page.map_or(20, |page| page.height);
    if let (Some(view), history) = model.events_mut() {
        view.go(history, to, height);
        return vec![];
    }
    if let Some(view) = model.tree_mut() {
        view.go(to, height);
        return vec![];
    }
    let Some(layer) = model.layers.last_mut() else {
        model.home.go(to, seen, model.clock.uptime);
        return vec![];
    };
    // A page that has not been drawn yet is clamped once it is.
    let unseen = (usize::MAX, 1);
    let page = seen.page.map_or(unseen, |page| (page.lines, page.height));
    let half = isize::try_from((page.1 / 2).max(1)).unwrap_or(1);
    let target = match to {
        Move::By(lines) => layer.scroll.saturating_add_signed(lines),
        Move::HalfPages(halves) => layer.scroll.saturating_add_signed(halves * half),
        Move::First => 0,
        Move::Last => usize::MAX,
        Move::To(line) => line,
    };
    layer.scroll = target.min(page.0.saturating_sub(page.1));
    vec![]
}

pub(in crate::model) fn open(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    if model.home.focus != Panel::Pods {
        return summary(model, seen);
    }
    model.home.every_pod = false;
    model.home.follow_now();
    focus(model, Panel::Containers)
}

pub(super) fn summary(model: &mut Model, _: &Seen) -> Vec<Effect> {
    match model.subject() {
        Some(subject) => {
            model.inspections.retry();
            push(model, Page::Summary(subject))
        }
        None => vec![],
    }
}

pub(super) fn help(model: &mut Model, _: &Seen) -> Vec<Effect> {
    help::toggle(model)
}

pub(in crate::model) fn push(model: &mut Model, page: Page) -> Vec<Effect> {
    model.layers.push(Layer { page, scroll: 0 });
    vec![]
}

pub(super) fn back_one(model: &mut Model) -> Vec<Effect> {
    model.layers.pop();
    vec![]
}

pub(super) fn back(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    if model
        .log_mut()
        .is_some_and(|view| view.drop_one(super::area(seen)))
    {
        return vec![];
    }
    if audit::widen(model) || model.events_mut().0.is_some_and(EventsView::widen) {
        return vec![];
    }
    if model
        .lines_mut()
        .is_some_and(|view| view.filter.take().is_some())
    {
        return vec![];
    }
    if model.tree_mut().is_some_and(TreeView::drop_search) {
        return vec![];
    }
    if help::widen(model) {
        return vec![];
    }
    if !model.layers.is_empty() {
        return back_one(model);
    }
    let panel = model.home.focus.index();
    if model.home.narrowing.filters[panel].is_some() {
        let mut narrowing = model.home.narrowing.clone();
        narrowing.filters[panel] = None;
        model.home.narrow(narrowing);
        return vec![];
    }
    if model.home.focus != Panel::Pods {
        return focus(model, Panel::Pods);
    }
    go(model, seen, Move::First)
}

pub(super) fn focus(model: &mut Model, panel: Panel) -> Vec<Effect> {
    model.home.focus(panel, model.clock.uptime);
    vec![]
}

pub(super) fn step(model: &mut Model, forward: bool) -> Vec<Effect> {
    let panel = model.home.focus.step(forward);
    focus(model, panel)
}

pub(super) fn widen(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let wide = model.home.narrowing.is_none() && model.home.every_pod;
    model.home.every_pod = !wide;
    model.home.narrow(Narrowing::default());
    model.home.follow_now();
    vec![]
}

pub(super) fn marks(model: &mut Model, mark: Mark) -> Vec<Effect> {
    model.home.mark(mark);
    vec![]
}

pub(super) fn copy(model: &mut Model, text: fn(&Subject) -> String, between: &str) -> Vec<Effect> {
    let texts: Vec<String> = match model.layers.last() {
        None => model.home.chosen().iter().map(text).collect(),
        Some(_) => model.subject().iter().map(text).collect(),
    };
    // One line: what is pasted into a shell must not run by itself.
    vec![Effect::Copy(texts.join(between))]
}

pub(super) fn id(subject: &Subject) -> String {
    match subject {
        Subject::Pod(id) => id.to_string(),
        Subject::Container(id) => id.to_string(),
        Subject::Image(id) => id.to_string(),
    }
}

pub(super) fn crictl(subject: &Subject) -> String {
    let verb = match subject {
        Subject::Pod(_) => "inspectp",
        Subject::Container(_) => "inspect",
        Subject::Image(_) => "inspecti",
    };
    format!("crictl {verb} {}", id(subject))
}

pub(super) fn sort(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let (sort, columns) = model.home.sort_mut();
    let next = sort.column.map_or(0, |column| column + 1);
    *sort = Sort {
        column: (next < columns).then_some(next),
        reverse: false,
    };
    vec![]
}

/// Leaves, after asking once if something would end with it.
pub(super) fn quit(model: &mut Model) {
    match runs(model) {
        Some(what) if !model.asked_to_quit => {
            model.asked_to_quit = true;
            update::say(
                model,
                &format!("{what}: the same key once more ends it and quits"),
            );
        }
        _ => model.leaving = true,
    }
}

/// What would end with the program.
fn runs(model: &Model) -> Option<String> {
    let runs_somewhere = |layer: &Layer| match &layer.page {
        Page::Ran(ran) => ran.left.iter().any(|(_, left)| left.is_none()),
        _ => false,
    };
    if model.saving {
        return Some("a log is being saved".to_owned());
    }
    if model.copying > 0 {
        return Some("a file is being copied".to_owned());
    }
    if let Some(what) = act::under_way(model) {
        return Some(what);
    }
    if model.layers.iter().any(runs_somewhere) {
        return Some("a command still runs in containers".to_owned());
    }
    match model.forwards.list.len() {
        0 => None,
        1 => Some("a port is forwarded".to_owned()),
        ports => Some(format!("{ports} ports are forwarded")),
    }
}
