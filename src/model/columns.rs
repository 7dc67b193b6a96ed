//! The columns of the three lists, as literals: typed cells over typed rows, so that sorting and
//! colouring never parse text again.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use jiff::Timestamp;

use crate::domain::{ContainerState, PodState};
use crate::format::{age, bytes, seconds_between};
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::model::trouble::Trouble;
use crate::text::Text;
use crate::theme::Role;

mod load;

/// Countdowns in rows change in steps of so many seconds.
pub const ROW_STEP: u64 = 10;

/// What stands in a cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// The text; it is safe to show.
    pub text: Cow<'a, str>,
    /// What it means.
    pub role: Role,
}

impl<'a> Cell<'a> {
    fn new(text: impl Into<Cow<'a, str>>, role: Role) -> Self {
        Self {
            text: text.into(),
            role,
        }
    }

    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(text, Role::Text)
    }

    fn dim(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(text, Role::Dim)
    }
}

/// Where a text that is too long is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// At its end.
    End,
    /// In its middle: the ends of names tell pods apart.
    Middle,
}

/// One column.
pub struct Column<R: 'static> {
    /// Head.
    pub head: &'static str,
    /// Least and greatest width in terminal cells.
    pub width: (u16, u16),
    /// Columns with a high number leave first when there is little room.
    pub rank: u8,
    /// Aligned to the right.
    pub right: bool,
    /// Where it is cut.
    pub cut: Cut,
    /// What stands in it.
    pub cell: for<'r> fn(&'r R, Timestamp) -> Cell<'r>,
    /// How it sorts.
    pub order: fn(&R, &R) -> Ordering,
    /// It is known only while it is measured.
    pub live: bool,
    /// It draws a trend, which changes each time.
    pub sparks: bool,
}

impl<R> Clone for Column<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Column<R> {}

impl<R> std::fmt::Debug for Column<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.head)
    }
}

const fn column<R>(
    head: &'static str,
    width: (u16, u16),
    rank: u8,
    cell: for<'r> fn(&'r R, Timestamp) -> Cell<'r>,
    order: fn(&R, &R) -> Ordering,
) -> Column<R> {
    Column {
        head,
        width,
        rank,
        right: false,
        cut: Cut::End,
        cell,
        order,
        live: false,
        sparks: false,
    }
}

const fn right<R>(column: Column<R>) -> Column<R> {
    Column {
        right: true,
        ..column
    }
}

const fn middle<R>(column: Column<R>) -> Column<R> {
    Column {
        cut: Cut::Middle,
        ..column
    }
}

fn age_cell(at: Option<Timestamp>, now: Timestamp) -> Cell<'static> {
    Cell::dim(at.map_or_else(String::new, |at| age(seconds_between(at, now))))
}

/// How a row stands, for its glyph and its verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// In trouble.
    Bad,
    /// Recovering, or odd.
    Warn,
    /// As it should be.
    Good,
    /// Ended or superseded.
    Past,
}

impl Standing {
    /// The role that carries it.
    pub fn role(self) -> Role {
        match self {
            Self::Bad => Role::Bad,
            Self::Warn => Role::Warn,
            Self::Good => Role::Good,
            Self::Past => Role::Dim,
        }
    }
}

/// What a list row must tell beyond its cells.
pub trait Stands {
    /// How it stands.
    fn standing(&self) -> Standing;
    /// Whether it is in trouble.
    fn in_trouble(&self) -> bool;
    /// The default order: trouble first.
    fn by_trouble(&self, other: &Self) -> Ordering;
}

impl Stands for PodRow {
    fn standing(&self) -> Standing {
        match &self.trouble {
            Some((_, trouble)) if trouble.severity() > 1 => Standing::Bad,
            Some(_) => Standing::Warn,
            None if self.superseded => Standing::Past,
            None if self.pod.state == PodState::NotReady && self.running > 0 => Standing::Warn,
            None if self.pod.state == PodState::Ready => Standing::Good,
            None => Standing::Past,
        }
    }

    fn in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    fn by_trouble(&self, other: &Self) -> Ordering {
        let severity = |row: &Self| row.trouble.as_ref().map(|(_, t)| Reverse(t.severity()));
        let rank = |row: &Self| severity(row).unwrap_or(Reverse(0));
        rank(self)
            .cmp(&rank(other))
            .then_with(|| self.superseded.cmp(&other.superseded))
            .then_with(|| self.pod.namespace.cmp(&other.pod.namespace))
            .then_with(|| self.pod.name.cmp(&other.pod.name))
            .then_with(|| other.pod.created_at.cmp(&self.pod.created_at))
            .then_with(|| self.pod.id.cmp(&other.pod.id))
    }
}

impl Stands for ContainerRow {
    fn standing(&self) -> Standing {
        match (&self.trouble, self.container.state) {
            (Some(trouble), _) if trouble.severity() > 1 => Standing::Bad,
            (Some(_), _) => Standing::Warn,
            (None, _) if self.superseded => Standing::Past,
            (None, ContainerState::Running) => Standing::Good,
            (None, ContainerState::Unknown) => Standing::Bad,
            (None, _) => Standing::Past,
        }
    }

    fn in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    fn by_trouble(&self, other: &Self) -> Ordering {
        let rank = |row: &Self| Reverse(row.trouble.as_ref().map_or(0, Trouble::severity));
        rank(self)
            .cmp(&rank(other))
            .then_with(|| self.superseded.cmp(&other.superseded))
            .then_with(|| self.namespace().cmp(other.namespace()))
            .then_with(|| self.pod_name().cmp(other.pod_name()))
            .then_with(|| self.container.name.cmp(&other.container.name))
            .then_with(|| other.container.created_at.cmp(&self.container.created_at))
            .then_with(|| self.container.id.cmp(&other.container.id))
    }
}

impl Stands for ImageRow {
    fn standing(&self) -> Standing {
        if self.used_by > 0 || self.image.pinned {
            Standing::Good
        } else {
            Standing::Past
        }
    }

    fn in_trouble(&self) -> bool {
        false
    }

    fn by_trouble(&self, other: &Self) -> Ordering {
        self.name
            .cmp(&other.name)
            .then_with(|| self.image.id.cmp(&other.image.id))
    }
}

/// Columns of the pods.
pub static PODS: [Column<PodRow>; 11] = [
    middle(column(
        "NAME",
        (12, 48),
        0,
        |row, _| Cell::text(row.pod.name.as_str()),
        |a, b| a.pod.name.cmp(&b.pod.name),
    )),
    column(
        "NAMESPACE",
        (6, 20),
        3,
        |row, _| Cell::text(row.pod.namespace.as_str()),
        |a, b| a.pod.namespace.cmp(&b.pod.namespace),
    ),
    right(column(
        "READY",
        (5, 5),
        4,
        |row, _| {
            let short = row.running < row.total && !row.completed;
            let role = if short && !row.superseded {
                Role::Warn
            } else {
                Role::Text
            };
            Cell::new(format!("{}/{}", row.running, row.total), role)
        },
        |a, b| a.running.cmp(&b.running).then(a.total.cmp(&b.total)),
    )),
    column(
        "STATUS",
        (14, 44),
        0,
        |row, now| Cell::new(row.verdict(now, ROW_STEP), row.standing().role()),
        Stands::by_trouble,
    ),
    load::cpu(5),
    load::memory(5),
    right(column(
        "RESTARTS",
        (8, 8),
        6,
        |row, _| count(row.restarts),
        |a, b| b.restarts.cmp(&a.restarts),
    )),
    right(column(
        "AGE",
        (5, 6),
        2,
        |row, now| age_cell(row.pod.created_at, now),
        |a, b| b.pod.created_at.cmp(&a.pod.created_at),
    )),
    column(
        "IP",
        (8, 39),
        7,
        |row, _| Cell::dim(row.ip()),
        |a, b| a.ip().cmp(b.ip()),
    ),
    right(column(
        "ATTEMPT",
        (7, 7),
        9,
        |row, _| count(row.pod.attempt),
        |a, b| b.pod.attempt.cmp(&a.pod.attempt),
    )),
    column(
        "SANDBOX ID",
        (13, 13),
        8,
        |row, _| Cell::dim(row.pod.id.short()),
        |a, b| a.pod.id.cmp(&b.pod.id),
    ),
];

/// The column of [`PODS`] that needs each pod's status.
pub const POD_IP: usize = 8;

/// Columns of the containers.
pub static CONTAINERS: [Column<ContainerRow>; 13] = [
    middle(column(
        "NAME",
        (10, 30),
        0,
        |row, _| Cell::text(row.container.name.as_str()),
        |a, b| a.container.name.cmp(&b.container.name),
    )),
    middle(column(
        "POD",
        (10, 40),
        3,
        |row, _| Cell::text(row.pod_name()),
        |a, b| a.pod_name().cmp(b.pod_name()),
    )),
    column(
        "NAMESPACE",
        (6, 20),
        8,
        |row, _| Cell::text(row.namespace()),
        |a, b| a.namespace().cmp(b.namespace()),
    ),
    column(
        "STATUS",
        (14, 44),
        0,
        |row, now| Cell::new(row.verdict(now, ROW_STEP), row.standing().role()),
        Stands::by_trouble,
    ),
    load::cpu(3),
    load::memory(3),
    load::percent(4),
    load::trend(4),
    right(column(
        "ATTEMPT",
        (7, 7),
        6,
        |row, _| count(row.container.attempt),
        |a, b| b.container.attempt.cmp(&a.container.attempt),
    )),
    right(column(
        "AGE",
        (5, 6),
        2,
        |row, now| age_cell(row.container.created_at, now),
        |a, b| b.container.created_at.cmp(&a.container.created_at),
    )),
    middle(column(
        "IMAGE",
        (12, 44),
        4,
        |row, _| Cell::dim(image(&row.image)),
        |a, b| a.image.cmp(&b.image),
    )),
    column(
        "CONTAINER ID",
        (13, 13),
        7,
        |row, _| Cell::dim(row.container.id.short()),
        |a, b| a.container.id.cmp(&b.container.id),
    ),
    column(
        "SANDBOX ID",
        (13, 13),
        9,
        |row, _| Cell::dim(row.container.pod_id.short()),
        |a, b| a.container.pod_id.cmp(&b.container.pod_id),
    ),
];

/// The columns of [`CONTAINERS`] that say of which pod a container is.
pub const OF_THE_POD: [usize; 3] = [1, 2, 12];

/// Columns of the images.
pub static IMAGES: [Column<ImageRow>; 6] = [
    middle(column(
        "IMAGE",
        (16, 70),
        0,
        |row, _| Cell::text(row.name.as_str()),
        |a, b| a.name.cmp(&b.name),
    )),
    right(column(
        "SIZE",
        (7, 8),
        1,
        |row, _| Cell::text(bytes(row.image.size)),
        |a, b| b.image.size.cmp(&a.image.size),
    )),
    right(column(
        "USED BY",
        (8, 8),
        2,
        |row, _| match (row.running, row.used_by) {
            (0, 0) if row.image.pinned => Cell::dim("pinned"),
            (0, 0) if row.is_pause() => Cell::dim("pause"),
            (0, 0) if row.is_dangling() => Cell::new("dangling", Role::Warn),
            (0, 0) => Cell::new("unused", Role::Dim),
            // Nothing runs from it, but what is dead still needs it.
            (0, n) => Cell::dim(format!("{n} ended")),
            (n, _) => Cell::text(n.to_string()),
        },
        |a, b| (b.running, b.used_by).cmp(&(a.running, a.used_by)),
    )),
    column(
        "TAGS",
        (5, 5),
        5,
        |row, _| count(u32::try_from(row.image.tags.len()).unwrap_or(u32::MAX)),
        |a, b| b.image.tags.len().cmp(&a.image.tags.len()),
    ),
    column(
        "IMAGE ID",
        (13, 13),
        3,
        |row, _| Cell::dim(row.image.id.short()),
        |a, b| a.image.id.cmp(&b.image.id),
    ),
    column(
        "DIGEST",
        (13, 13),
        6,
        |row, _| Cell::dim(digest(row)),
        |a, b| digest(a).cmp(digest(b)),
    ),
];

/// The first digits of the first digest.
fn digest(row: &ImageRow) -> &str {
    let digest = row.image.digests.first().map_or("", Text::as_str);
    let hex = digest.rsplit(':').next().unwrap_or_default();
    hex.char_indices().nth(13).map_or(hex, |(at, _)| &hex[..at])
}

fn count(n: u32) -> Cell<'static> {
    if n == 0 {
        Cell::dim("0")
    } else {
        Cell::text(n.to_string())
    }
}

/// An image's name without what says least: the default registry, and all but twelve digits of
/// a bare id.
fn image(name: &Text) -> Cow<'_, str> {
    let name = name.as_str();
    let name = name.strip_prefix("docker.io/library/").unwrap_or(name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    match name.strip_prefix("sha256:") {
        Some(hex) => Cow::Owned(hex.chars().take(13).collect()),
        None => Cow::Borrowed(name),
    }
}
