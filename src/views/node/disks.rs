//! The disks and what could be freed on them.

use super::super::Cx;
use super::{FULL, bar, threshold};
use crate::format::bytes;
use crate::stats::node::{Disk, NodeFiles, Threshold};
use crate::theme::Role;
use crate::widgets::page::Doc;

/// Writable layers that are named.
const LAYERS: usize = 5;

pub fn disks(cx: &Cx, files: &NodeFiles, doc: &mut Doc) {
    doc.title("Disks");
    if files.disks.is_empty() {
        doc.text(
            "not known: none of the usual folders can be looked at",
            Role::Dim,
        );
    }
    for disk in &files.disks {
        let used = disk.size.saturating_sub(disk.available);
        let share = used * 100 / disk.size.max(1);
        let (line, reached) = evicts(disk, &files.thresholds);
        let role = match (reached, share) {
            (true, _) => Role::Bad,
            (false, FULL..) => Role::Warn,
            _ => Role::Text,
        };
        let text = format!(
            "{} {} of {} ({share}%), {} left{line}",
            bar(cx, used, disk.size),
            bytes(used),
            bytes(disk.size),
            bytes(disk.available)
        );
        doc.fact_as(disk.holds.join("+"), text, role);
        let inodes = disk.inodes.saturating_sub(disk.inodes_free);
        if let Some(share) = inodes.saturating_mul(100).checked_div(disk.inodes) {
            let (line, reached) = threshold(
                &files.thresholds,
                "nodefs.inodesFree",
                disk.inodes,
                disk.inodes_free,
            );
            let role = if reached { Role::Bad } else { Role::Dim };
            doc.fact_as(
                "",
                format!("{inodes} of {} inodes ({share}%){line}", disk.inodes),
                role,
            );
        }
    }
}

/// Where the kubelet evicts for this disk.
fn evicts(disk: &Disk, thresholds: &[Threshold]) -> (String, bool) {
    let signals = [
        ("kubelet", "nodefs.available"),
        ("images", "imagefs.available"),
    ];
    let apply = signals.iter().filter(|(what, _)| disk.holds.contains(what));
    let least = |signal: &str| {
        let found = thresholds
            .iter()
            .find(|threshold| threshold.signal == *signal)?;
        Some(found.least.of(disk.size))
    };
    // Of both on one disk the first that is reached.
    match apply.max_by_key(|(_, signal)| least(signal)) {
        Some((_, signal)) => threshold(thresholds, signal, disk.size, disk.available),
        None => (String::new(), false),
    }
}

/// What is known to fill the disks, without looking for it.
pub fn fills(cx: &Cx, doc: &mut Doc) {
    let store = &cx.model.store;
    let unused = store
        .image_rows()
        .filter(|row| row.used_by == 0 && !row.image.pinned);
    let (count, size) = unused.fold((0, 0_u64), |(count, size), row| {
        (count + 1, size.saturating_add(row.image.size))
    });
    doc.title("What the kubelet or you could free");
    doc.fact(
        "unused images",
        format!("{count}, {} as the runtime counts them", bytes(size)),
    );
    let layer = |row: &std::sync::Arc<crate::model::rows::ContainerRow>| {
        let layer = cx.model.stats.meters.get(&row.container.id)?.layer?;
        Some((layer, format!("{}/{}", row.pod_name(), row.container.name)))
    };
    let mut layers: Vec<(u64, String)> = store.container_rows().filter_map(layer).collect();
    layers.sort_by(|a, b| b.cmp(a));
    let all = layers
        .iter()
        .fold(0_u64, |sum, (size, _)| sum.saturating_add(*size));
    doc.fact(
        "written in containers",
        format!("{} in all, most of it by", bytes(all)),
    );
    for (size, name) in layers.into_iter().take(LAYERS) {
        doc.fact("", format!("{:>9}  {name}", bytes(size)));
    }
}
