//! Finding things: filters, the palette, marks and the clipboard, by keys through the real loop
//! against the simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use flow::{Start, each, flow};

#[test]
fn filters_narrow_as_they_are_typed() {
    each(
        &Start::default(),
        &[
            (
                "/shop",
                "1 Pods 1/7 of 17 · 3 in trouble · /shop",
                "payments",
            ),
            ("/payments", "1 Pods 1/1 of 17", "payments"),
            ("/!shop", "1 Pods 1/10 of 17", "report-worker"),
            ("/~^web.*x$", "1 Pods 1/1 of 17", "web-7d9c5b8f6d-t8w2x"),
            ("/ns:kube-system", "1 Pods 1/4 of 17", "calico-node"),
            ("/state:notready", "1 Pods 1/2 of 17", ""),
            ("/label:app=web", "1 Pods 1/2 of 17", "web-"),
            ("/ns:shop web", "1 Pods 1/", "web-"),
            ("3/nginx", "3 Images 1/2 of 20", "nginx"),
            ("*2/image:busybox", "2 Containers 1/", "sync"),
            (
                "!",
                "1 Pods 1/6 of 17 · 6 in trouble · only trouble",
                "report-worker",
            ),
        ],
        |flow, (keys, title, selected)| flow.types(keys).sees(title).selects(selected),
    );
}

#[test]
fn the_best_match_comes_first_and_is_selected() {
    flow("G/coredns").selects("coredns").starts_with("coredns");
}

#[test]
fn a_filter_stays_goes_and_comes_back() {
    flow("/shop<Enter>")
        .sees("1/7 of 17")
        .sees("/ filter")
        .types("jj")
        .selects("cache-0")
        .types("<Esc>")
        .sees("1 Pods 6/17")
        .selects("cache-0")
        .types("/<Up>")
        .sees("/shop")
        .sees("of 17  Enter keep")
        .types("<Esc>")
        .misses("of 17")
        .types("/nothing-like-this")
        .sees("nothing matches; * drops all narrowing")
        .types("<Enter>*")
        .sees("/17");
}

#[test]
fn a_broken_expression_keeps_the_rows_and_says_why() {
    flow("/~web")
        .sees("1/2 of 17")
        .types("(")
        .sees("unclosed group")
        .sees("1/2 of 17")
        .types(")")
        .misses("unclosed group");
}

#[test]
fn a_filter_can_be_for_every_list() {
    flow("/nginx<Tab><Enter>")
        .sees("2 Containers 1/2 of 23")
        .sees("3 Images 1/2 of 20");
}

#[test]
fn the_palette_runs_goes_and_paints() {
    each(
        &Start::default(),
        &[
            (":images<Enter>", "3 Images 1/20"),
            (":help<Enter>", "> Help"),
            (":go payments<Enter>", "1 Pods 2/17"),
            (":namespace ops<Enter>", "1 Pods 1/2 of 17"),
            (":theme light<Enter>", "1 Pods 1/17"),
            (":mark-all<Enter>", "17 marked"),
            (":zzz", "0 found"),
            (":remov the pod<Enter>", "nothing is called that; \""),
        ],
        |flow, (keys, text)| flow.types(keys).sees(text),
    );
}

#[test]
fn the_palette_completes_and_closes() {
    flow(":hel<Tab>")
        .sees(":help")
        .types("<Esc>")
        .sees("? help")
        .types(":<Down><Up><Backspace>")
        .sees("? help");
}

#[test]
fn marks_are_counted_and_copied() {
    flow(" j ")
        .sees("2 marked")
        .types("c")
        .sees("copied 129 characters")
        .types(":mark-invert<Enter>")
        .sees("15 marked")
        .types(":mark-none<Enter>")
        .misses("marked")
        .types("C")
        .sees("copied 80 characters");
}

#[test]
fn quitting_from_the_prompt_is_one_key() {
    flow("/shop").quits("<^c>");
}

#[test]
fn letters_in_the_prompt_are_letters() {
    flow("/q").sees("/q").types("<Esc>").sees("q quit");
}
