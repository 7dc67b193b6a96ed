use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use ratatui::layout::Size;

use super::*;
use crate::domain::ContainerId;
use crate::logs::{Pos, Row};
use crate::model::list::Move;

fn pos(offset: u64) -> Pos {
    Pos { segment: 0, offset }
}

/// Line `nth` of a log of `count` lines; some are long, and each hundred is an attempt.
fn line(nth: u64) -> Line {
    let text = match nth % 7 {
        0 => format!("line {nth} {}", "long ".repeat(60)),
        3 => format!("{{\"level\":\"warn\",\"msg\":\"line {nth}\",\"n\":{nth}}}"),
        _ => format!("line {nth}"),
    };
    let row = Row {
        at: pos(nth * 10),
        end: pos(nth * 10 + 10),
        time: b"2026-11-20T10:00:00Z".to_vec(),
        stream: if nth.is_multiple_of(5) {
            Stream::Stderr
        } else {
            Stream::Stdout
        },
        content: text.into_bytes(),
        omitted: 0,
        open: false,
    };
    let attempt = u32::try_from(nth / 100).unwrap();
    Line::new(0, &row, Arc::from([pos(nth * 10)]), attempt, true)
}

/// What a thread that reads a log of `count` lines answers.
fn answer(request: &Request, count: u64) -> Window {
    let most = request.most as u64;
    let (from, to, focus) = match &request.to {
        To::End => (count.saturating_sub(most), count, count.saturating_sub(1)),
        To::Start => (0, count.min(most), 0),
        To::Around(spot) | To::Match { spot, .. } | To::Attempt { spot, .. } => {
            let at = spot[0].offset / 10;
            (at.saturating_sub(most), (at + most).min(count), at)
        }
        other => panic!("{other:?}"),
    };
    Window {
        ticket: request.ticket,
        lines: (from..to).map(line).collect(),
        focus: Some(LineId {
            source: 0,
            at: pos(focus * 10),
        }),
        from_start: from == 0,
        to_end: to == count,
        names: vec!["app".into()],
        sizes: vec![vec![0, count * 10]],
        first_number: Some(from),
        note: None,
    }
}

fn view() -> LogView {
    let request = Request {
        ticket: 1,
        to: To::End,
        most: UNSEEN,
        follow: true,
        numbers: true,
        sift: Sift::default(),
        since: None,
        search: None,
        fields: Fields::default(),
    };
    LogView {
        subject: Subject::Container(ContainerId::new("c")),
        whose: Whose::default(),
        look: Look::default(),
        items: Vec::new(),
        frame: Window::default(),
        place: Place::default(),
        known: Known::default(),
        marks: BTreeMap::new(),
        spread: None,
        opens_previous: false,
        request,
        pending: Pending::default(),
    }
}

fn answered(view: &mut LogView, count: u64, size: Size) {
    for _ in 0..20 {
        if !view.is_waiting() {
            break;
        }
        let window = Some(answer(view.request(), count));
        view.take(
            News {
                window,
                ..News::default()
            },
            size,
        );
        view.fit(size);
        view.want_more(size);
    }
}

const SIZE: Size = Size {
    width: 80,
    height: 20,
};

fn under_cursor(view: &LogView) -> String {
    view.line().unwrap().text.to_string()
}

#[test]
fn it_opens_at_the_end_and_going_up_ends_following() {
    let mut view = view();
    answered(&mut view, 1000, SIZE);
    assert_eq!(under_cursor(&view), "line 999");
    assert_eq!(view.place.above, 19);
    view.go(Move::By(-1), SIZE);
    assert!(!view.follows());
    answered(&mut view, 1000, SIZE);
    assert_eq!(under_cursor(&view), "line 998");
    assert_eq!(view.number(), Some(999));
    view.go(Move::Last, SIZE);
    assert!(view.follows());
}

#[test]
fn every_line_is_passed_going_from_end_to_end() {
    let mut view = view();
    answered(&mut view, 1000, SIZE);
    view.go(Move::First, SIZE);
    answered(&mut view, 1000, SIZE);
    for nth in 0..999 {
        assert_eq!(view.number(), Some(nth + 1));
        view.go(Move::By(1), SIZE);
        if matches!(view.items[view.place.cursor], Item::Restart(_)) {
            view.go(Move::By(1), SIZE);
        }
        answered(&mut view, 1000, SIZE);
    }
    assert_eq!(under_cursor(&view), "line 999");
}

#[test]
fn the_rest_of_a_long_way_is_gone_once_there_are_lines() {
    let mut view = view();
    answered(&mut view, 5000, SIZE);
    view.go(Move::First, SIZE);
    answered(&mut view, 5000, SIZE);
    // Many keys before the next lines are here.
    for _ in 0..30 {
        view.go(Move::HalfPages(2), SIZE);
    }
    answered(&mut view, 5000, SIZE);
    assert!(view.number().unwrap() > 100, "{:?}", view.number());
}

#[test]
fn attempts_are_parted() {
    let mut view = view();
    answered(&mut view, 120, SIZE);
    let at = view.items.iter().position(|item| item.line().is_none());
    // The window begins with line 20.
    assert_eq!(at, Some(80));
    let restart = view.items.iter().find(|item| item.line().is_none());
    assert!(matches!(
        restart,
        Some(Item::Restart(Restart { from: 0, to: 1, .. }))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_cursor_is_on_the_screen_whatever_happens(
        steps in proptest::collection::vec((0_u8..14, 1_u16..60, 12_u16..120), 1..60),
        count in select(vec![0_u64, 1, 3, 150, 2000]),
        prompt in any::<bool>(),
    ) {
        let mut view = view();
        for (step, height, width) in steps {
            let size = Size { width, height };
            match step {
                0 => view.go(Move::By(1), size),
                1 => view.go(Move::By(-1), size),
                2 => view.go(Move::HalfPages(2), size),
                3 => view.go(Move::HalfPages(-2), size),
                4 => view.go(Move::First, size),
                5 => view.go(Move::Last, size),
                6 => view.look.wrap = !view.look.wrap,
                7 => view.look.raw = !view.look.raw,
                8 => view.spread(size),
                9 => view.mark(),
                10 => view.sideways(1),
                11 => view.go_to_attempt(true, size),
                12 => view.seek(step % 2 == 0, true, size),
                _ => view.look.stamps = view.look.stamps.next(),
            }
            if prompt || step % 3 == 0 {
                answered(&mut view, count, size);
            }
            view.fit(size);
            prop_assert!(view.items.is_empty() || view.place.cursor < view.items.len());
            if let Some(item) = view.items.get(view.place.cursor) {
                let tall = isize::try_from(view.height_of(item, size)).unwrap();
                let screen = isize::try_from(height).unwrap();
                prop_assert!(view.place.above < screen && view.place.above + tall > 0);
                // No empty line at the top while there are others above.
                let before = view.items[..view.place.cursor].iter().rev();
                let heights = before.map(|item| view.height_of(item, size));
                let above = heights.take(200).sum::<usize>();
                prop_assert!(view.place.above <= isize::try_from(above).unwrap());
            }
            prop_assert!(view.percent().is_none_or(|percent| percent <= 100));
        }
    }
}

#[test]
fn of_a_crash_standard_error_comes_first_from_the_cause_on() {
    let mut tail = Tail::new(Subject::Container(ContainerId::new("c")), Whose::default());
    let wrote = |nth: u64, attempt, stream, text: &str| {
        let row = Row {
            at: pos(nth * 10),
            end: pos(nth * 10 + 10),
            time: Vec::new(),
            stream,
            content: text.as_bytes().to_vec(),
            omitted: 0,
            open: false,
        };
        Line::new(0, &row, Arc::from([pos(nth * 10)]), attempt, true)
    };
    tail.lines = vec![
        wrote(0, 1, Stream::Stderr, "panic: of the attempt before"),
        wrote(1, 2, Stream::Stdout, "starting"),
        wrote(2, 2, Stream::Stderr, "warming up"),
        wrote(3, 2, Stream::Stderr, "panic: boom"),
        wrote(4, 2, Stream::Stderr, "goroutine 1"),
        wrote(5, 2, Stream::Stderr, "goroutine 2"),
        wrote(6, 2, Stream::Stderr, "goroutine 3"),
        wrote(7, 2, Stream::Stdout, "bye"),
    ];
    let texts = |crash: &Crash| -> Vec<String> {
        crash
            .lines
            .iter()
            .map(|line| line.text.to_string())
            .collect()
    };
    let crash = tail.crash(4);
    assert_eq!(
        texts(&crash),
        ["panic: boom", "goroutine 1", "goroutine 2", "bye"]
    );
    assert_eq!(crash.cause, Some(0));
    let crash = tail.crash(20);
    assert_eq!(texts(&crash)[..2], ["warming up", "panic: boom"]);
    assert_eq!(texts(&crash)[5..], ["starting", "bye"]);
    assert_eq!(crash.cause, Some(1));
    assert_eq!(tail.crash(0).lines.len(), 0);
}
