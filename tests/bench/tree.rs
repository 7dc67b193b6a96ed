//! How long a large verbose answer takes: decoded and built into a tree, laid out, searched,
//! written. `cargo run --release --example tree [WORD]`: only what is called so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use critui::logs::Sought;
use critui::model::list::Move;
use critui::model::{About, TreeView};
use critui::tree::Tree;
use serde_json::{Value, json};

/// Bytes of the answer.
const SIZE: usize = 2 << 20;
/// The median of so many runs counts.
const RUNS: usize = 21;

/// What a runtime could send: environment, mounts, a long list of system calls.
fn answer() -> String {
    let mut items = Vec::new();
    let mut size = 0;
    while size < SIZE {
        let n = items.len();
        let item = json!({"key": format!("SETTING_{n}"), "value": format!("jdbc:postgresql://db-{n}:5432/x"),
            "names": ["read", "write", "openat"], "readonly": n % 2 == 0,
            "options": {"DB_PASSWORD": format!("hunter{n}"), "path": format!("/var/lib/kubelet/pods/{n}")}});
        size += item.to_string().len() + 1;
        items.push(item);
    }
    json!({"info": {"config": {"envs": items}}}).to_string()
}

/// Prints the median time of `run`; what it makes goes away on nobody's time.
fn median<T>(what: &str, mut run: impl FnMut() -> T) {
    if std::env::args()
        .nth(1)
        .is_some_and(|word| !what.contains(&word))
    {
        return;
    }
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            let _made = run();
            began.elapsed()
        })
        .collect();
    times.sort();
    println!("{what:31} {:?}", times[RUNS / 2]);
}

fn main() {
    let text = answer();
    println!("{} bytes", text.len());
    median("only decoded, each text copied", || {
        serde_json::from_str::<Value>(&text).expect("it is JSON")
    });
    // As the runtime sends it: JSON in a text.
    let sent = Value::String(text);
    median("decoded, built and shown", || {
        let mut view = TreeView::new(About::Runtime, "x".into());
        view.show(&Arc::new(Tree::of(&sent)));
        view
    });
    let tree = Arc::new(Tree::of(&sent));
    println!("{} nodes", tree.nodes().len());
    let mut view = TreeView::new(About::Runtime, "x".into());
    view.show(&tree);
    median("all unfolded", || view.fold_all(false));
    median("one page down", || {
        view.go(Move::HalfPages(2), 50);
        view.fit(50);
    });
    median("searched and counted", || {
        let sought = Sought::parse("setting_4999").expect("a text");
        view.search(sought);
    });
    median("as YAML", || tree.yaml(0));
}
