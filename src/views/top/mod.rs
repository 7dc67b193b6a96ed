//! What a pod or a container uses, over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body};
use crate::format::{age, bytes, seconds_between};
use crate::model::top::{self, Member, Now, TopView, WINDOWS};
use crate::stats::load::{percent, rounded};
use crate::theme::Role;
use crate::widgets::text::wrap;

mod breakdown;
mod graphs;
mod scale;

/// Cells below which a terminal is narrow.
const NARROW: u16 = 100;

/// The title of the page.
pub fn title(view: &TopView) -> String {
    let (_, window) = WINDOWS[view.window.min(WINDOWS.len() - 1)];
    format!("Statistics of {}: {window}", view.title)
}

/// Draws the page below its title.
pub fn draw(cx: &Cx, view: &TopView, area: Rect, buffer: &mut Buffer) {
    let members = top::members(cx.model, &view.subject);
    if members.is_empty() {
        body::line(
            cx,
            area,
            buffer,
            "It has no container on this node.",
            Role::Dim,
        );
        return;
    }
    let line = |y: u16| Rect {
        y: area.y + y,
        height: 1,
        ..area
    };
    let mut y = 0;
    let chosen = top::chosen(view, &members);
    let now = top::now(cx.model, &chosen);
    let mut put = |text: &str, role: Role| {
        for text in wrap(text, area.width) {
            if y < area.height {
                body::line(cx, line(y), buffer, text, role);
                y += 1;
            }
        }
    };
    let (text, role) = cpu(&now);
    put(&text, role);
    let (text, role) = memory(cx, &now, &chosen);
    put(&text, role);
    put(&began(cx, &now, area.width), Role::Dim);
    if let Some(problem) = &cx.model.stats.problem {
        put(problem.as_str(), Role::Bad);
    }
    if members.len() > 1 {
        let room = Rect {
            y: area.y + y,
            height: area.height.saturating_sub(y) / 3,
            ..area
        };
        y += breakdown::draw(cx, view, &members, room, buffer);
    }
    let rest = Rect {
        y: area.y + y.min(area.height),
        height: area.height.saturating_sub(y),
        ..area
    };
    if !cx.model.comfort.slow {
        graphs::draw(cx, view, &chosen, rest, buffer);
    }
}

/// CPU against its limit, and throttling.
fn cpu(now: &Now) -> (String, Role) {
    let used = now
        .cpu
        .map_or_else(|| "not known yet".to_owned(), |cpu| milli(cpu.value));
    let limit = now.cpu_limit.map(|limit| limit.value);
    let of = match (now.cpu, limit) {
        (Some(cpu), Some(limit)) => {
            format!(" of {} ({}%)", milli(limit), percent(cpu.value, limit))
        }
        (None, Some(limit)) => format!(", limit {}", milli(limit)),
        (_, None) => ", no limit".to_owned(),
    };
    let throttled = now.throttled.filter(|share| *share > 0);
    let throttled_text = throttled.map_or_else(String::new, |share| {
        format!(", kept from running {} of the time", tenths(share))
    });
    let role = match throttled {
        Some(250..) => Role::Bad,
        Some(50..) => Role::Warn,
        _ => Role::Text,
    };
    let tasks = now
        .pids
        .map_or_else(String::new, |pids| format!(", {pids} tasks"));
    (format!("CPU     {used}{of}{throttled_text}{tasks}"), role)
}

/// Memory against its limit, its peak and what was killed for it.
fn memory(cx: &Cx, now: &Now, chosen: &[Member]) -> (String, Role) {
    let used = now.memory.map_or_else(|| "not known".to_owned(), bytes);
    let limit = now.memory_limit.map(|limit| limit.value);
    let share = now
        .memory
        .zip(limit)
        .map(|(used, limit)| percent(used, limit));
    let of = match (share, limit) {
        (Some(share), Some(limit)) => format!(" of {} ({share}%)", bytes(limit)),
        (None, Some(limit)) => format!(", limit {}", bytes(limit)),
        _ => ", no limit".to_owned(),
    };
    let peak = now.peak.map_or_else(String::new, |peak| {
        format!(", peak {} with cache", bytes(peak))
    });
    let kills = top::kills(cx.model, chosen);
    let kills = match (kills.last(), now.oom_kills.filter(|kills| *kills > 0)) {
        (Some(last), count) => {
            let ago = cx.model.clock.uptime.saturating_sub(*last).as_secs();
            let times = count.map_or_else(String::new, |count| format!(" {}", times(count)));
            format!(", killed for it{times}, last {} ago", age(ago))
        }
        (None, Some(count)) => format!(", killed for it {}", times(count)),
        (None, None) => String::new(),
    };
    let role = match share {
        Some(95..) => Role::Bad,
        Some(80..) => Role::Warn,
        _ if !kills.is_empty() => Role::Warn,
        _ => Role::Text,
    };
    (format!("memory  {used}{of}{peak}{kills}"), role)
}

/// Since when there is a history, and where the numbers come from.
fn began(cx: &Cx, now: &Now, room: u16) -> String {
    let began = cx.model.stats.meters.began().map_or_else(
        || "not measured yet".to_owned(),
        |began| {
            let seconds = seconds_between(began, cx.now());
            cx.shows_age(seconds);
            let began = jiff::Timestamp::from_second(began.as_second()).unwrap_or(began);
            format!(
                "measured since {began} ({} ago), when critui began",
                age(seconds)
            )
        },
    );
    let cpu = now
        .cpu
        .map(|cpu| format!("CPU from {}", cpu.source.words()));
    let limit = now
        .memory_limit
        .map(|limit| format!("limit from {}", limit.source.words()));
    let all = [Some(began), cpu, limit].into_iter().flatten();
    // In a narrow terminal the graphs need the lines more.
    let most = if room < NARROW { 1 } else { 3 };
    all.take(most).collect::<Vec<_>>().join("; ")
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

/// Millionths of a core in thousandths.
fn milli(micro: u64) -> String {
    format!("{}m", rounded(micro))
}

/// Tenths of a percent.
fn tenths(share: u64) -> String {
    format!("{}.{}%", share / 10, share % 10)
}
