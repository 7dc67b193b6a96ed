//! stub
pub mod endpoint;
pub mod env;
pub mod go;
pub mod trust;
pub mod value;
pub mod yaml;
