//! One list: its title, its columns, its rows.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::title::title;
use super::{Cx, body};
use crate::format::seconds_between;
use crate::model::arrange::Arrangement;
use crate::model::columns::{
    CONTAINERS, Column, Cut, IMAGES, OF_THE_POD, POD_IP, PODS, ROW_STEP, Standing, Stands,
};
use crate::model::list::{List, Sort};
use crate::model::rows::{ContainerRow, ImageRow, PodRow, Row};
use crate::model::{Page, Panel, PanelSeen};
use crate::theme::Role;
use crate::widgets::table::{Cell, GAP, Slot, draw_row};
use crate::widgets::text::width;

mod plan;

use plan::{HIDDEN, Plan, plan};

/// Cells before the first column: glyph and space.
const MARGIN: u16 = 2;

/// Draws one panel in full.
pub fn draw(cx: &Cx, panel: Panel, area: Rect, buffer: &mut Buffer) -> PanelSeen {
    body::titled(
        cx,
        area,
        buffer,
        &title(cx, panel, area.width),
        cx.model.home.focus == panel,
    );
    let inner = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    match panel {
        Panel::Pods => list(cx, panel, &cx.model.home.pods, &PODS, inner, buffer),
        Panel::Containers => list(
            cx,
            panel,
            &cx.model.home.containers,
            &CONTAINERS,
            inner,
            buffer,
        ),
        Panel::Images => list(cx, panel, &cx.model.home.images, &IMAGES, inner, buffer),
    }
}

/// Draws one panel as a line.
pub fn collapsed(cx: &Cx, panel: Panel, area: Rect, buffer: &mut Buffer) {
    body::titled(cx, area, buffer, &title(cx, panel, area.width), false);
}

/// What a row asks for beyond the trait of its columns: when it changes by itself.
trait Ticks {
    fn tick(&self, cx: &Cx);
}

impl Ticks for PodRow {
    fn tick(&self, cx: &Cx) {
        tick(cx, self.pod.created_at);
        let trouble = self.trouble.as_ref().map(|(_, trouble)| trouble);
        if let Some(seconds) = trouble.and_then(|t| t.changes_in(cx.now(), ROW_STEP)) {
            cx.wake_in(seconds);
        }
    }
}

impl Ticks for ContainerRow {
    fn tick(&self, cx: &Cx) {
        tick(cx, self.container.created_at);
        let trouble = self.trouble.as_ref();
        if let Some(seconds) = trouble.and_then(|t| t.changes_in(cx.now(), ROW_STEP)) {
            cx.wake_in(seconds);
        }
    }
}

impl Ticks for ImageRow {
    fn tick(&self, _: &Cx) {}
}

fn tick(cx: &Cx, created_at: Option<jiff::Timestamp>) {
    if let Some(at) = created_at {
        cx.shows_age(seconds_between(at, cx.now()));
    }
}

fn list<R: Row + Stands + Ticks>(
    cx: &Cx,
    panel: Panel,
    list: &List<R>,
    columns: &'static [Column<R>],
    area: Rect,
    buffer: &mut Buffer,
) -> PanelSeen {
    let rows_area = Rect {
        y: area.y + area.height.min(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    let visible: Vec<&Arc<R>> = list
        .rows()
        .iter()
        .skip(list.offset())
        .take(rows_area.height.into())
        .collect();
    let now = cx.now();
    let mut widths = vec![0; columns.len()];
    for row in &visible {
        row.tick(cx);
        for (width_of, column) in widths.iter_mut().zip(columns) {
            *width_of = (*width_of).max(width(&(column.cell)(row, now).text));
        }
    }
    let planned = plan(
        &slots(cx, panel, columns, list.sort, &widths),
        arrangement(cx, panel),
        cx.model.home.arranged.shift[panel.index()],
        area.width.saturating_sub(MARGIN),
    );
    if visible.is_empty() {
        empty(cx, panel, rows_area, buffer);
    } else {
        heads(cx, panel, columns, &planned, list.sort, area, buffer);
    }
    for (place, row) in visible.iter().enumerate() {
        let y = rows_area.y + u16::try_from(place).unwrap_or(0);
        let line = Rect {
            y,
            height: 1,
            ..rows_area
        };
        let selected = list.offset() + place == list.cursor() && cx.model.home.focus == panel;
        let marked = list.is_marked(row.id());
        draw_one(
            cx,
            panel,
            row.as_ref(),
            columns,
            &planned,
            line,
            (selected, marked),
            buffer,
        );
    }
    let shows = |wanted: fn(usize, &Column<R>) -> bool| {
        let mut shown = planned.shown.iter();
        shown.any(|(place, _)| wanted(*place, &columns[*place]))
    };
    let shows_ip = panel == Panel::Pods && shows(|place, _| place == POD_IP);
    let shows_load = shows(|_, column| column.live);
    PanelSeen {
        rows: rows_area,
        widths,
        columns: spans(rows_area, &planned),
        more: planned.more,
        shift: planned.shift,
        shows_ip,
        shows_load,
    }
}

/// Where each column that is shown begins and ends.
fn spans(area: Rect, planned: &Plan) -> Vec<(u16, u16, usize)> {
    let mut x = area.x + MARGIN;
    let mut spans = Vec::new();
    for (place, room) in &planned.shown {
        spans.push((x, x + room, *place));
        x += room + GAP;
    }
    spans
}

/// The panel's columns as they are, or as an open dialog would have them.
fn arrangement<'a>(cx: &Cx<'a>, panel: Panel) -> &'a Arrangement {
    match cx.model.layers.last().map(|layer| &layer.page) {
        Some(Page::Columns(dialog)) if dialog.panel == panel => &dialog.draft,
        _ => &cx.model.home.arranged.columns[panel.index()],
    }
}

fn slots<R>(cx: &Cx, panel: Panel, columns: &[Column<R>], sort: Sort, drawn: &[u16]) -> Vec<Slot> {
    let before = &cx.model.home.widths[panel.index()];
    let fits = arrangement(cx, panel).chosen().is_none();
    let slot = |(place, column): (usize, &Column<R>)| {
        let want = drawn[place].max(before.get(place).copied().unwrap_or(0));
        // The head of the sorted column carries an arrow.
        let head = width(column.head) + u16::from(sort.column == Some(place));
        let least = column.width.0.min(column.width.1).max(head);
        // No column is wider than what it holds, so that a small list stays together.
        let content = want.max(head);
        let most = column.width.1.max(least);
        // What was asked for by name is there before it is known, and on a slow line too, where
        // numbers that change each time are not there by themselves.
        let slow = cx.model.comfort.slow;
        let unasked = column.live && fits && (slow || cx.model.stats.meters.is_empty());
        if hidden(cx, panel, place) || unasked || (column.sparks && slow) {
            return HIDDEN;
        }
        Slot {
            least: least.min(content),
            want: content.min(most),
            rank: column.rank,
        }
    };
    columns.iter().enumerate().map(slot).collect()
}

/// The containers of one pod need not say which pod.
fn hidden(cx: &Cx, panel: Panel, place: usize) -> bool {
    panel == Panel::Containers && cx.model.home.of_pod.is_some() && OF_THE_POD.contains(&place)
}

fn heads<R>(
    cx: &Cx,
    panel: Panel,
    columns: &[Column<R>],
    planned: &Plan,
    sort: Sort,
    area: Rect,
    buffer: &mut Buffer,
) {
    let arrows = cx.theme.glyphs().arrows;
    let cells = planned.shown.iter().map(|(place, room)| {
        let column = &columns[*place];
        let sorted = sort.column == Some(*place);
        let text = if sorted {
            format!("{}{}", column.head, arrows[usize::from(sort.reverse)])
        } else {
            column.head.to_owned()
        };
        let role = if sorted { Role::Focus } else { Role::Head };
        (
            *room,
            Cell {
                text: text.into(),
                role,
                right: column.right,
                middle: false,
            },
        )
    });
    let line = Rect {
        x: area.x + MARGIN,
        width: area.width - MARGIN,
        height: 1,
        ..area
    };
    draw_row(buffer, line, cx.theme, cells, false, &|_| vec![]);
    // Where there is more, for who has scrolled or chosen: what fits by itself hides by design.
    let own = arrangement(cx, panel).chosen().is_some();
    let shift = cx.model.home.arranged.shift[panel.index()];
    let [left, right] = cx.theme.glyphs().sides;
    let style = cx.theme.style(Role::Accent);
    if shift > 0 {
        buffer.set_string(area.x, area.y, left, style);
    }
    if planned.more && (own || shift > 0) {
        buffer.set_string(area.right().saturating_sub(1), area.y, right, style);
    }
}

// One row needs all of this, and a struct for one call would only hide it.
#[allow(clippy::too_many_arguments)]
fn draw_one<R: Stands>(
    cx: &Cx,
    panel: Panel,
    row: &R,
    columns: &[Column<R>],
    planned: &Plan,
    line: Rect,
    (selected, marked): (bool, bool),
    buffer: &mut Buffer,
) {
    let glyphs = cx.theme.glyphs();
    let standing = row.standing();
    let glyph = match standing {
        _ if marked => glyphs.mark,
        Standing::Bad | Standing::Warn => glyphs.bad,
        Standing::Good => glyphs.good,
        Standing::Past => glyphs.past,
    };
    buffer.set_stringn(line.x, line.y, glyph, 1, cx.theme.style(standing.role()));
    if selected && cx.model.comfort.slow {
        // Two cells change when the cursor moves, and no more.
        buffer.set_string(line.x + 1, line.y, ">", cx.theme.style(Role::Text));
    }
    let selected = selected && !cx.model.comfort.slow;
    let past = standing == Standing::Past;
    let cells = planned.shown.iter().map(|(place, room)| {
        let column = &columns[*place];
        let cell = (column.cell)(row, cx.now());
        let role = if past && cell.role == Role::Text {
            Role::Dim
        } else {
            cell.role
        };
        let middle = column.cut == Cut::Middle;
        let text = if column.live && !cx.theme.unicode() {
            plain(&cell.text).into()
        } else {
            cell.text
        };
        (
            *room,
            Cell {
                text,
                role,
                right: column.right,
                middle,
            },
        )
    });
    let rest = Rect {
        x: line.x + MARGIN,
        width: line.width - MARGIN,
        ..line
    };
    let filter = cx.model.home.narrowing.filters[panel.index()].as_ref();
    let matched = |text: &str| filter.map_or_else(Vec::new, |filter| filter.matched(text));
    draw_row(buffer, rest, cx.theme, cells, selected, &matched);
}

/// A trend for a terminal without blocks.
fn plain(text: &str) -> String {
    let level = |c: char| match c {
        '▁' => '.',
        '▂' | '▃' => ':',
        '▄' | '▅' => '+',
        '▆' | '▇' => '*',
        '█' => '#',
        other => other,
    };
    text.chars().map(level).collect()
}

fn empty(cx: &Cx, panel: Panel, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let loaded = cx.model.store.loaded();
    let known = [loaded.pods, loaded.containers, loaded.images][panel.index()];
    let narrowing = &cx.model.home.narrowing;
    let narrowed = narrowing.only_trouble || narrowing.filters[panel.index()].is_some();
    let text = match (known, panel) {
        (false, _) => "waiting for the runtime",
        _ if narrowed => "nothing matches",
        (true, Panel::Pods) => "no pods on this node",
        (true, Panel::Containers) if cx.model.home.of_pod.is_some() => "this pod has no containers",
        (true, Panel::Containers) => "no containers on this node",
        (true, Panel::Images) => "no images on this node",
    };
    let of_pod = panel == Panel::Containers && cx.model.home.of_pod.is_some();
    let more = match cx.model.keymap.key_of("widen") {
        Some(key) if known && narrowed => format!("; {key} drops all narrowing"),
        Some(key) if known && of_pod => format!("; {key} shows those of every pod"),
        _ => String::new(),
    };
    body::line(cx, area, buffer, &format!("  {text}{more}"), Role::Dim);
}
