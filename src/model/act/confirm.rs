//! The question before a change: what goes, what follows from it, and what crictl would be told.
//! It stands on Cancel.

use crossterm::event::KeyCode;

use crate::act::Act;
use crate::keys::Key;
use crate::model::act::choose::{Victim, Weight};
use crate::model::act::foresee::{Foreseen, Omen, Question};
use crate::model::{Effect, Model, update};
use crate::text::Text;

/// A question that is open.
#[derive(Debug)]
pub struct Confirm {
    /// Its number, for what is found out meanwhile.
    pub token: u64,
    /// The question.
    pub question: String,
    /// The word on the button that does it.
    pub word: &'static str,
    /// What it is about.
    pub victims: Vec<Victim>,
    /// What was found out; until then nothing can be confirmed.
    pub foreseen: Option<Foreseen>,
    /// The button under the cursor does it, instead of Cancel.
    pub yes: bool,
    /// First line that is shown.
    pub scroll: usize,
}

impl Confirm {
    /// Asks about `victims`.
    pub fn new(question: String, word: &'static str, victims: Vec<Victim>) -> Self {
        Self {
            token: 0,
            question,
            word,
            victims,
            foreseen: None,
            yes: false,
            scroll: 0,
        }
    }

    /// The crictl line for all of it.
    pub fn crictl(&self) -> String {
        let lines: Vec<String> = self.victims.iter().map(|one| one.act.crictl()).collect();
        lines.join(" && ")
    }

    /// What was found out about the victim at `place`.
    pub fn omen(&self, place: usize) -> Option<&Omen> {
        self.foreseen.as_ref()?.of.get(place)
    }

    /// Why it cannot be confirmed.
    pub fn refused(&self) -> Option<&'static str> {
        if self.foreseen.is_none() {
            return Some("one moment: it is being looked at");
        }
        let kills = |act: &Act| act.grace() == Some(0);
        let hopeless = |place: usize| self.omen(place).is_some_and(Omen::is_beyond_kill);
        let futile = self
            .victims
            .iter()
            .enumerate()
            .all(|(place, one)| kills(&one.act) && hopeless(place));
        if futile {
            return Some("a kill would not end it: see above");
        }
        let needed = |place: usize| self.omen(place).is_some_and(|omen| omen.needed);
        let none = (0..self.victims.len()).all(needed);
        none.then_some("it has to stay: see above")
    }

    /// Every victim by name, and what follows. Those of which the same is said stand together.
    pub fn lines(&self) -> Vec<(Weight, String)> {
        type Said = Vec<(Weight, String)>;
        let mut groups: Vec<(Vec<&Text>, Said)> = Vec::new();
        for (place, one) in self.victims.iter().enumerate() {
            let mut said = one.lines.clone();
            said.extend(self.omen(place).into_iter().flat_map(Omen::lines));
            match groups.iter_mut().find(|(_, lines)| *lines == said) {
                Some((names, _)) => names.push(&one.title),
                None => groups.push((vec![&one.title], said)),
            }
        }
        let mut lines = Vec::new();
        for (names, said) in groups {
            let names = names.into_iter();
            lines.extend(names.map(|name| (Weight::Name, name.to_string())));
            lines.extend(said);
        }
        lines
    }

    /// Where it is kept.
    pub fn kept(&self) -> (Weight, String) {
        match self.foreseen.as_ref().map(|foreseen| &foreseen.journal) {
            None => (Weight::Plain, "looking at it ...".to_owned()),
            Some(Ok(path)) => (Weight::Plain, format!("kept in the journal: {path}")),
            Some(Err(why)) => (Weight::Bad, format!("the journal will NOT keep it: {why}")),
        }
    }
}

/// Opens the question, and has everything looked at that it depends on.
pub fn ask(model: &mut Model, mut confirm: Confirm) -> Vec<Effect> {
    if confirm.victims.is_empty() {
        return vec![];
    }
    model.deeds.asked += 1;
    confirm.token = model.deeds.asked;
    let questions: Vec<Question> = confirm
        .victims
        .iter()
        .map(|one| one.looked_at.clone())
        .collect();
    let token = confirm.token;
    model.confirm = Some(confirm);
    vec![Effect::Foresee(token, questions)]
}

/// Takes what was found out.
pub fn foreseen(model: &mut Model, token: u64, seen: Foreseen) {
    if let Some(confirm) = model.confirm.as_mut().filter(|open| open.token == token) {
        confirm.foreseen = Some(seen);
    }
}

/// A key while a question is open.
pub fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(confirm) = &mut model.confirm else {
        return vec![];
    };
    match key.code() {
        KeyCode::Char('y' | 'Y') => return accept(model),
        KeyCode::Enter if confirm.yes => return accept(model),
        KeyCode::Enter | KeyCode::Esc | KeyCode::Char('n' | 'N' | 'q') => model.confirm = None,
        KeyCode::Tab
        | KeyCode::BackTab
        | KeyCode::Left
        | KeyCode::Right
        | KeyCode::Char('h' | 'l') => confirm.yes = !confirm.yes,
        KeyCode::Char('C') => return vec![Effect::Copy(confirm.crictl())],
        KeyCode::Down | KeyCode::Char('j') => confirm.scroll += 1,
        KeyCode::Up | KeyCode::Char('k') => confirm.scroll = confirm.scroll.saturating_sub(1),
        KeyCode::PageDown => confirm.scroll += 10,
        KeyCode::PageUp => confirm.scroll = confirm.scroll.saturating_sub(10),
        _ => update::say(model, "y does it, n or Esc does not"),
    }
    vec![]
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(confirm) = model.confirm.take() else {
        return vec![];
    };
    if let Some(why) = confirm.refused() {
        update::say(model, why);
        model.confirm = Some(confirm);
        return vec![];
    }
    let foreseen = confirm.foreseen.as_ref();
    let unrecorded = foreseen.is_some_and(|foreseen| foreseen.journal.is_err());
    let needed = |place: usize| confirm.omen(place).is_some_and(|omen| omen.needed);
    let victims = confirm.victims.iter().enumerate();
    let acts: Vec<(Act, Text)> = victims
        .filter(|(place, _)| !needed(*place))
        .map(|(_, one)| (one.act.clone(), one.title.clone()))
        .collect();
    let several = acts.len() > 1;
    model.deeds.add(acts, unrecorded);
    if several && model.layers.is_empty() {
        return super::open(model);
    }
    vec![]
}
