//! What `tests/bench/logs` runs: `write FILE MIB` makes a log as containerd writes it, `page
//! FILE` opens one at its end and takes the last page, `count FILE THREADS literal|regex TEXT`
//! counts matching lines. Times in microseconds, memory in KiB.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use critui::host::open::HostRoot;
use critui::logs::{GO_ON, Pattern, Place, Timeline, Which};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["write", file, size] => write(file, size.parse()?)?,
        ["page", file] => page(file)?,
        ["count", file, threads, kind, text] => count(file, threads.parse()?, kind, text)?,
        _ => return Err("see the top of tests/bench/logs.rs".into()),
    }
    Ok(())
}

// The numbers of a time of day have no better names.
#[allow(clippy::many_single_char_names)]
fn write(file: &str, mib: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    let (mut written, mut n) = (0, 0_u64);
    while written < mib << 20 {
        n += 1;
        let r = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let (stream, mut text) = match r % 8 {
            0 => (
                "stderr",
                format!(
                    "level=warn msg=\"slow query\" table=orders ms={} rows={}",
                    r % 997,
                    r % 53
                ),
            ),
            1 => (
                "stdout",
                format!(
                    "{{\"level\":\"info\",\"msg\":\"request done\",\"path\":\"/api/v1/orders/{r:06x}\",\"n\":{n}}}"
                ),
            ),
            _ => (
                "stdout",
                format!(
                    "10.244.{}.{} - - \"GET /api/v1/items/{r:06x} HTTP/1.1\" 200 {} \"-\" \"kube-probe/1.31\"",
                    r % 200,
                    r % 250,
                    r % 9999
                ),
            ),
        };
        if n.is_multiple_of(5000) {
            write!(text, " upstream timeout after {}ms", r % 5000)
                .map_err(std::io::Error::other)?;
        }
        let (h, m, s) = (n / 36_000_000 % 24, n / 600_000 % 60, n / 10_000 % 60);
        let nanos = n % 10_000 * 100_000 + r % 99_999;
        let line = format!("2026-11-20T{h:02}:{m:02}:{s:02}.{nanos:09}Z {stream} F {text}\n");
        written += line.len() as u64;
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}

fn open(file: &str) -> Result<Timeline, Box<dyn std::error::Error>> {
    let host = HostRoot::new(Path::new("/"))?;
    let place = Place::of_path(&host, Path::new(file))?;
    Ok(Timeline::open(place, Which::Current)?)
}

fn page(file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let timeline = open(file)?;
    let files = timeline.files();
    let rows = files.before(files.end(), 60, 64 << 10)?;
    let time = start.elapsed().as_micros();
    assert_eq!(rows.len(), 60);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    println!("{time} {}", peak.unwrap_or("0"));
    Ok(())
}

fn count(
    file: &str,
    threads: usize,
    kind: &str,
    text: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let pattern = match kind {
        "literal" => Pattern::literal(text),
        _ => Pattern::regex(text).map_err(|error| error.to_string())?,
    };
    let timeline = open(file)?;
    let found = timeline.files().count(&pattern, threads, &|_| GO_ON)?;
    println!("{}", found.matches);
    Ok(())
}
