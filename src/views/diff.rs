//! What differs between two things.

use crate::mask::Guarded;
use crate::model::DiffView;
use crate::theme::Role;
use crate::tree::Difference;
use crate::widgets::page::Doc;

/// Groups of places, the ones that matter first, by a part of their paths.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Image", &["image", "Image"]),
    ("Command", &[".args", ".command", "working_dir", ".cwd"]),
    ("Environment", &[".env"]),
    (
        "Resources and limits",
        &["resources", "oomScoreAdj", "oom_score"],
    ),
    ("Mounts", &["mounts", "Mounts"]),
    (
        "Security",
        &[
            "security",
            "capabilities",
            "privileged",
            "seccomp",
            "namespaces",
        ],
    ),
];

/// Its title.
pub fn title(view: &DiffView) -> String {
    format!("Changes of {}", view.titles[1])
}

/// The page.
pub fn page(view: &DiffView) -> Doc {
    let mut doc = Doc::default();
    let [before, after] = &view.titles;
    doc.title("Compared");
    doc.fact("-", format!("{before}, {}", view.why));
    doc.fact("+", after.as_str());
    let Some([told, noise]) = &view.found else {
        match &view.problem {
            Some(why) => doc.text(why.as_str(), Role::Bad),
            None => doc.text("asking the runtime", Role::Dim),
        };
        return doc;
    };
    if told.is_empty() {
        doc.title("Changed")
            .text("nothing but what differs always", Role::Good);
    }
    let mut rest: Vec<&Difference> = told.iter().collect();
    for (title, parts) in GROUPS {
        let (of_it, others): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|one| parts.iter().any(|part| one.path.contains(part)));
        group(&mut doc, title, &of_it, false);
        rest = others;
    }
    group(&mut doc, "Otherwise", &rest, false);
    group(
        &mut doc,
        "Differs always",
        &noise.iter().collect::<Vec<_>>(),
        true,
    );
    doc
}

fn group(doc: &mut Doc, title: &str, all: &[&Difference], dim: bool) {
    if all.is_empty() {
        return;
    }
    doc.title(format!("{title} ({})", all.len()));
    let masked = |side: &Option<Guarded>| side.as_ref().is_some_and(Guarded::is_masked);
    for one in all {
        if dim {
            doc.text(one.path.as_str(), Role::Dim);
            continue;
        }
        let of = one
            .of
            .as_ref()
            .map_or_else(String::new, |of| format!("  of {of}"));
        doc.text(format!("{}{of}", one.path), Role::Accent);
        if masked(&one.before) && masked(&one.after) {
            // Both look the same.
            doc.text("  changed; the values are masked", Role::Warn);
            continue;
        }
        for (sign, side, role) in [("-", &one.before, Role::Bad), ("+", &one.after, Role::Good)] {
            if let Some(side) = side {
                doc.text(format!("  {sign} {}", side.text), role);
            }
        }
    }
}
