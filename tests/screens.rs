//! What the screens look like, to the cell and its style: each view in each state that it can be
//! in, at the sizes between which the layout changes. The snapshots are in tests/snapshots; after
//! a change on purpose, look at each of them (`INSTA_UPDATE=always cargo test --test screens`).

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use critui::cri::Update;
use critui::link::Link;
use critui::model::Msg;
use critui::theme::Ability;
use rstest::rstest;
use sample::{FULL, Lists, PLAIN, Screen, ago, busy, hostile};

/// A screen in one of its states.
type State = fn((u16, u16), Ability) -> Screen;

fn opened(size: (u16, u16), ability: Ability) -> Screen {
    Screen::new(size, ability)
}

fn waiting(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::new(size, ability);
    screen.connect();
    screen
}

fn unreachable(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::new(size, ability);
    screen.lose();
    screen
}

fn empty(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, Lists::default())
}

fn normal(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, busy())
}

fn lost(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    screen.lose();
    screen
}

fn silent(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    let since = ago(15).expect("a time");
    screen.feed(Update::Link(Link::Silent { since }));
    screen
}

fn guarded(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    screen.model.node.read_only = vec![
        "--read-only was given".into(),
        "/etc/critui/settings.yaml says read-only: true".into(),
    ];
    screen.send(Msg::Pressure(Some("memory 95% full".into())));
    screen.feed(Update::Notice(
        "images cannot be listed: permission denied".into(),
    ));
    screen.rest();
    screen.clock.uptime += std::time::Duration::from_secs(5);
    screen.send(Msg::Wake);
    screen
}

fn nasty(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::with(size, ability, hostile());
    screen.model.node.name = sample::HOSTILE[5].into();
    screen
}

#[rstest]
// Before there is anything to show.
#[case("opened-80x24", opened, (80, 24), FULL, "")]
#[case("waiting-120x40", waiting, (120, 40), FULL, "")]
#[case("unreachable-80x24", unreachable, (80, 24), FULL, "")]
#[case("unreachable-120x40-plain", unreachable, (120, 40), PLAIN, "")]
#[case("unreachable-40x10", unreachable, (40, 10), FULL, "")]
#[case("empty-80x24", empty, (80, 24), FULL, "")]
#[case("empty-200x50-plain", empty, (200, 50), PLAIN, "")]
// The panels of the home screen.
#[case("pods-80x24", normal, (80, 24), FULL, "")]
#[case("containers-80x24", normal, (80, 24), FULL, "<Enter>")]
#[case("every-container-80x24", normal, (80, 24), PLAIN, "2*")]
#[case("images-80x24", normal, (80, 24), FULL, "3")]
#[case("pods-120x40", normal, (120, 40), FULL, "")]
#[case("containers-120x40", normal, (120, 40), FULL, "jj<Enter>")]
#[case("images-120x40-plain", normal, (120, 40), PLAIN, "3j")]
#[case("pods-200x50", normal, (200, 50), FULL, "")]
#[case("every-container-200x50", normal, (200, 50), FULL, "*2j")]
#[case("images-200x50-plain", normal, (200, 50), PLAIN, "3jj")]
#[case("pods-40x10", normal, (40, 10), FULL, "")]
#[case("images-40x10-plain", normal, (40, 10), PLAIN, "3")]
#[case("sorted-120x40", normal, (120, 40), FULL, "oO")]
#[case("too-small-39x10", normal, (39, 10), FULL, "")]
#[case("too-small-1x1", normal, (1, 1), FULL, "")]
// The connection.
#[case("lost-80x24", lost, (80, 24), FULL, "")]
#[case("lost-120x40-plain", lost, (120, 40), PLAIN, "")]
#[case("lost-summary-40x10", lost, (40, 10), FULL, "d")]
#[case("silent-80x24", silent, (80, 24), FULL, "")]
#[case("silent-200x50-plain", silent, (200, 50), PLAIN, "")]
// Pages.
#[case("summary-pod-80x24", normal, (80, 24), FULL, "jd")]
#[case("summary-container-80x24", normal, (80, 24), FULL, "j<Enter>d")]
#[case("summary-container-120x40-plain", normal, (120, 40), PLAIN, "j<Enter>d")]
#[case("summary-image-80x24", normal, (80, 24), FULL, "3jd")]
#[case("summary-end-40x10", normal, (40, 10), FULL, "jdG")]
#[case("help-80x24", normal, (80, 24), FULL, "?")]
#[case("help-end-80x24", normal, (80, 24), FULL, "?G")]
#[case("help-200x50-plain", normal, (200, 50), PLAIN, "?")]
#[case("notices-80x24", normal, (80, 24), FULL, "N")]
// Read-only, with a notice and pressure.
#[case("read-only-80x24", guarded, (80, 24), FULL, "")]
#[case("read-only-120x40-plain", guarded, (120, 40), PLAIN, "")]
#[case("read-only-40x10", guarded, (40, 10), FULL, "")]
#[case("read-only-notices-80x24", guarded, (80, 24), FULL, "N")]
// What nobody vouches for.
#[case("hostile-pods-80x24", nasty, (80, 24), FULL, "")]
#[case("hostile-pods-200x50", nasty, (200, 50), FULL, "jjj")]
#[case("hostile-containers-120x40-plain", nasty, (120, 40), PLAIN, "*2G")]
#[case("hostile-summary-80x24", nasty, (80, 24), FULL, "jd")]
fn screen(
    #[case] name: &str,
    #[case] state: State,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = state(size, ability);
    if !keys.is_empty() {
        screen.keys(keys);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}

#[test]
fn a_toast_takes_the_footer() {
    let mut screen = empty((80, 24), FULL);
    screen.hasty("d");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("toast-80x24", format!("{:?}", screen.draw()));
    });
}

#[test]
fn sorting_keeps_the_selection() {
    let mut screen = normal((80, 24), FULL);
    let before = screen.model.subject();
    screen.keys("o");
    assert_eq!(screen.model.subject(), before);
    screen.list(busy());
    assert_eq!(screen.model.subject(), before);
    let cursor = screen.model.home.pods.cursor();
    assert_ne!(cursor, 0, "the sort did not move the row");
}

#[test]
fn containers_of_every_pod_start_with_the_worst() {
    let mut screen = normal((80, 24), FULL);
    screen.hasty("2*");
    let containers = &screen.model.home.containers;
    assert_eq!((containers.cursor(), containers.rows().len()), (0, 7));
    assert_eq!(containers.rows()[0].container.name, "worker");
    assert_eq!(containers.rows()[6].container.name, "payments");
}
