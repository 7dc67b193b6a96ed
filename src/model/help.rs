//! The page of help: about which view it was asked, and what is looked for in it.

use crate::model::prompt::{Prompt, Purpose, Typed, ViewLine};
use crate::model::{Effect, Layer, Model, Noun, Page};

/// The page of help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Help {
    /// What the keys were about when it was asked for.
    pub noun: Noun,
    /// What is looked for: words that all must be there. Empty shows everything.
    pub sought: String,
}

impl Help {
    /// Whether every word that is looked for is in one of `texts`, in whatever case.
    pub fn finds(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let sought = self.sought.to_lowercase();
        let found = |word: &str| texts.iter().any(|text| text.contains(word));
        sought.split_whitespace().all(found)
    }
}

/// Opens it, or closes it if it is open.
pub fn toggle(model: &mut Model) -> Vec<Effect> {
    if page(model).is_some() {
        model.layers.pop();
        return vec![];
    }
    let help = Help {
        noun: model.noun(),
        sought: String::new(),
    };
    model.layers.push(Layer {
        page: Page::Help(help),
        scroll: 0,
    });
    vec![]
}

/// The page, if it is on top.
fn page(model: &mut Model) -> Option<&mut Help> {
    match &mut model.layers.last_mut()?.page {
        Page::Help(help) => Some(help),
        _ => None,
    }
}

/// Opens the prompt for what is looked for.
pub fn search(model: &mut Model) -> Vec<Effect> {
    if let Some(help) = page(model) {
        let text = help.sought.clone();
        model.prompt = Some(Prompt::new(Purpose::View(ViewLine::Help), &text));
    }
    vec![]
}

/// Shows everything again; false if it is shown.
pub fn widen(model: &mut Model) -> bool {
    page(model).is_some_and(|help| !std::mem::take(&mut help.sought).is_empty())
}

/// Something was typed: what is left is shown at once.
pub fn typed(model: &mut Model, prompt: Prompt, typed: Typed) {
    if let Some(help) = page(model) {
        help.sought = match typed {
            Typed::Cancel => String::new(),
            _ => prompt.text().to_owned(),
        };
    }
    if let Some(layer) = model.layers.last_mut() {
        layer.scroll = 0;
    }
    if !matches!(typed, Typed::Cancel | Typed::Accept) {
        model.prompt = Some(prompt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", true)]
    #[case("  ", true)]
    #[case("LOGS", true)]
    #[case("attempt logs", true)]
    #[case("attempt image", false)]
    #[case("p", true)]
    fn all_words_must_be_there(#[case] sought: &str, #[case] expected: bool) {
        let help = Help {
            noun: Noun::Pod,
            sought: sought.to_owned(),
        };
        let texts = ["p", "logs-previous", "the logs of the Attempt before"];
        assert_eq!(help.finds(&texts), expected);
    }
}
