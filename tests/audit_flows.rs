//! What a user does to learn what on a node could hurt. Keys through the real loop against the
//! simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use flow::{Start, each, opened};

fn start() -> Start {
    Start {
        size: (140, 50),
        ..Start::default()
    }
}

#[test]
fn findings_are_grouped_opened_and_proven() {
    each(
        &start(),
        &[
            ("", "Audit by severity"),
            ("", "privileged"),
            ("o", "Audit by pod"),
            ("o", "the node ("),
            ("oo", "Audit by check"),
            ("oo", "privileged: runs privileged (3)"),
            ("ooo", "Audit by severity"),
            ("/secret-in<Enter>", "DB_PASSWORD in its environment"),
            ("/nonsense<Enter>", "no finding matches"),
            ("/nonsense<Enter><Esc>", "privileged"),
            ("/~^high.*calico<Enter><Enter>", "What to do"),
            (
                "/~^high.*calico<Enter><Enter>",
                "CIS Kubernetes Benchmark 1.12, 5.2.2",
            ),
            (
                "/~^high.*calico<Enter><Enter>",
                "privileged; baseline needs Host Namespaces, Privileged Containers",
            ),
            ("/~^high.*calico<Enter>y", "> YAML"),
            ("/~^high.*calico<Enter>y", "CAP_SYS_ADMIN"),
            ("/~^high.*calico<Enter><Enter>y", "CAP_SYS_ADMIN"),
            ("/secret-in-env<Enter>y", "<masked>"),
            (
                "/kubelet-config-mode<Enter>y",
                "a file of the node proves it",
            ),
            ("/host-pid<Enter>c", "copied"),
            ("/host-pid<Enter>i", "does nothing here"),
            ("R", "looking again"),
        ],
        |flow, (keys, words)| {
            // Answers take their time.
            flow.types("A").sees("high (").types(keys).sees(words)
        },
    );
}

#[test]
fn it_is_reached_from_anywhere() {
    each(
        &start(),
        &[
            ("yA", "Audit by severity"),
            ("nA", "Audit by severity"),
            ("vA", "Audit by severity"),
            (":audit<Enter>", "Audit by severity"),
            ("?", "what on this node could hurt"),
        ],
        |flow, (keys, words)| flow.types(keys).sees(words),
    );
}

#[test]
fn it_leads_back_where_it_came_from() {
    opened(&start())
        .types("A")
        .sees("high (")
        .types("<Enter>")
        .sees("What to do")
        .types("q")
        .sees("Audit by severity")
        .types("q")
        .sees("1 Pods");
}

#[test]
fn no_secret_is_told() {
    opened(&start())
        .types("A")
        .sees("high (")
        .types("/secret<Enter>")
        .sees("DB_PASSWORD")
        .misses("hunter2")
        .types("<Enter>")
        .sees("<masked>")
        .misses("hunter2");
}

#[test]
fn an_auditor_sees_no_log_that_he_did_not_ask_for_and_no_masked_value() {
    let start = Start {
        mask_always: true,
        ..start()
    };
    opened(&start)
        .types("/payments<Enter>")
        .sees("payments")
        .misses("─ Log")
        .types("<Enter>y")
        .sees("> YAML")
        .types("/PASSWORD<Enter>")
        .types("x")
        .sees("reveal: --mask-always was given")
        .types("ql")
        .sees("Logs payments-");
}

#[test]
fn help_says_what_read_only_mode_refuses() {
    let start = Start {
        read_only: true,
        size: (140, 200),
        ..Start::default()
    };
    opened(&start)
        .types("?")
        .sees("refused, this run is read-only: ");
}
