//! The containers of a pod side by side.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{Cx, body};
use super::{milli, tenths};
use crate::format::bytes;
use crate::model::columns::{ROW_STEP, Stands};
use crate::model::top::{self, Member, TopView};
use crate::stats::load::percent;
use crate::theme::Role;
use crate::widgets::text::{cut_middle, width};

/// Draws it; how many lines it took.
pub fn draw(cx: &Cx, view: &TopView, members: &[Member], area: Rect, buffer: &mut Buffer) -> u16 {
    if area.height < 2 {
        return 0;
    }
    let names = members
        .iter()
        .map(|member| width(member.row.container.name.as_str()));
    let room = names.max().unwrap_or(0).clamp(10, (area.width / 3).max(10));
    let names = usize::from(room);
    let head = format!(
        "  {:names$}  {:>7}  {:>5}  {:>8}  {:>8}  {:>6}  {:>9}  STATUS",
        "CONTAINER", "CPU", "%LIM", "MEM", "LIMIT", "%LIM", "THROTTLED"
    );
    let line = |y: u16| Rect {
        y: area.y + y,
        height: 1,
        ..area
    };
    body::line(cx, line(0), buffer, &head, Role::Head);
    let all = std::iter::once(None).chain(members.iter().map(Some));
    // A long list scrolls with its cursor.
    let fitting = usize::from(area.height - 1);
    let first = (view.line + 1).saturating_sub(fitting);
    let mut y = 1;
    for (place, member) in all.enumerate().skip(first).take(fitting) {
        let chosen = match member {
            Some(member) => std::slice::from_ref(member),
            None => members,
        };
        let name = member.map_or("whole pod", |member| member.row.container.name.as_str());
        let name = cut_middle(name, room, cx.theme.glyphs().more);
        let (status, role) = member.map_or((String::new(), Role::Text), |member| {
            let row = &member.row;
            (row.verdict(cx.now(), ROW_STEP), row.standing().role())
        });
        let cells = cells(cx, chosen);
        let pad = " ".repeat(names - usize::from(width(&name)));
        let mark = if place == view.line { ">" } else { " " };
        let text = format!("{mark} {name}{pad}  {cells}  {status}");
        let role = body::pick(cx, place == view.line, role);
        body::line(cx, line(y), buffer, &text, role);
        y += 1;
    }
    y
}

fn cells(cx: &Cx, members: &[Member]) -> String {
    let now = top::now(cx.model, members);
    let dash = || "-".to_owned();
    let share = |used: Option<u64>, limit: Option<u64>| {
        used.zip(limit)
            .map_or_else(dash, |(used, limit)| format!("{}%", percent(used, limit)))
    };
    let cpu = now.cpu.map(|cpu| cpu.value);
    let limit = now.memory_limit.map(|limit| limit.value);
    format!(
        "{:>7}  {:>5}  {:>8}  {:>8}  {:>6}  {:>9}",
        cpu.map_or_else(dash, milli),
        share(cpu, now.cpu_limit.map(|limit| limit.value)),
        now.memory.map_or_else(dash, bytes),
        limit.map_or_else(dash, bytes),
        share(now.memory, limit),
        now.throttled.map_or_else(dash, tenths),
    )
}
