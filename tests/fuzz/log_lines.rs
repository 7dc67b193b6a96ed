//! Any bytes as the lines of a log file.

#![no_main]

mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::log_lines(bytes));
