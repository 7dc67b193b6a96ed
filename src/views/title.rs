//! The titles of the panels: how many there are, and what hides the others.

use super::{Cx, body};
use crate::format::bytes;
use crate::model::Panel;
use crate::model::columns::Stands;
use crate::model::list::List;
use crate::model::rows::Row;
use crate::text::Text;
use crate::widgets::text::{cut_middle, width};

/// A pod's name in fewer cells tells nothing.
const LEAST_NAME: u16 = 8;

/// What the title of a panel tells.
struct Facts {
    known: bool,
    at: String,
    shown: usize,
    all: usize,
    trouble: usize,
    marked: usize,
}

impl Facts {
    fn of<R: Row + Stands>(known: bool, list: &List<R>) -> Self {
        Self {
            known,
            at: place(list),
            shown: list.rows().len(),
            all: list.all,
            trouble: list.rows().iter().filter(|row| row.in_trouble()).count(),
            marked: list.marked(),
        }
    }
}

/// The title of a panel, for a line of `room` cells.
pub fn title(cx: &Cx, panel: Panel, room: u16) -> String {
    let home = &cx.model.home;
    let loaded = cx.model.store.loaded();
    let name = format!("{} {}", panel.index() + 1, panel.title());
    let facts = match panel {
        Panel::Pods => Facts::of(loaded.pods, &home.pods),
        Panel::Containers => Facts::of(loaded.containers, &home.containers),
        Panel::Images => Facts::of(loaded.images, &home.images),
    };
    if !facts.known {
        return name;
    }
    let glyphs = cx.theme.glyphs();
    let extras = extras(cx, panel, &facts);
    let Facts { at, shown, all, .. } = &facts;
    let hidden = if shown < all {
        format!(" of {all}")
    } else {
        String::new()
    };
    let Some(pod) = home.of_pod.as_ref().filter(|_| panel == Panel::Containers) else {
        return format!("{name} {at}{hidden}{extras}");
    };
    let pod = cx
        .model
        .store
        .pod(pod)
        .map_or("", |row| row.pod.name.as_str());
    let counts = format!("{at} ({all} in all){extras}");
    // The counts matter more than the whole name.
    let taken = width(&name) + width(&counts) + width(" of  ") + body::TITLE_MARGIN;
    match room.saturating_sub(taken) {
        0..LEAST_NAME => format!("{name} {at}{extras}"),
        left => {
            let pod = cut_middle(pod, left, glyphs.more);
            format!("{name} of {pod} {counts}")
        }
    }
}

/// What is in trouble, marked, and hidden by what.
fn extras(cx: &Cx, panel: Panel, facts: &Facts) -> String {
    let narrowing = &cx.model.home.narrowing;
    let filter = narrowing.filters[panel.index()].as_ref();
    let parts = [
        (facts.trouble > 0).then(|| format!("{} in trouble", facts.trouble)),
        (facts.marked > 0).then(|| format!("{} marked", facts.marked)),
        (narrowing.only_trouble && panel != Panel::Images).then(|| "only trouble".to_owned()),
        (panel == Panel::Images).then(|| disk(cx)).flatten(),
        filter.map(|filter| format!("/{}", Text::clean(filter.source()))),
    ];
    let separator = format!(" {} ", cx.theme.glyphs().dot);
    let told = parts.into_iter().flatten();
    told.fold(String::new(), |text, part| text + &separator + &part)
}

/// What the images that are shown take, and what of it nobody would miss. Layers that several
/// share are counted for each, because the CRI does not tell them apart.
fn disk(cx: &Cx) -> Option<String> {
    let rows = cx.model.home.images.rows();
    let sum = |free: bool| -> u64 {
        let counted = rows.iter().filter(|row| !free || row.is_reclaimable());
        counted
            .map(|row| row.image.size)
            .fold(0, u64::saturating_add)
    };
    let (all, free) = (sum(false), sum(true));
    let told = match free {
        0 => bytes(all),
        free => format!("{}, {} reclaimable", bytes(all), bytes(free)),
    };
    (all > 0).then_some(told)
}

fn place<R: Row>(list: &List<R>) -> String {
    let count = list.rows().len();
    if count == 0 {
        "0".to_owned()
    } else {
        format!("{}/{count}", list.cursor() + 1)
    }
}
