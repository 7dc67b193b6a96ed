//! Images: one of each kind that is wrong, and one that is not.

use super::ward::{Ward, context, hold};
use super::{Report, SECRET, only_tags};
use crate::cri::spec;
use crate::harness::{Node, node};
use crate::image::{APP, Build, UNUSED};

/// Built just now, with a user.
const FRESH: &str = "critui.test/fresh:1";
/// With secrets in it.
const LEAKY: &str = "critui.test/leaky:1";
/// An image whose name goes to another.
const LOST: &str = "critui.test/lost:1";

/// What finds something, and about which image: the end of the finding's id.
const CASES: [(&str, &str); 5] = [
    ("secret-in-image", "critui.test/leaky:1:API_TOKEN"),
    ("secret-in-image", "critui.test/leaky:1:history[0]"),
    ("image-old", APP),
    ("image-unused", UNUSED),
    ("image-dangling", "<none>"),
];

/// The checks that have a case here.
pub fn checks() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|(check, _)| *check)
}

fn load(node: &Node) {
    let now = jiff::Timestamp::now().to_string();
    let token = format!("API_TOKEN={SECRET}");
    let step = format!("RUN |1 GIT_TOKEN={SECRET} /bin/sh -c make # buildkit");
    let env = ["PATH=/bin", &token];
    let fresh = Build {
        user: "10001",
        created: &now,
        ..Build::new(&[FRESH], &["/bin/sh"])
    };
    node.load(&fresh);
    node.load(&Build {
        env: &env,
        step: &step,
        ..Build::new(&[LEAKY], &["/bin/sh", "leaky"])
    });
    node.load_image(&[LOST], &["/bin/sh", "lost"]);
}

#[test]
fn what_is_wrong_with_images_is_found_of_them_alone() {
    let node = node();
    load(&node);
    let mut ward = Ward::new(&node);
    let pod = ward.sandbox("images", |_| ());
    ward.container(&pod, "fresh", |config| {
        hold(config);
        config.image.as_mut().expect("an image").image = FRESH.to_owned();
        // Its own user, which is not root.
        context(config).run_as_user = None;
    });
    ward.container(&pod, "lost", |config| {
        hold(config);
        config.image = Some(spec(LOST));
    });
    // The name goes to another.
    node.load_image(&[LOST], &["/bin/true", "lost"]);
    let report = Report::of(&node, &[]);
    for (check, about) in CASES {
        let wanted = format!("{check}:image%20{about}");
        let one = report
            .findings
            .iter()
            .find(|one| one.known && one.check == check && one.id.starts_with(&wanted));
        assert!(one.is_some(), "{wanted} is not found");
    }
    let fresh = format!("image {FRESH}");
    assert_eq!(
        report.of_subject(&fresh).into_iter().collect::<Vec<_>>(),
        [""; 0]
    );
    let unused = report.of_subject(&format!("image {UNUSED}"));
    assert!(!unused.contains("image-old"), "nobody uses it: {unused:?}");
    let mut own = report.of_subject("images/fresh");
    if only_tags(&node) {
        own.remove("image-tag");
    }
    assert!(own.is_empty(), "{own:?}");
    drop(ward);
    for name in [FRESH, LEAKY, LOST] {
        node.cri.remove_image(name);
    }
}
