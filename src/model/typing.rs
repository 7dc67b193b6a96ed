//! What the prompt does: filters as they are typed, and the palette.

use crate::keys::Key;
use crate::logs::Sought;
use crate::model::filter::Filter;
use crate::model::narrowing::Narrowing;
use crate::model::palette::{Action, Entry, Palette};
use crate::model::prompt::{LogLine, Prompt, Purpose, Typed, ViewLine, remember};
use crate::model::visit::{self, Errand, Visit};
use crate::model::{
    Effect, Model, Panel, Seen, act as deeds, audit, command, files, forward, help, logs, look,
    ran, update,
};
use crate::text::Text;

/// Opens the prompt for a filter of the focused panel.
pub fn open_filter(model: &mut Model) {
    let narrowing = model.home.narrowing.clone();
    let filter = narrowing.filters[model.home.focus.index()].as_ref();
    let text = filter.map_or("", Filter::source).to_owned();
    model.prompt = Some(Prompt::new(Purpose::Filter(Box::new(narrowing)), &text));
}

/// Opens the palette.
pub fn open_palette(model: &mut Model) {
    model.prompt = Some(Prompt::new(Purpose::Palette(Palette::open(model)), ""));
}

/// Opens the palette with the themes.
pub fn open_themes(model: &mut Model) -> Vec<Effect> {
    let mut palette = Palette::open(model);
    palette.find("theme ");
    let effects = palette.preview();
    model.prompt = Some(Prompt::new(Purpose::Palette(palette), "theme "));
    effects
}

/// Opens the prompt for something about the view of logs.
pub fn open_log_line(model: &mut Model, what: LogLine) {
    let Some(view) = model.log() else { return };
    let sought = match what {
        LogLine::Search => view.look.search.as_ref(),
        LogLine::Filter => view.look.filter.as_ref(),
        LogLine::GoTo | LogLine::Save | LogLine::Fields => None,
    };
    let text = match what {
        LogLine::Save => view.file_name(model.clock.now),
        LogLine::Fields => view.look.fields.join(", "),
        _ => sought.map_or("", Sought::line).to_owned(),
    };
    model.prompt = Some(Prompt::new(Purpose::Logs(what), &text));
}

/// Opens the prompt for something about another view.
pub fn open_view_line(model: &mut Model, what: ViewLine) {
    let sought = match what {
        ViewLine::Tree => model.tree_mut().and_then(|view| view.search.as_ref()),
        ViewLine::Events => model.events_mut().0.and_then(|view| view.filter.as_ref()),
        ViewLine::Help => None,
        ViewLine::Audit => audit::filter(model),
        ViewLine::Lines => model.lines_mut().and_then(|view| view.filter.as_ref()),
    };
    let text = sought.map_or("", Sought::line).to_owned();
    model.prompt = Some(Prompt::new(Purpose::View(what), &text));
}

/// Opens the prompt for a command in a container.
pub fn open_run(model: &mut Model) {
    // Where it goes is settled now; what it is comes with Enter.
    let marked = ran::marked(model);
    if !marked.is_empty() {
        model.prompt = Some(Prompt::new(Purpose::RunInAll(marked), ""));
        return;
    }
    let visit = visit::aim(model, Errand::Shell);
    model.prompt = visit.map(|visit| Prompt::new(Purpose::Run(Box::new(visit)), ""));
}

/// Opens the choice of an image for a debug container.
pub fn open_debug(model: &mut Model) {
    let runs = look::refuse_processes(model).is_none();
    let palette = look::visit(model).map(|visit| Palette::images(model, visit, runs));
    model.prompt = palette.map(|palette| Prompt::new(Purpose::Palette(palette), ""));
}

/// Opens the prompt for the file to copy to.
pub fn open_copy_out(model: &mut Model) {
    if let Ok(file) = files::chosen(model) {
        // A name from outside: this one stays in its folder.
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let name = Text::clean(&name);
        model.prompt = Some(Prompt::new(Purpose::CopyOut(Box::new(file)), name.as_str()));
    }
}

/// Opens the prompt for ports to forward.
pub fn open_forward(model: &mut Model) {
    if let Ok((asked, known)) = forward::aim(model) {
        let purpose = Purpose::Forward(Box::new(asked), false);
        model.prompt = Some(Prompt::new(purpose, &known));
    }
}

/// A key while the prompt is open.
pub fn press(model: &mut Model, seen: &Seen, key: Key) -> Vec<Effect> {
    let Some(mut prompt) = model.prompt.take() else {
        return vec![];
    };
    let history = match &prompt.purpose {
        Purpose::Run(_) | Purpose::RunInAll(_) => &model.commands,
        Purpose::Act(line) => deeds::typed::history(model, line),
        _ => &model.filters,
    };
    let typed = prompt.press(key, history);
    match &mut prompt.purpose {
        Purpose::Filter(before) => {
            let before = (**before).clone();
            filtering(model, prompt, typed, before);
            vec![]
        }
        Purpose::Palette(_) => choosing(model, seen, prompt, typed),
        Purpose::Logs(what) => {
            let what = *what;
            of_logs(model, seen, prompt, typed, what)
        }
        Purpose::View(ViewLine::Help) => {
            help::typed(model, prompt, typed);
            vec![]
        }
        Purpose::View(what) => {
            let what = *what;
            of_view(model, prompt, typed, what)
        }
        Purpose::Forward(..) => forwarding(model, prompt, typed),
        Purpose::CopyOut(_) => copying_out(model, prompt, typed),
        Purpose::Act(_) => deeds::typed::press(model, prompt, typed),
        Purpose::RunInAll(_) => running_in_all(model, prompt, typed),
        Purpose::Run(visit) => {
            let visit = visit.clone();
            running(model, prompt, typed, *visit)
        }
    }
}

fn forwarding(model: &mut Model, mut prompt: Prompt, typed: Typed) -> Vec<Effect> {
    let parsed = forward::parse(prompt.text());
    let Purpose::Forward(asked, warned) = &mut prompt.purpose else {
        return vec![];
    };
    match (typed, parsed) {
        (Typed::Cancel, _) => return vec![],
        (Typed::Changed, _) => {
            *warned = false;
            prompt.error = None;
        }
        (Typed::Accept, Ok(ports)) => {
            if *warned || !ports.iter().any(forward::Ports::is_wide) {
                asked.ports = ports;
                return vec![Effect::Forward(asked.clone())];
            }
            *warned = true;
            prompt.error = Some("opens it to the network: Enter once more to do so".to_owned());
        }
        (Typed::Accept, Err(why)) => prompt.error = Some(why),
        _ => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn running_in_all(model: &mut Model, prompt: Prompt, typed: Typed) -> Vec<Effect> {
    match typed {
        Typed::Cancel => return vec![],
        Typed::Accept if !prompt.text().trim().is_empty() => {
            let line = prompt.text().to_owned();
            remember(&mut model.commands, &line);
            if let Purpose::RunInAll(visits) = prompt.purpose {
                return ran::start(model, visits, &line);
            }
            return vec![];
        }
        _ => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn copying_out(model: &mut Model, prompt: Prompt, typed: Typed) -> Vec<Effect> {
    let Purpose::CopyOut(file) = &prompt.purpose else {
        return vec![];
    };
    match typed {
        Typed::Cancel => return vec![],
        Typed::Accept if !prompt.text().trim().is_empty() => {
            let path = prompt.text().trim().into();
            model.copying += 1;
            return vec![Effect::CopyOut(file.clone(), path)];
        }
        _ => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn running(model: &mut Model, prompt: Prompt, typed: Typed, mut visit: Visit) -> Vec<Effect> {
    match typed {
        Typed::Cancel => return vec![],
        Typed::Accept if !prompt.text().trim().is_empty() => {
            let line = prompt.text().to_owned();
            remember(&mut model.commands, &line);
            visit.errand = Errand::Command(line);
            return vec![Effect::Visit(Box::new(visit))];
        }
        _ => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn filtering(model: &mut Model, mut prompt: Prompt, typed: Typed, before: Narrowing) {
    match typed {
        Typed::Cancel => return model.home.narrow(before),
        Typed::Accept => return remember(&mut model.filters, prompt.text()),
        Typed::Changed => match Filter::parse(prompt.text()) {
            Ok(filter) => {
                prompt.error = None;
                let mut narrowing = model.home.narrowing.clone();
                narrowing.filters[model.home.focus.index()] = filter;
                model.home.narrow_to_best(narrowing);
            }
            // The rows stay as the last sound filter left them.
            Err(error) => prompt.error = Some(error),
        },
        Typed::Tab => {
            let mut narrowing = model.home.narrowing.clone();
            let own = narrowing.filters[model.home.focus.index()].clone();
            narrowing.filters = Panel::ALL.map(|_| own.clone());
            // Across panels means across pods too.
            model.home.every_pod = true;
            model.home.narrow(narrowing);
        }
        Typed::Nothing | Typed::Choose(_) => {}
    }
    model.prompt = Some(prompt);
}

fn of_logs(
    model: &mut Model,
    seen: &Seen,
    mut prompt: Prompt,
    typed: Typed,
    what: LogLine,
) -> Vec<Effect> {
    let now = model.clock.now;
    let area = command::area(seen);
    match typed {
        Typed::Cancel => return vec![],
        Typed::Accept if what == LogLine::Save => {
            let path = prompt.text().trim();
            let view = model.log().filter(|_| !path.is_empty());
            let export = view.map(|view| Effect::Save(Box::new(view.export()), path.into()));
            return export.into_iter().collect();
        }
        Typed::Changed => prompt.error = logs::check(what, prompt.text(), now).err(),
        Typed::Accept => {
            let text = prompt.text().to_owned();
            let Some(view) = model.log_mut() else {
                return vec![];
            };
            match view.typed(what, &text, now, area) {
                Ok(()) if what == LogLine::Fields => {
                    model.log_look.fields = view.look.fields.clone();
                    return vec![];
                }
                Ok(()) => {
                    remember(&mut model.filters, &text);
                    return vec![];
                }
                Err(error) => prompt.error = Some(error),
            }
        }
        Typed::Tab | Typed::Nothing | Typed::Choose(_) => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn of_view(model: &mut Model, mut prompt: Prompt, typed: Typed, what: ViewLine) -> Vec<Effect> {
    let sought = Sought::parse(prompt.text());
    match (typed, sought) {
        (Typed::Cancel, _) => return vec![],
        (Typed::Accept, Ok(sought)) => {
            let text = prompt.text().to_owned();
            remember(&mut model.filters, &text);
            let found = match what {
                ViewLine::Tree => model.tree_mut().is_some_and(|view| view.search(sought)),
                ViewLine::Help => true,
                ViewLine::Events => {
                    if let (Some(view), _) = model.events_mut() {
                        (view.filter, view.cursor) = (sought, None);
                    }
                    true
                }
                ViewLine::Audit => audit::narrow(model, sought),
                ViewLine::Lines => {
                    if let Some(view) = model.lines_mut() {
                        view.filter = sought;
                    }
                    true
                }
            };
            if !found {
                update::say(model, "nothing here matches; what is masked is never found");
            }
            return vec![];
        }
        (Typed::Changed | Typed::Accept, sought) => {
            prompt.error = sought.err().map(|why| why.to_string());
        }
        _ => {}
    }
    model.prompt = Some(prompt);
    vec![]
}

fn choosing(model: &mut Model, seen: &Seen, mut prompt: Prompt, typed: Typed) -> Vec<Effect> {
    let text = prompt.text().to_owned();
    let Purpose::Palette(palette) = &mut prompt.purpose else {
        return vec![];
    };
    let mut effects = vec![];
    match typed {
        Typed::Cancel if palette.previews => return vec![Effect::Preview(None)],
        Typed::Cancel => return vec![],
        Typed::Changed => {
            palette.find(&text);
            effects = palette.preview();
        }
        Typed::Choose(by) => {
            palette.choose(by);
            effects = palette.preview();
        }
        Typed::Tab => {
            if let Some(name) = palette.chosen().map(|entry| entry.name.clone()) {
                palette.find(&name);
                prompt.set(&name);
            }
        }
        Typed::Accept => {
            if let Some(entry) = palette.chosen().cloned() {
                return run(model, seen, entry);
            }
            let nearest = palette.nearest(&text).unwrap_or_default();
            prompt.error = Some(format!("nothing is called that; {nearest:?} is near"));
        }
        Typed::Nothing => {}
    }
    model.prompt = Some(prompt);
    effects
}

fn run(model: &mut Model, seen: &Seen, entry: Entry) -> Vec<Effect> {
    if let Some(reason) = entry.refused {
        update::say(model, &format!("{}: {reason}", entry.name));
        return vec![];
    }
    act(model, seen, entry.action)
}

fn act(model: &mut Model, seen: &Seen, action: Action) -> Vec<Effect> {
    match action {
        Action::Run(command) => return (command.run)(model, seen),
        Action::Theme(name) => {
            let line = format!("for this run; 'theme: {name}' in settings.yaml keeps it");
            update::say(model, &line);
            return vec![Effect::Theme(name)];
        }
        Action::Visit(visit) => return vec![Effect::Visit(visit)],
        Action::Namespace(name) => {
            let filter = Filter::parse(&format!("ns:{name}")).unwrap_or_default();
            let mut narrowing = model.home.narrowing.clone();
            narrowing.filters[Panel::Pods.index()].clone_from(&filter);
            narrowing.filters[Panel::Containers.index()] = filter;
            model.home.narrow(narrowing);
        }
        Action::Pod(id) => {
            model.home.narrow(Narrowing::default());
            model.home.go_to(id);
        }
    }
    vec![]
}
