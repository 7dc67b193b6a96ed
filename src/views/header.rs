//! The header: which node, which runtime, is it there, may I touch, is anything wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body};
use crate::confine::Confined;
use crate::format::{age, seconds_between};
use crate::link::{Link, Problem};
use crate::model::narrowing::Counts;
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::text::{width, wrap};

/// One piece of the header. Those with a high rank leave first.
struct Part {
    rank: u8,
    role: Role,
    text: String,
}

fn part(rank: u8, role: Role, text: impl Into<String>) -> Part {
    Part {
        rank,
        role,
        text: text.into(),
    }
}

/// Most lines for what is wrong with the connection and what to do.
const BANNER: usize = 4;

/// Lines that the header takes: more while the runtime is away.
pub fn height(cx: &Cx, width: u16) -> u16 {
    1 + u16::try_from(banner(cx, width).len()).unwrap_or(0)
}

/// What is wrong with the connection and what to do, above lists that are no longer true.
fn banner<'a>(cx: &Cx<'a>, width: u16) -> Vec<(&'a str, Role)> {
    let Link::Down { problem, .. } = &cx.model.node.link else {
        return vec![];
    };
    if !cx.model.store.loaded().pods {
        // The body says it all.
        return vec![];
    }
    let lines = |text: &'a Text, role| {
        wrap(text.as_str(), width)
            .into_iter()
            .map(move |l| (l, role))
    };
    let both = lines(&problem.what, Role::Bad).chain(lines(&problem.advice, Role::Warn));
    both.take(BANNER).collect()
}

/// Draws the header.
pub fn draw(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    let separator = format!(" {} ", cx.theme.glyphs().dot);
    let mut x = area.x;
    for (place, part) in fitting(parts(cx), area.width, width(&separator))
        .iter()
        .enumerate()
    {
        let line = |x| Rect {
            x,
            width: area.right().saturating_sub(x),
            height: 1,
            ..area
        };
        if place > 0 {
            x += body::line(cx, line(x), buffer, &separator, Role::Border);
        }
        x += body::line(cx, line(x), buffer, &part.text, part.role);
    }
    for ((text, role), y) in banner(cx, area.width)
        .into_iter()
        .zip(area.y + 1..area.bottom())
    {
        body::line(
            cx,
            Rect {
                y,
                height: 1,
                ..area
            },
            buffer,
            text,
            role,
        );
    }
}

fn fitting(mut parts: Vec<Part>, room: u16, gap: u16) -> Vec<Part> {
    let total = |parts: &[Part]| {
        parts.iter().map(|part| width(&part.text)).sum::<u16>()
            + gap * u16::try_from(parts.len().saturating_sub(1)).unwrap_or(0)
    };
    while total(&parts) > room {
        let worst = (0..parts.len()).max_by_key(|place| (parts[*place].rank, *place));
        match worst.filter(|place| parts[*place].rank > 0) {
            Some(place) => parts.remove(place),
            None => break,
        };
    }
    parts
}

fn parts(cx: &Cx) -> Vec<Part> {
    let node = &cx.model.node;
    let mut parts = Vec::new();
    if !node.read_only.is_empty() {
        parts.push(part(0, Role::Alert, read_only(node.kernel.as_ref())));
        let holds = node
            .kernel
            .as_ref()
            .filter(|kernel| !kernel.holds.is_empty());
        parts.extend(holds.map(|kernel| part(7, Role::Good, kernel.holds.join(", "))));
    }
    parts.push(part(1, Role::Title, node.name.as_str()));
    if let Some(version) = &node.version {
        parts.push(part(
            3,
            Role::Text,
            format!("{} {}", version.name, version.version),
        ));
    }
    let (role, text) = link(cx);
    parts.push(part(0, role, text));
    let forwards = &cx.model.forwards;
    match (forwards.wide(), forwards.list.len()) {
        (0, 0) => {}
        (0, all) => parts.push(part(4, Role::Text, format!("{all} forwarded"))),
        (wide, _) => {
            let text = format!(" {wide} forwarded to the network ");
            parts.push(part(0, Role::Alert, text));
        }
    }
    if let Some(pressure) = &node.pressure {
        parts.push(part(2, Role::Warn, pressure.as_str()));
    }
    if cx.model.store.loaded().containers && cx.model.store.loaded().pods {
        parts.extend(counts(cx));
    }
    parts.push(part(
        9,
        Role::Dim,
        format!("{} ({})", node.endpoint, node.endpoint_source),
    ));
    parts
}

/// How far the kernel itself sees to it.
fn read_only(kernel: Option<&Confined>) -> String {
    match kernel {
        None => " READ-ONLY ".to_owned(),
        Some(kernel) if kernel.lacks.is_empty() => " READ-ONLY+KERNEL ".to_owned(),
        Some(kernel) => {
            let (holds, lacks) = (kernel.holds.len(), kernel.lacks.len());
            format!(" READ-ONLY+KERNEL {holds}/{} ", holds + lacks)
        }
    }
}

fn link(cx: &Cx) -> (Role, String) {
    match &cx.model.node.link {
        Link::Connecting => (Role::Warn, "connecting".to_owned()),
        Link::Up => (Role::Good, "up".to_owned()),
        Link::Silent { since } => {
            let seconds = seconds_between(*since, cx.now());
            cx.shows_age(seconds);
            (Role::Alert, format!(" not answering for {} ", age(seconds)))
        }
        Link::Down { since, .. } => {
            let seconds = seconds_between(*since, cx.now());
            cx.shows_age(seconds);
            (
                Role::Alert,
                format!(" down for {}, retrying ", age(seconds)),
            )
        }
    }
}

fn counts(cx: &Cx) -> Vec<Part> {
    let Counts {
        pods,
        ready,
        containers,
        running,
        exited,
        trouble,
    } = cx.model.home.counts;
    let trouble = match trouble {
        // How they ended is not known yet.
        0 if !cx.model.fetches.settled() => part(0, Role::Dim, "looking"),
        0 => part(0, Role::Good, "no trouble"),
        n => part(0, Role::Bad, format!("{n} in trouble")),
    };
    let other = containers - running - exited;
    let other = if other == 0 {
        String::new()
    } else {
        format!(", {other} other")
    };
    vec![
        trouble,
        part(5, Role::Text, format!("{pods} pods, {ready} ready")),
        part(
            6,
            Role::Text,
            format!("{containers} containers, {running} running, {exited} exited{other}"),
        ),
    ]
}

/// What is wrong with the connection, in the middle of an empty screen.
pub fn problem(cx: &Cx, area: Rect, buffer: &mut Buffer, problem: &Problem) {
    let mut doc = crate::widgets::page::Doc::default();
    doc.title("The container runtime cannot be reached")
        .text(problem.what.as_str(), Role::Bad)
        .text("", Role::Text)
        .text(problem.advice.as_str(), Role::Text)
        .text("", Role::Text)
        .fact("endpoint", cx.model.node.endpoint.as_str())
        .fact("found", cx.model.node.endpoint_source.as_str())
        .text("", Role::Text)
        .text("critui goes on trying. R tries now, q quits.", Role::Dim);
    body::lines(area, buffer, &doc.lines(cx.theme, area.width), 0);
}
