//! One file of a log, held open: its bytes by offset, whatever it is called by now. Gzipped ones
//! are unpacked as they are read, in memory bounded by a constant.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use flate2::bufread::MultiGzDecoder;

use crate::host::open::FileId;

/// Unpacked bytes kept of one gzipped file: the kubelet's files (10 MiB) fit whole.
const KEPT: usize = 16 << 20;
/// Dropped at once when there are more.
const DROPPED: usize = 4 << 20;
/// Unpacked at once.
const STEP: usize = 256 << 10;

/// One file of a log.
#[derive(Debug)]
pub struct Segment {
    /// The container's attempt that wrote it.
    pub attempt: u32,
    /// What it was called when it was found.
    pub name: String,
    pub(super) id: FileId,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Plain(File),
    Gzip(Box<Mutex<Gzip>>),
    /// Truncated, with no copy: nothing of it is left.
    Lost,
}

impl Segment {
    /// Of an open file; `name` tells whether it is gzipped.
    pub(super) fn new(attempt: u32, name: &str, file: File) -> io::Result<Self> {
        let id = FileId::of(&file)?;
        let source = if is_gzip(name) {
            Source::Gzip(Box::new(Mutex::new(Gzip::new(file)?)))
        } else {
            Source::Plain(file)
        };
        Ok(Self {
            attempt,
            name: name.to_owned(),
            id,
            source,
        })
    }

    /// The same one after its content is gone.
    pub(super) fn lost(&self) -> Self {
        Self {
            attempt: self.attempt,
            name: self.name.clone(),
            id: self.id,
            source: Source::Lost,
        }
    }

    /// Reads at `offset`; fewer bytes than asked for only at the end.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        match &self.source {
            Source::Plain(file) => read_full(file, offset, out),
            Source::Gzip(gzip) => lock(gzip).read_at(offset, out),
            Source::Lost => Ok(0),
        }
    }

    /// Length now, in bytes; of a gzipped file unpacked, which takes one pass over it.
    pub fn len(&self) -> io::Result<u64> {
        match &self.source {
            Source::Plain(file) => Ok(file.metadata()?.len()),
            Source::Gzip(gzip) => lock(gzip).len(),
            Source::Lost => Ok(0),
        }
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.read_at(0, &mut [0])? == 0)
    }

    /// [`Segment::len`], of a gzipped file as its last bytes claim (modulo 4 GiB), without
    /// unpacking it: for estimates.
    pub fn len_hint(&self) -> io::Result<u64> {
        match &self.source {
            Source::Gzip(gzip) => lock(gzip).len_hint(),
            _ => self.len(),
        }
    }

    /// True if reading backwards in it is as cheap as forwards.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self.source, Source::Gzip(_))
    }
}

/// True for the name of a gzipped file.
pub(super) fn is_gzip(name: &str) -> bool {
    name.strip_suffix(".gz").is_some()
}

fn lock(gzip: &Mutex<Gzip>) -> std::sync::MutexGuard<'_, Gzip> {
    gzip.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_full(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match file.read_at(&mut out[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A window over the unpacked bytes that moves forward; going back before it starts anew.
#[derive(Debug)]
struct Gzip {
    decoder: MultiGzDecoder<BufReader<File>>,
    file: File,
    /// Offset of the window's first byte.
    base: u64,
    window: Vec<u8>,
    /// Length, once the end has been seen.
    end: Option<u64>,
}

impl Gzip {
    fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            decoder: MultiGzDecoder::new(BufReader::new(file.try_clone()?)),
            file,
            base: 0,
            window: Vec::new(),
            end: None,
        })
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        if offset < self.base {
            self.rewind()?;
        }
        let mut filled = 0;
        while filled < out.len() {
            let at = offset + filled as u64;
            while self.base + self.window.len() as u64 <= at {
                if !self.step()? {
                    return Ok(filled);
                }
            }
            // It fits: the window is at most KEPT long.
            let from = usize::try_from(at - self.base).unwrap_or(usize::MAX);
            let count = (self.window.len() - from).min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&self.window[from..from + count]);
            filled += count;
        }
        Ok(filled)
    }

    fn rewind(&mut self) -> io::Result<()> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        self.decoder = MultiGzDecoder::new(BufReader::new(file));
        self.base = 0;
        self.window.clear();
        Ok(())
    }

    /// Unpacks some more; false at the end. A file that is cut or damaged ends there.
    fn step(&mut self) -> io::Result<bool> {
        let reached = self.base + self.window.len() as u64;
        if self.end.is_some_and(|end| reached >= end) {
            return Ok(false);
        }
        if self.window.len() + STEP > KEPT {
            self.window.drain(..DROPPED);
            self.base += DROPPED as u64;
        }
        let before = self.window.len();
        self.window.resize(before + STEP, 0);
        let count = match self.decoder.read(&mut self.window[before..]) {
            Ok(count) => count,
            Err(error) if is_damage(&error) => 0,
            Err(error) => {
                self.window.truncate(before);
                return Err(error);
            }
        };
        self.window.truncate(before + count);
        if count == 0 {
            self.end = Some(reached);
        }
        Ok(count > 0)
    }

    fn len(&mut self) -> io::Result<u64> {
        while self.end.is_none() {
            self.step()?;
        }
        Ok(self.end.unwrap_or_default())
    }

    fn len_hint(&mut self) -> io::Result<u64> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        let packed = self.file.metadata()?.len();
        let mut size = [0; 4];
        let count = read_full(&self.file, packed.saturating_sub(4), &mut size)?;
        Ok(if count == 4 {
            u32::from_le_bytes(size).into()
        } else {
            0
        })
    }
}

fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(bytes: &[u8], cut: usize) -> Segment {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&packed[..packed.len() - cut]).unwrap();
        file.rewind().unwrap();
        Segment::new(0, "0.log.1.gz", file).unwrap()
    }

    #[test]
    fn gzipped_files_read_like_others_also_backwards() {
        let bytes: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| [n.to_le_bytes()[0]; 1000])
            .collect();
        let segment = gzip(&bytes, 0);
        assert_eq!(segment.len_hint().unwrap(), bytes.len() as u64);
        assert_eq!(segment.len().unwrap(), bytes.len() as u64);
        for offset in [19_999_990, 0, 7_000_123, 100, 18_000_000] {
            let mut out = [0; 5000];
            let count = segment.read_at(offset as u64, &mut out).unwrap();
            let expected = &bytes[offset..bytes.len().min(offset + 5000)];
            assert_eq!(&out[..count], expected, "at {offset}");
        }
    }

    #[test]
    fn a_cut_file_ends_where_it_is_cut() {
        let segment = gzip(b"hello world, hello world", 6);
        assert!(segment.len().unwrap() <= 24);
        assert_eq!(gzip(b"x", 21).len().unwrap(), 0);
    }
}
