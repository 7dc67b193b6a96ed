//! What the node's own files say. Everything here reads; nothing here writes.

pub mod cgroup;
pub mod fills;
pub mod holder;
pub mod ingest;
pub mod manifest;
pub mod node;
pub mod open;
pub mod owner;
pub mod pressure;
pub mod process;
pub mod tree;
