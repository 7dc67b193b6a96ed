//! The list of forwarded ports.

use std::net::SocketAddr;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body};
use crate::format::bytes;
use crate::model::forward::Forward;
use crate::theme::Role;
use crate::widgets::text::{cut_middle, width};

/// Draws the list below its title.
pub fn draw(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    let forwards = &cx.model.forwards;
    let line = |y: u16| Rect {
        y: area.y + y,
        height: 1,
        ..area
    };
    if forwards.list.is_empty() {
        let key = cx.model.keymap.key_of("forward");
        let key = key.map_or_else(|| ":forward".to_owned(), |key| key.to_string());
        let text = format!("no port is forwarded; {key} on a pod forwards one");
        body::line(cx, line(0), buffer, &text, Role::Dim);
        return;
    }
    // Room for the head; a long list scrolls with its cursor.
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (forwards.cursor + 1).saturating_sub(room);
    let pods = pods(&forwards.list, area.width);
    body::line(cx, line(0), buffer, &head(pods), Role::Dim);
    let shown = forwards.list.iter().enumerate().skip(first).take(room);
    for ((place, forward), y) in shown.zip(1..) {
        let row = row(forward, pods, cx.theme.glyphs().more);
        let chosen = place == forwards.cursor;
        let role = match (chosen, &forward.problem) {
            (true, _) => body::pick(cx, true, Role::Text),
            (false, Some(_)) => Role::Warn,
            _ if forward.ports.is_wide() => Role::Warn,
            _ => Role::Text,
        };
        body::line(cx, line(y), buffer, &row, role);
        if chosen {
            body::mark(cx, line(y), buffer);
        }
    }
}

/// Cells for the names of the pods.
fn pods(list: &[Forward], room: u16) -> u16 {
    let longest = list.iter().map(|one| width(one.title.as_str())).max();
    longest.unwrap_or(0).clamp(3, (room / 3).max(3))
}

fn head(pods: u16) -> String {
    let pods = usize::from(pods);
    format!(
        "{:21}  {:pods$}  {:>5}  {:>4}  {:>5}  {:>9}  {:>9}  STATE",
        "LISTENS AT", "POD", "PORT", "OPEN", "TOTAL", "SENT", "RECEIVED"
    )
}

fn row(forward: &Forward, pods: u16, more: &str) -> String {
    let ports = forward.ports;
    let at = SocketAddr::new(ports.bind, ports.local).to_string();
    let title = cut_middle(forward.title.as_str(), pods, more);
    let gap = usize::from(pods.saturating_sub(width(&title)));
    let state = match (&forward.problem, ports.is_wide()) {
        (Some(problem), _) => problem.to_string(),
        (None, true) => "open to the network".to_owned(),
        (None, false) => "listening".to_owned(),
    };
    format!(
        "{at:21}  {title}{:gap$}  {:>5}  {:>4}  {:>5}  {:>9}  {:>9}  {state}",
        "",
        ports.remote,
        forward.open,
        forward.total,
        bytes(forward.sent),
        bytes(forward.received),
    )
}
