//! What the node's own files say. Everything here reads; nothing here writes.

pub mod addresses;
pub mod certificates;
pub mod cgroup;
pub mod fills;
pub mod ghosts;
pub mod guarded;
pub mod holder;
pub mod ingest;
pub mod journal;
pub mod kernel;
pub mod kubelet;
pub mod manifest;
pub mod manifests;
pub mod node;
pub mod open;
pub mod owner;
pub mod pressure;
pub mod process;
pub mod said;
pub mod traces;
pub mod tree;

#[cfg(test)]
mod testing;
