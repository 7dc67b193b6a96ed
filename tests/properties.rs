//! What holds for any text, any size, any keys and any lists.

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use critui::cri::Update;
use critui::domain::{ContainerState, PodState};
use critui::keys::Key;
use critui::link::{Link, Problem};
use critui::model::{Msg, Panel, Subject};
use critui::text::is_unsafe;
use critui::theme::Ability;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;
use sample::{FULL, HOSTILE, Lists, PLAIN, Screen, ago, busy, full_of, now};

/// Keys that lead to each view there is, from home.
const WALK: [&str; 9] = ["", "d", "<Enter>", "<Enter>d", "3G", "3d", "*2Gd", "?", "N"];

/// A text as the worst workload would choose it.
fn text() -> impl Strategy<Value = String> {
    let cruel = "[\\x00-\\x1f\\x7f-\\x9f\\u{200b}-\\u{200f}\\u{202a}-\\u{202e}\\u{300}-\\u{36f}a日🦀 ]{0,60}";
    prop_oneof![
        2 => any::<String>(),
        3 => cruel,
        2 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        1 => (any::<char>(), 0..5_000_usize).prop_map(|(c, n)| c.to_string().repeat(n)),
    ]
}

fn ability() -> impl Strategy<Value = Ability> {
    prop_oneof![Just(FULL), Just(PLAIN)]
}

/// The state of the connection, with `text` wherever it has one.
fn link(kind: u8, text: &str) -> Link {
    let since = ago(7).expect("a time");
    match kind {
        0 => Link::Connecting,
        1 => Link::Silent { since },
        2 => Link::Down {
            problem: Problem {
                what: text.into(),
                advice: text.into(),
            },
            since,
            retry_at: now(),
        },
        _ => Link::Up,
    }
}

/// What a terminal would act on, or a reader could not see, in any cell.
fn unsafe_cell(buffer: &Buffer) -> Option<String> {
    let cells = buffer.content.iter().map(ratatui::buffer::Cell::symbol);
    let mut bad = cells.filter(|symbol| symbol.chars().any(is_unsafe));
    bad.next().map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_field_can_be_drawn_at_any_size(
        texts in prop::collection::vec(text(), 1..4),
        size in (0u16..=250, 0u16..=80),
        ability in ability(),
        kind in 0u8..6,
        walk in prop::sample::select(WALK.to_vec()),
    ) {
        let mut lists = if kind == 5 { busy() } else { Lists::default() };
        for (n, text) in texts.iter().enumerate() {
            lists = lists.and(full_of(text, i64::try_from(n).unwrap_or(0)));
        }
        let first = texts[0].as_str();
        let mut screen = Screen::new(size, ability);
        if kind != 4 {
            screen.connect();
            screen.list(lists);
        }
        screen.model.node.name = first.into();
        screen.model.node.read_only = vec![first.into()];
        screen.feed(Update::Notice(first.into()));
        screen.feed(Update::Link(link(kind, first)));
        screen.send(Msg::Pressure(Some(first.into())));
        prop_assert_eq!(unsafe_cell(&screen.draw()), None);
        screen.keys(walk);
        prop_assert_eq!(unsafe_cell(&screen.draw()), None);
        // Another size from here on.
        screen.size = (size.1, size.0.min(80));
        screen.send(Msg::Redraw);
        prop_assert_eq!(unsafe_cell(&screen.draw()), None);
    }
}

/// What happens to a program.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyEvent),
    /// Which pods there are, and which of them are in trouble.
    Lists(u16, u16),
    Rest,
    Resize(u16, u16),
}

fn key() -> impl Strategy<Value = KeyEvent> {
    // Those that do something, and any other.
    let known = "jjjkkkgGoO123*d?R<Enter><Esc><Tab><S-Tab><PgUp><PgDn><^d><^u>";
    let other = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        any::<u8>().prop_map(KeyCode::F),
        Just(KeyCode::Null),
        Just(KeyCode::CapsLock),
        Just(KeyCode::Insert),
    ];
    let any = (other, any::<u8>());
    prop_oneof![
        6 => prop::sample::select(typing::typed(known)),
        1 => any.prop_map(|(code, bits)| KeyEvent::new(code, KeyModifiers::from_bits_truncate(bits))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => key().prop_map(Step::Key),
        4 => any::<(u16, u16)>().prop_map(|(there, bad)| Step::Lists(there, bad)),
        2 => Just(Step::Rest),
        1 => (40u16..=210, 10u16..=60).prop_map(|(width, height)| Step::Resize(width, height)),
    ]
}

/// Pods, containers and images by bits.
fn lists(there: u16, bad: u16) -> Lists {
    let mut lists = Lists::default();
    for bit in (0..16_u16).filter(|bit| there >> bit & 1 == 1) {
        let name = format!("pod-{bit}");
        let mut pod = sample::pod("shop", &name, 3600);
        let image = format!("image-{}:1", bit / 2);
        let mut container = sample::container(&pod, "app", u32::from(bit % 3), 3000, &image);
        if bad >> bit & 1 == 1 {
            pod.state = if bit % 5 == 0 {
                PodState::NotReady
            } else {
                PodState::Ready
            };
            container.state = ContainerState::Unknown;
        }
        lists.pods.push(pod);
        lists.containers.push(container);
        lists
            .images
            .push(sample::image(&format!("image-{bit}:1"), u64::from(bit)));
    }
    lists
}

/// The cursor of the focused panel, the first row shown, and how many rows there are.
fn place(screen: &Screen) -> (usize, usize, usize) {
    let home = &screen.model.home;
    match home.focus {
        Panel::Pods => (
            home.pods.cursor(),
            home.pods.offset(),
            home.pods.rows().len(),
        ),
        Panel::Containers => {
            let list = &home.containers;
            (list.cursor(), list.offset(), list.rows().len())
        }
        Panel::Images => (
            home.images.cursor(),
            home.images.offset(),
            home.images.rows().len(),
        ),
    }
}

/// Rows of the focused panel on the screen: where they begin and how many fit.
fn rows(screen: &Screen) -> Option<(u16, usize)> {
    let seen = screen.seen.panels[screen.model.home.focus.index()].as_ref()?;
    Some((seen.rows.y, seen.rows.height.into()))
}

/// The line on the screen that is reversed, header and footer left out.
fn reversed_line(buffer: &Buffer) -> Option<u16> {
    let reversed = |y: &u16| {
        (0..buffer.area.width).any(|x| buffer[(x, *y)].modifier.contains(Modifier::REVERSED))
    };
    (1..buffer.area.height - 1).find(reversed)
}

fn is_there(screen: &Screen, subject: &Subject) -> bool {
    let store = &screen.model.store;
    match subject {
        Subject::Pod(id) => store.pod(id).is_some(),
        Subject::Container(id) => store.container(id).is_some(),
        Subject::Image(id) => store.image(id).is_some(),
    }
}

/// New lists: after each message, and after the rest that lets rows move, the cursor has held.
fn take_lists(screen: &mut Screen, lists: &Lists) -> Result<(), TestCaseError> {
    for msg in screen.listing(lists.clone()) {
        held(screen, |screen| screen.send(msg))?;
    }
    held(screen, Screen::rest)
}

/// What was selected stays selected if it is still there, and its line on the screen stays the
/// same unless the list ends above or below it.
fn held(screen: &mut Screen, act: impl FnOnce(&mut Screen)) -> Result<(), TestCaseError> {
    let (subject, (cursor, offset, _)) = (screen.model.subject(), place(screen));
    act(screen);
    // Containers are those of the selected pod, which may have gone.
    let follows = screen.model.home.focus == Panel::Containers;
    let there = subject
        .as_ref()
        .is_some_and(|subject| is_there(screen, subject));
    if follows || !screen.model.layers.is_empty() || !there {
        return Ok(());
    }
    prop_assert_eq!(screen.model.subject(), subject);
    let (new_cursor, new_offset, count) = place(screen);
    let page = rows(screen).map_or(1, |(_, page)| page.max(1));
    let at_an_end = new_offset == 0 || new_offset + page >= count;
    let lines = (cursor - offset, new_cursor - new_offset);
    prop_assert!(
        lines.0 == lines.1 || at_an_end,
        "moved between lines {:?}",
        lines
    );
    Ok(())
}

/// The cursor is on a row, the row is on the screen, and what is reversed there is that row.
fn check(screen: &mut Screen) -> Result<(), TestCaseError> {
    let buffer = screen.draw();
    prop_assert_eq!(unsafe_cell(&buffer), None);
    let (cursor, offset, count) = place(screen);
    prop_assert!(count == 0 || cursor < count);
    if !screen.model.layers.is_empty() {
        return Ok(());
    }
    prop_assert_eq!(screen.model.subject().is_some(), count > 0);
    let Some((top, page)) = rows(screen) else {
        return Ok(());
    };
    let line = u16::try_from(cursor - offset).unwrap_or(u16::MAX);
    // The palette lies over the rows and has a selection of its own.
    if count > 0 && usize::from(line) < page && screen.model.prompt.is_none() {
        prop_assert_eq!(reversed_line(&buffer), Some(top + line));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_selection_holds_under_any_keys_and_lists(
        size in (40u16..=210, 10u16..=60),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        let mut screen = Screen::with(size, FULL, lists(0xff, 0x11));
        // Until the first key the worst is selected, whatever comes.
        screen.keys("j");
        for step in steps {
            match step {
                Step::Key(key) => screen.send(Msg::Key(Key::from(key))),
                Step::Lists(there, bad) => take_lists(&mut screen, &lists(there, bad))?,
                Step::Rest => screen.rest(),
                Step::Resize(width, height) => {
                    screen.size = (width, height);
                    screen.send(Msg::Redraw);
                }
            }
            check(&mut screen)?;
        }
    }

    #[test]
    fn a_filter_never_adds_rows_and_goes_without_a_trace(typed in "[ -~]{1,12}") {
        let mut screen = Screen::with((120, 40), FULL, lists(0xff, 0x11));
        let shown = |screen: &Screen| -> std::collections::BTreeSet<String> {
            let rows = screen.model.home.pods.rows().iter();
            rows.map(|row| row.pod.id.to_string()).collect()
        };
        screen.draw();
        let all = shown(&screen);
        screen.keys("/");
        for c in typed.chars() {
            screen.send(Msg::Key(Key::from(KeyEvent::from(KeyCode::Char(c)))));
            check(&mut screen)?;
            prop_assert!(shown(&screen).is_subset(&all));
        }
        screen.keys("<Esc>");
        check(&mut screen)?;
        prop_assert_eq!(shown(&screen), all);
    }
}
