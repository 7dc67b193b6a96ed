//! critui: a terminal UI for Kubernetes nodes that speaks CRI to the container runtime.

pub mod access;
pub mod app;
pub mod cli;
pub mod config;
pub mod cri;
pub mod demo;
pub mod domain;
pub mod format;
pub mod host;
pub mod keys;
pub mod link;
pub mod model;
pub mod snapshot;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod views;
pub mod widgets;
