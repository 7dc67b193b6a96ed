//! The disks and what could be freed on them.

use super::super::Cx;
use super::{FULL, bar, threshold};
use crate::format::bytes;
use crate::model::node::Measuring;
use crate::stats::node::{Disk, NodeFiles, Threshold, What};
use crate::theme::Role;
use crate::widgets::page::Doc;

/// Writable layers that are named.
const LAYERS: usize = 5;
/// What was found on the disks and is named.
const FILLS: usize = 12;

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

/// What of the disks could be freed, and by whom.
pub fn fills(cx: &Cx, files: Option<&NodeFiles>, doc: &mut Doc) {
    doc.title("What the kubelet or you could free");
    images(cx, files, doc);
    layers(cx, doc);
    measured(cx, doc);
}

/// Unused images, and what the kubelet would make of them.
fn images(cx: &Cx, files: Option<&NodeFiles>, doc: &mut Doc) {
    let rows = cx.model.store.image_rows();
    let unused = rows.filter(|row| row.is_reclaimable());
    let (count, size) = unused.fold((0, 0_u64), |(count, size), row| {
        (count + 1, size.saturating_add(row.image.size))
    });
    let text = format!("{count}, {} as the runtime counts them", bytes(size));
    doc.fact("unused images", text);
    let disk = files.and_then(|files| {
        let mut disks = files.disks.iter();
        let disk = disks.find(|disk| disk.holds.contains(&"images"))?;
        Some((disk, files.image_gc?))
    });
    let Some((disk, gc)) = disk else { return };
    let used = disk.size.saturating_sub(disk.available);
    let share = used * 100 / disk.size.max(1);
    let aim = disk.size / 100 * gc.low;
    // It stops when enough is free, or when no unused image is left.
    let frees = used.saturating_sub(aim).min(size);
    let (text, role) = if share < gc.high {
        let text = format!(
            "not before {}% of the disk are in use, now {share}%",
            gc.high
        );
        (text, Role::Dim)
    } else if used.saturating_sub(frees) <= aim {
        let text = format!("frees {} of it to come below {}%", bytes(frees), gc.low);
        (text, Role::Warn)
    } else {
        let text = format!("frees all of it, and that is too little for {}%", gc.low);
        (text, Role::Bad)
    };
    doc.fact_as("the kubelet's GC", text, role);
}

fn layers(cx: &Cx, doc: &mut Doc) {
    let layer = |row: &std::sync::Arc<crate::model::rows::ContainerRow>| {
        let layer = cx.model.stats.meters.get(&row.container.id)?.layer?;
        Some((layer, format!("{}/{}", row.pod_name(), row.container.name)))
    };
    let rows = cx.model.store.container_rows();
    let mut layers: Vec<(u64, String)> = rows.filter_map(layer).collect();
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

/// What was found on the disks.
fn measured(cx: &Cx, doc: &mut Doc) {
    let key = cx.model.keymap.key_of("measure");
    let key = key.map_or_else(|| ":measure".to_owned(), |key| key.to_string());
    let found = match &cx.model.node_look.fills {
        Measuring::Never => {
            let text = format!("{key} measures logs, emptyDirs, journal and deleted files");
            doc.fact_as("on the disks", text, Role::Dim);
            return;
        }
        Measuring::Now => {
            let text = format!("measuring, at low priority; {key} ends it");
            doc.fact_as("on the disks", text, Role::Warn);
            return;
        }
        Measuring::Done(Err(why)) => {
            doc.fact_as("on the disks", why.as_str(), Role::Bad);
            return;
        }
        Measuring::Done(Ok(found)) => found,
    };
    let all = found
        .all
        .iter()
        .fold(0_u64, |sum, fill| sum.saturating_add(fill.bytes));
    let least = if found.partial { "at least " } else { "" };
    let text = format!("{least}{} in these; {key} measures again", bytes(all));
    doc.fact("on the disks", text);
    for fill in found.all.iter().take(FILLS) {
        let files = match fill.files {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        let text = format!(
            "{:>9}  {}, {files}",
            bytes(fill.bytes),
            name(cx, &fill.what)
        );
        doc.fact("", text);
    }
    if let Some(why) = &found.unseen {
        doc.fact_as("", format!("not looked at: {why}"), Role::Warn);
    }
}

fn name(cx: &Cx, what: &What) -> String {
    match what {
        What::Logs(pod) => format!("logs of {pod}"),
        What::Journal => "the journal: journalctl --vacuum-size=500M".to_owned(),
        What::Deleted(name, pid) => {
            format!("deleted, still open in {name} ({pid}): freed when it ends")
        }
        What::EmptyDir(uid, volume) => {
            let mut pods = cx.model.store.pod_rows();
            match pods.find(|row| row.pod.uid == *uid) {
                Some(row) => {
                    format!(
                        "emptyDir {volume} of {}/{}",
                        row.pod.namespace, row.pod.name
                    )
                }
                None => format!("emptyDir {volume} of a pod that is gone, {uid}"),
            }
        }
    }
}
