//! Any bytes as a message of a streaming server.

#![no_main]

mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::stream_frames(bytes));
