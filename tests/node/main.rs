//! The real-node suite: the program against a real containerd with real pods. Started by
//! `tests/run`, once for each version of containerd, in namespaces of its own.

mod act;
mod audit;
mod counted;
mod cri;
mod exec;
#[path = "../bench/exec.rs"]
mod exec_measures;
mod harness;
mod image;
mod inspect;
mod logs;
#[path = "../bench/measures.rs"]
mod measures;
mod node_itself;
mod pods;
mod registry;
mod screen;
mod snapshot;
mod stats;
#[path = "../support/mod.rs"]
mod support;
mod why;

/// The program under test.
const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
