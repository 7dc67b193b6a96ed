//! From one message to the next state.

use std::time::Duration;

use crate::cri::{Update, Wanted};
use crate::keys::Key;
use crate::link::Link;
use crate::logs::viewer::News;
use crate::model::{
    Changed, Clock, Effect, Model, Msg, Panel, Seen, Slot, Target, Toast, act, arranging, audit,
    command, fetch, files, forward, inspect, lines, logs, look, mouse, node, ran, stats, typing,
    why,
};
use crate::text::Text;

/// How long a toast stays.
const TOAST: Duration = Duration::from_secs(4);

/// Takes one message. Pure but for `model`.
pub fn update(model: &mut Model, seen: &Seen, clock: Clock, msg: Msg) -> Vec<Effect> {
    let jumped_back = clock.now < model.clock.now;
    model.clock = clock;
    if jumped_back {
        // What was to be judged anew at a time that lies far ahead again.
        model.store.judge_all(clock.now);
    }
    let mut effects = match msg {
        Msg::Key(key) => {
            // A key is about what is there now, also when it comes in a burst.
            settle(model, seen);
            let mut effects = inspect::hide(model);
            effects.extend(arranging::first_key(model));
            effects.extend(press(model, seen, key));
            effects
        }
        Msg::Planned(plan) => act::make::planned(model, plan),
        Msg::Mouse(mouse, x, y) => {
            settle(model, seen);
            mouse::used(model, seen, mouse, (x, y))
        }
        other => {
            learn(model, seen, other);
            vec![]
        }
    };
    model.home.widen(seen);
    pass_time(model);
    logs::settle(model, seen);
    effects.extend(look::again(model));
    effects.extend(why::again(model));
    effects.extend(inspect::ask(model));
    if inspect::due(model).is_some_and(|at| at <= clock.uptime) {
        effects.extend(inspect::hide(model));
    }
    effects.extend(look::owners(model));
    effects.extend(stats::next(model, seen));
    effects.extend(node::again(model));
    effects.extend(node::leave(model));
    effects.extend(act::next(model));
    effects.extend(forward::count(model));
    let targets = fetch::next(model, seen);
    if !targets.is_empty() {
        effects.push(Effect::Fetch(targets));
    }
    effects
}

/// Takes what asks for nothing by itself.
fn learn(model: &mut Model, seen: &Seen, msg: Msg) {
    let now = model.clock.now;
    match msg {
        Msg::Key(_) | Msg::Planned(_) | Msg::Mouse(..) | Msg::Redraw | Msg::Wake => {}
        Msg::Logs(slot, news) => read(model, seen, slot, *news),
        Msg::Saving(line, over) => {
            model.saving = !over;
            say(model, line.as_str());
        }
        Msg::CopiedOut(line) => {
            model.copying = model.copying.saturating_sub(1);
            say(model, line.as_str());
        }
        Msg::Copied(line) | Msg::Returned(line) => {
            if !line.is_empty() {
                say(model, line.as_str());
            }
        }
        Msg::Feed(update) => feed(model, update),
        Msg::PodDetail(id, detail) => {
            let target = Target::Pod(id.clone());
            model.fetches.done(&target, detail.is_some());
            if let Some(detail) = detail {
                model.store.set_pod_detail(&id, detail, now);
            }
        }
        Msg::ContainerDetail(id, state, detail) => {
            let target = Target::Container(id.clone(), state);
            model.fetches.done(&target, detail.is_some());
            if let Some(detail) = detail {
                model.store.set_container_detail(&id, state, detail, now);
            }
        }
        Msg::Pressure(pressure) => model.node.pressure = pressure,
        Msg::Inspected(about, state, answer) => inspect::answered(model, about, state, answer),
        Msg::Revealed(about, keys, value, warned) => {
            if let Some(why) = warned {
                say(model, why.as_str());
            }
            inspect::revealed(model, &about, keys, value);
        }
        Msg::Lines(ticket, read) => lines::read(model, ticket, read),
        Msg::Why(ticket, found) => why::found(model, ticket, *found),
        Msg::Audited(ticket, report) => audit::found(model, ticket, report),
        Msg::Looked(id, seen) => look::looked(model, id, seen),
        Msg::Ran(place, left) => ran::take(model, place, left),
        Msg::Browsed(asked, found) => files::found(model, &asked, found),
        Msg::LeftBehind(left) if left.is_empty() => {}
        Msg::LeftBehind(left) => {
            let count = left.len();
            model.look.left = left;
            say(
                model,
                &format!(
                    "{count} debug container(s) of a critui that is no more: :remove-left removes them"
                ),
            );
        }
        Msg::Sampled(seen) => stats::sampled(model, *seen),
        Msg::Node(seen) => node::seen(model, *seen),
        Msg::Filled(fills) => model.node_look.fills = node::Measuring::Done(fills),
        Msg::Forwards(list, line) => {
            model.forwards.set(list);
            model.forwards.counted = model.clock.uptime;
            if let Some(line) = line {
                say(model, line.as_str());
            }
        }
        Msg::Settings(changed) => settings(model, changed),
        Msg::Foreseen(token, seen) => act::confirm::foreseen(model, token, seen),
        Msg::Coming(bytes) => act::counted(model, bytes),
        Msg::Acted(id, came) => act::acted(model, id, came),
        Msg::Journal(read) => act::journal_read(model, read),
    }
}

/// When the model itself wants to be woken, by [`Clock::uptime`]; what is drawn may want it
/// sooner.
pub fn wake(model: &Model) -> Option<Duration> {
    let asks = [
        forward::due(model),
        look::due(model),
        stats::due(model),
        node::due(model),
        act::due(model),
    ];
    asks.into_iter().flatten().chain(turns(model)).min()
}

/// When time alone may change what is shown.
pub fn turns(model: &Model) -> Option<Duration> {
    let toast = model.toast.as_ref().map(|toast| toast.until);
    let recheck = model.store.recheck_at().map(|at| {
        let left = at.duration_since(model.clock.now);
        model.clock.uptime + Duration::try_from(left).unwrap_or_default()
    });
    [toast, recheck, model.home.rest_at(), inspect::due(model)]
        .into_iter()
        .flatten()
        .min()
}

/// The lists that the screen needs: all three, since names and counts are joined from them.
pub fn wanted() -> Wanted {
    Wanted {
        pods: true,
        containers: true,
        images: true,
    }
}

/// Takes what has been read of logs.
fn read(model: &mut Model, seen: &Seen, slot: Slot, news: News) {
    match slot {
        Slot::View => {
            let area = command::area(seen);
            let note = model.any_log_mut().and_then(|view| view.take(news, area));
            if let Some(note) = note {
                say(model, note.as_str());
            }
        }
        Slot::Preview => {
            if let Some(tail) = &mut model.log_tail {
                tail.take(news);
            }
        }
    }
}

fn press(model: &mut Model, seen: &Seen, key: Key) -> Vec<Effect> {
    model.home.touched(model.clock.uptime);
    model.toast = None;
    let key = match model.comfort.pending.take() {
        Some(first) => key.after(first),
        None => key,
    };
    // What quits from anywhere does so from the prompt too, unless it can be typed there.
    let command = model.keymap.find(key, model.noun());
    let quits = command.is_some_and(|c| c.name == "quit") && key.typed().is_none();
    let leaves = command.is_some_and(|c| matches!(c.name, "quit" | "back-or-quit"));
    model.asked_to_quit &= leaves;
    if model.confirm.is_some() && !quits {
        return act::confirm::press(model, key);
    }
    if model.prompt.is_some() && !quits {
        return typing::press(model, seen, key);
    }
    if command.is_none() && !model.keymap.begun(key, model.noun()).is_empty() {
        model.comfort.pending = Some(key);
        return vec![];
    }
    let Some(command) = command else {
        if key.first().is_some() && key.last() == Key::ESC {
            return vec![];
        }
        let help = model.keymap.key_of("help");
        let help = help.map_or_else(String::new, |help| format!("; {help} shows the keys"));
        say(model, &format!("{key} does nothing here{help}"));
        return vec![];
    };
    if let Some(reason) = command.refused(model) {
        say(model, &format!("{}: {reason}", command.name));
        return vec![];
    }
    let effects = (command.run)(model, seen);
    if matches!(command.name, "sort" | "reverse") {
        // Asked for by this very key, so the rows may move now.
        model.home.resort();
    }
    effects
}

pub(super) fn say(model: &mut Model, line: &str) {
    let until = model.clock.uptime + TOAST;
    model.toast = Some(Toast {
        text: Text::clean(line),
        until,
    });
}

/// Takes over changed settings. They can turn read-only on, never off.
fn settings(model: &mut Model, changed: Changed) {
    model.keymap = changed.keymap;
    for (panel, sort) in Panel::ALL.into_iter().zip(changed.sorts) {
        if let Some(sort) = sort {
            model.home.sort_by(panel, sort);
        }
    }
    if let Some(look) = changed.logs {
        model.log_look = *look;
    }
    let was_free = model.node.read_only.is_empty();
    let mut news = Vec::new();
    for reason in changed.read_only {
        if !model.node.read_only.contains(&reason) {
            model.node.read_only.push(reason);
        }
    }
    if was_free && !model.node.read_only.is_empty() {
        news.push("read-only from now on".to_owned());
        // They have been closed.
        model.forwards.set(vec![]);
        model.confirm = None;
        model.deeds.cancel();
    }
    for problem in changed.problems {
        if !model.node.notices.contains(&problem) {
            news.push(problem.to_string());
            model.node.notices.push(problem);
        }
    }
    if news.is_empty() {
        news.push("settings loaded again".to_owned());
    }
    say(model, &news.join("; "));
}

fn feed(model: &mut Model, update: Update) {
    let now = model.clock.now;
    match update {
        Update::Link(link) => {
            if link == Link::Up {
                fetch::relisted(model, None);
            }
            model.node.link = link;
        }
        Update::Version(version) => {
            model.node.version = Some(version);
        }
        Update::Notice(text) => {
            model.node.notices.push(text.clone());
            model.toast = Some(Toast {
                text,
                until: model.clock.uptime + TOAST,
            });
        }
        Update::Pods(told) => model.store.set_pods(&told, now),
        Update::Containers(told) => {
            model.store.set_containers(&told, now);
            fetch::relisted(model, (!told.whole).then_some(&told.came));
        }
        Update::Images(told) => model.store.set_images(&told, now),
    }
}

/// Brings the lists up to date with the store. Called before drawing and not at every message,
/// so that a burst of them costs one sort.
pub fn settle(model: &mut Model, seen: &Seen) {
    model.home.fill(&mut model.store, seen, model.clock);
}

/// Scrolls to what can be seen, once it is known. True if another frame is due for that.
pub fn fit(model: &mut Model, seen: &Seen) -> bool {
    let mut moved = model.home.fit(seen);
    if let (Some(layer), Some(page)) = (model.layers.last_mut(), seen.page) {
        let last = page.lines.saturating_sub(page.height);
        moved |= layer.scroll > last;
        layer.scroll = layer.scroll.min(last);
    }
    if let (Some(page), (Some(view), history)) = (seen.page, model.events_mut()) {
        moved |= view.fit(history, page.height);
    }
    moved |= audit::fit(model, seen);
    if let (Some(page), Some(view)) = (seen.page, model.tree_mut()) {
        moved |= view.fit(page.height);
    }
    if let (Some(size), Some(view)) = (seen.log, model.log_mut()) {
        moved |= view.fit(size);
    }
    // What of a log is shown now may be something else than before.
    logs::settle(model, seen);
    stats::drawn(model, seen);
    moved
}

fn pass_time(model: &mut Model) {
    let uptime = model.clock.uptime;
    if model
        .toast
        .as_ref()
        .is_some_and(|toast| uptime >= toast.until)
    {
        model.toast = None;
    }
    model.store.recheck(model.clock.now);
    model.home.rest(uptime);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::domain::{
        Changes, Container, ContainerDetail, ContainerId, ContainerState, ImageId, PodId,
    };
    use crate::model::{Keymap, Layer, Node, Page};

    fn clock(second: i64) -> Clock {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        Clock {
            now,
            uptime: Duration::ZERO,
        }
    }

    fn node() -> Node {
        Node {
            name: "n".into(),
            endpoint: "unix:///s".into(),
            endpoint_source: "flag".into(),
            version: None,
            link: Link::Up,
            read_only: vec![],
            notices: vec![],
            kernel: None,
            pressure: None,
        }
    }

    fn container(id: &str, state: ContainerState) -> Arc<Container> {
        Arc::new(Container {
            id: ContainerId::new(id),
            pod_id: PodId::new("p"),
            name: "app".into(),
            attempt: 2,
            state,
            created_at: Some(clock(0).now),
            image: "i".into(),
            image_id: ImageId::new("i"),
            labels: vec![],
            annotations: vec![],
        })
    }

    #[test]
    fn all_statuses_are_read_also_after_a_reconnect() {
        let mut model = Model::new(node(), clock(0), Keymap::default());
        let ids: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let list = || {
            let one = |id: &String| container(id, ContainerState::Exited);
            let all = ids.iter().map(one).collect();
            Msg::Feed(Update::Containers(Changes::all(all)))
        };
        let mut send = |msg| {
            let effects = update(&mut model, &Seen::default(), clock(0), msg);
            let targets = effects.into_iter().filter_map(|effect| match effect {
                Effect::Fetch(targets) => Some(targets),
                _ => None,
            });
            targets.flatten().collect::<Vec<_>>()
        };
        let mut asked = send(list());
        assert_eq!(asked.len(), 8, "at once");
        // The same ones, in other memory.
        asked.extend(send(Msg::Feed(Update::Link(Link::Up))));
        asked.extend(send(list()));
        let mut read = std::collections::HashSet::new();
        while let Some(target) = asked.pop() {
            let Target::Container(id, state) = target else {
                panic!("{target:?}")
            };
            read.insert(id.clone());
            let answer = Msg::ContainerDetail(id, state, Some(ContainerDetail::default()));
            asked.extend(send(answer));
        }
        assert_eq!(read.len(), ids.len());
    }

    #[test]
    fn forwards_are_counted_once_at_a_time() {
        let mut model = Model::new(node(), clock(0), Keymap::default());
        let ports = forward::parse("8080:80").unwrap().remove(0);
        model.forwards.list = vec![forward::Forward {
            id: 1,
            title: "n/p".into(),
            ports,
            open: 0,
            total: 0,
            sent: 0,
            received: 0,
            problem: None,
        }];
        model.layers.push(Layer {
            page: Page::Forwards,
            scroll: 0,
        });
        let mut wake = |second| {
            let clock = Clock {
                uptime: Duration::from_secs(second),
                ..clock(0)
            };
            let effects = update(&mut model, &Seen::default(), clock, Msg::Wake);
            effects.contains(&Effect::CountForwards)
        };
        assert_eq!([wake(9), wake(9), wake(19)], [true, false, true]);
    }

    #[test]
    fn a_clock_that_jumps_back_is_believed() {
        let restarted = container("c", ContainerState::Running);
        let (mut model, seen) = (
            Model::new(node(), clock(5000), Keymap::default()),
            Seen::default(),
        );
        let list = Msg::Feed(Update::Containers(Changes::all(vec![restarted])));
        update(&mut model, &seen, clock(5000), list);
        let trouble = |model: &Model| {
            let row = model.store.container(&ContainerId::new("c")).unwrap();
            row.trouble.is_some()
        };
        assert!(
            !trouble(&model),
            "it has run well for more than ten minutes"
        );
        update(&mut model, &seen, clock(60), Msg::Wake);
        assert!(
            trouble(&model),
            "by the clock it was restarted a minute ago"
        );
        update(&mut model, &seen, clock(601), Msg::Wake);
        assert!(!trouble(&model));
    }
}
