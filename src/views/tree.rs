//! A tree on the screen: a line for each node that is not folded away, its path below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value as Json;

use super::{Cx, body, crumbs};
use crate::model::inspect::view::Row;
use crate::model::{PageSeen, Seen, TreeView};
use crate::theme::Role;
use crate::tree::{Key, Tree, Value};
use crate::widgets::text::{cut_end, width, wrap};

/// Lines below the tree when a whole value is shown.
const WHOLE: u16 = 6;
/// Matches marked in one text at most.
const MARKED: usize = 20;

/// Its title.
pub fn title(view: &TreeView) -> String {
    let form = if view.json { "JSON" } else { "YAML" };
    format!("{form} {}", view.title)
}

/// Draws the view.
pub fn draw(cx: &Cx, view: &TreeView, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    body::titled(cx, area, buffer, &crumbs(cx, &title(view)), true);
    let inner = body::below_title(area);
    let below = if view.whole || view.revealed.is_some() {
        WHOLE
    } else {
        1
    };
    let below = below.min(inner.height.saturating_sub(1));
    let lines = Rect {
        height: inner.height - below,
        ..inner
    };
    seen.page = Some(PageSeen {
        lines: view.rows.len(),
        height: lines.height.into(),
    });
    let Some(tree) = &view.tree else {
        let answer = cx.model.inspections.of(&view.about);
        match answer {
            Some(Err(why)) => body::line(cx, inner, buffer, why.as_str(), Role::Bad),
            _ => body::line(cx, inner, buffer, "asking the runtime", Role::Dim),
        };
        return;
    };
    let shown = view.rows.iter().enumerate().skip(view.top);
    for ((nth, row), y) in shown.zip(lines.y..lines.bottom()) {
        let at = Rect {
            y,
            height: 1,
            ..lines
        };
        line(cx, (view, tree), *row, at, buffer);
        if nth == view.cursor {
            body::choose(cx, at, buffer);
        }
    }
    let foot = Rect {
        y: lines.bottom(),
        height: below,
        ..inner
    };
    status(cx, view, foot, buffer);
}

/// The path under the cursor, where it is, and the whole value if that is asked for.
fn status(cx: &Cx, view: &TreeView, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let matches = match &view.search {
        Some(sought) => match view.matches {
            0 => format!("no match for {:?}  ", sought.line()),
            1 => "1 match  ".to_owned(),
            n => format!("{n} matches  "),
        },
        None => String::new(),
    };
    let place = format!("{matches}{} of {}", view.cursor + 1, view.rows.len());
    let x = area.right().saturating_sub(width(&place).min(area.width));
    let right = Rect {
        x,
        width: area.right() - x,
        ..area
    };
    body::line(cx, right, buffer, &place, Role::Dim);
    let left = Rect {
        width: (x - area.x).saturating_sub(2),
        ..area
    };
    body::line(cx, left, buffer, &view.path(), Role::Accent);
    let shown = view.tree.as_ref().zip(view.node());
    let shown = shown.and_then(|(tree, at)| tree.shown(at));
    let (value, role) = match &view.revealed {
        Some(revealed) => (revealed.text.as_str(), Role::Warn),
        None => (shown.unwrap_or(""), Role::Text),
    };
    for (part, y) in wrap(value, area.width)
        .into_iter()
        .zip(area.y + 1..area.bottom())
    {
        body::line(cx, Rect { y, ..area }, buffer, part, role);
    }
}

/// One line: what folds, the name, the value.
fn line(cx: &Cx, (view, tree): (&TreeView, &Tree), row: Row, area: Rect, buffer: &mut Buffer) {
    let node = &tree.nodes()[row.node];
    // The root of YAML is not shown, so its children begin at the edge.
    let up = u16::from(!view.json);
    let indent = node
        .depth
        .saturating_sub(up)
        .saturating_mul(2)
        .min(area.width / 2);
    let branch = tree.is_branch(row.node) && tree.end(row.node) > row.node + 1;
    let folds = match (cx.theme.unicode(), view.is_folded(row.node)) {
        _ if !branch || row.closes => " ",
        (true, true) => "▸",
        (true, false) => "▾",
        (false, true) => ">",
        (false, false) => "v",
    };
    let mut pen = Pen {
        cx,
        view,
        area,
        x: area.x,
        buffer,
    };
    pen.x = pen.x.saturating_add(indent);
    pen.put(folds, Role::Dim);
    pen.x = pen.x.saturating_add(1);
    if row.closes {
        let close = if matches!(node.value, Value::List) {
            "]"
        } else {
            "}"
        };
        pen.put(close, Role::Dim);
    } else {
        pen.key(&node.key);
        match view.beside(row.node) {
            Some(first) => {
                pen.key(&tree.nodes()[first].key);
                pen.value(tree, first);
            }
            None => pen.value(tree, row.node),
        }
    }
    let above = tree.parent(row.node);
    let last = above.is_none_or(|above| tree.end(above) == tree.end(row.node));
    let opens = branch && !row.closes && !view.is_folded(row.node);
    if view.json && !last && !opens {
        pen.put(",", Role::Dim);
    }
}

/// Writes along one line.
struct Pen<'a> {
    cx: &'a Cx<'a>,
    view: &'a TreeView,
    area: Rect,
    x: u16,
    buffer: &'a mut Buffer,
}

impl Pen<'_> {
    fn put(&mut self, text: &str, role: Role) {
        let rest = Rect {
            x: self.x,
            width: self.area.right().saturating_sub(self.x),
            ..self.area
        };
        let cut = cut_end(text, rest.width, self.cx.theme.glyphs().more);
        let sought = self.view.search.as_ref().filter(|_| role != Role::Dim);
        body::line(self.cx, rest, self.buffer, &cut, role);
        for range in sought.map_or_else(Vec::new, |s| s.pattern().ranges(cut.as_bytes(), MARKED)) {
            let from = self.x + cut.get(..range.start).map_or(0, width);
            let wide = cut.get(range).map_or(0, width);
            let at = Rect {
                x: from,
                width: wide,
                height: 1,
                ..self.area
            };
            let style = self.cx.theme.style(Role::Match);
            self.buffer.set_style(at.intersection(self.area), style);
        }
        self.x = self.x.saturating_add(width(&cut));
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Root => {}
            Key::Item(_) if self.view.json => {}
            Key::Item(_) => self.put("- ", Role::Dim),
            Key::Name(name) if self.view.json => {
                self.put(&Json::from(name.as_str()).to_string(), Role::Accent);
                self.put(": ", Role::Dim);
            }
            Key::Name(name) => {
                self.put(name.as_str(), Role::Accent);
                self.put(": ", Role::Dim);
            }
        }
    }

    fn value(&mut self, tree: &Tree, at: usize) {
        let count = tree.children(at).take(1000).count();
        let (open, close) = match &tree.nodes()[at].value {
            Value::Text(text) if text.is_masked() => {
                return self.put(text.text.as_str(), Role::Warn);
            }
            Value::Text(text) => {
                let text = text.text.as_str();
                let quoted = self.view.json || is_ambiguous(text);
                let text = if quoted {
                    Json::from(text).to_string()
                } else {
                    text.to_owned()
                };
                return self.put(&text, Role::Text);
            }
            Value::Null => return self.put("null", Role::Dim),
            Value::Bool(_) | Value::Number(_) => {
                return self.put(tree.shown(at).unwrap_or(""), Role::Good);
            }
            Value::List => ("[", "]"),
            Value::Map => ("{", "}"),
        };
        if count == 0 {
            self.put(&format!("{open}{close}"), Role::Dim);
        } else if self.view.is_folded(at) {
            let more = self.cx.theme.glyphs().more;
            let count = if count == 1000 {
                "1000+".to_owned()
            } else {
                count.to_string()
            };
            self.put(&format!("{open}{more} {count}{close}"), Role::Dim);
        } else if self.view.json {
            self.put(open, Role::Dim);
        }
    }
}

/// A text that YAML would take for something else.
fn is_ambiguous(text: &str) -> bool {
    text.is_empty()
        || text.starts_with([
            ' ', '{', '[', '"', '\'', '#', '&', '*', '!', '|', '>', '%', '@', '`',
        ])
        || ["true", "false", "null", "~", "yes", "no"].contains(&text)
        || text == "-"
        || text.starts_with("- ")
        || text.parse::<f64>().is_ok()
}
