//! stub
pub mod crictl;
pub mod endpoint;
pub mod env;
pub mod go;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod trust;
pub mod value;
pub mod yaml;
