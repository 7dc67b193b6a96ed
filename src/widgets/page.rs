//! A page of facts: sections of named values, wrapped to the width.

use ratatui::text::{Line, Span};

use crate::theme::{Role, Theme};
use crate::widgets::text::{cut_middle, width, wrap};

/// A page, built from top to bottom.
#[derive(Debug, Default)]
pub struct Doc {
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    Title(String),
    Fact(String, String, Role),
    Text(String, Role),
}

/// Most cells that the names of facts take.
const NAMES: u16 = 24;

impl Doc {
    /// Starts a section.
    pub fn title(&mut self, title: impl Into<String>) -> &mut Self {
        self.entries.push(Entry::Title(title.into()));
        self
    }

    /// Adds a named value.
    pub fn fact(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.fact_as(name, value, Role::Text)
    }

    /// Adds a named value with a meaning.
    pub fn fact_as(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        role: Role,
    ) -> &mut Self {
        self.entries
            .push(Entry::Fact(name.into(), value.into(), role));
        self
    }

    /// Adds a named value if there is one.
    pub fn maybe(&mut self, name: &str, value: Option<impl Into<String>>) -> &mut Self {
        if let Some(value) = value {
            self.fact(name, value);
        }
        self
    }

    /// Adds running text.
    pub fn text(&mut self, text: impl Into<String>, role: Role) -> &mut Self {
        self.entries.push(Entry::Text(text.into(), role));
        self
    }

    /// Adds all of another page.
    pub fn append(&mut self, mut other: Self) -> &mut Self {
        self.entries.append(&mut other.entries);
        self
    }

    /// Nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values, without titles and running text.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Fact(name, value, _) => Some((name.as_str(), value.as_str())),
            Entry::Title(_) | Entry::Text(..) => None,
        })
    }

    /// The page in lines of `room` cells.
    pub fn lines(&self, theme: &Theme, room: u16) -> Vec<Line<'static>> {
        let names = self.entries.iter().filter_map(|entry| match entry {
            Entry::Fact(name, ..) => Some(width(name)),
            Entry::Title(_) | Entry::Text(..) => None,
        });
        let names = names.max().unwrap_or(0).min(NAMES).min(room / 2);
        let mut lines = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Title(title) => {
                    if !lines.is_empty() {
                        lines.push(Line::default());
                    }
                    lines.extend(styled(title, room, theme, Role::Title));
                }
                Entry::Text(text, role) => lines.extend(styled(text, room, theme, *role)),
                Entry::Fact(name, value, role) => {
                    lines.extend(fact(name, value, *role, names, room, theme));
                }
            }
        }
        lines
    }
}

fn styled<'a>(
    text: &'a str,
    room: u16,
    theme: &'a Theme,
    role: Role,
) -> impl Iterator<Item = Line<'static>> + 'a {
    wrap(text, room)
        .into_iter()
        .map(move |part| Line::styled(part.to_owned(), theme.style(role)))
}

fn fact(
    name: &str,
    value: &str,
    role: Role,
    names: u16,
    room: u16,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let indent = names + 2;
    let parts = wrap(value, room.saturating_sub(indent).max(1));
    let name = cut_middle(name, names, theme.glyphs().more);
    let head = |place: usize| if place == 0 { &*name } else { "" };
    let line = |(place, part): (usize, &str)| {
        let head = head(place);
        let name = format!("{head}{:1$}", "", usize::from(indent - width(head)));
        Line::from(vec![
            Span::styled(name, theme.style(Role::Dim)),
            Span::styled(part.to_owned(), theme.style(role)),
        ])
    };
    parts.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{Ability, Depth};

    fn shown(name: &str, room: u16) -> Vec<String> {
        let ability = Ability {
            depth: Depth::None,
            unicode: true,
        };
        let theme = Theme::named("default", ability).unwrap();
        let mut doc = Doc::default();
        doc.fact(name, "exit 1");
        let lines = doc.lines(&theme, room);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_long_name_does_not_push_its_value_off_the_page() {
        let name = "kube-controller-manager-of-the-second-cluster #12";
        assert_eq!(shown(name, 40), ["kube-contr…uster #12  exit 1"]);
        assert_eq!(shown(name, 60), ["kube-control…cluster #12  exit 1"]);
    }

    #[test]
    fn wide_characters_are_counted_as_wide() {
        assert_eq!(shown("日本", 40), ["日本  exit 1"]);
    }
}
