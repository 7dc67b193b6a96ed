//! The terminal: raw mode, the alternate screen, and a thread that writes frames, so that a
//! terminal that takes no more bytes (a dead SSH line) never blocks anything else.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::stdio::stdout;
use tokio::sync::watch;

mod console;
mod decode;
mod keyboard;

pub use console::Console;
pub use keyboard::{Keyboard, Keys};

use console::Lent;

/// Alternate screen, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
/// Colours off, cursor back, the user's screen back, and no mouse reports whatever was on.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?1002l\x1b[?1006l\x1b[?25h\x1b[?1049l";
/// What may be left on by a program in a container that was not asked to go: colours, character
/// sets, margins, insert and application modes, pastes, mouse reports, a hidden cursor, another
/// screen.
const CALM: &[u8] =
    b"\x1b[0m\x1b(B\x0f\x1b7\x1b[r\x1b8\x1b[4l\x1b[?1l\x1b>\x1b[?7h\x1b[?2004l\x1b[?1004l\
    \x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?25h\x1b[?47l\r";
/// A terminal that knows it shows the whole frame at once.
const FRAME: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");
/// Bytes that ratatui gathers before they are added to the frame: it writes in tiny pieces.
const BATCH: usize = 8 << 10;
/// A terminal that has not taken the last bytes by now is left as it is.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where frames go. The real one is [`Screen`]; tests draw into memory.
pub trait Surface {
    /// What ratatui draws through.
    type Backend: ratatui::backend::Backend;
    /// The terminal to draw with, at its present size.
    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;
    /// Hands over what was drawn.
    fn present(&mut self);
    /// True when a new frame would be taken. Ends with an error when the terminal is gone.
    fn ready(&self) -> io::Result<bool>;
    /// Waits until [`Surface::ready`] may have changed.
    fn changed(&mut self) -> impl Future<Output = ()>;
    /// Gives the terminal back, waits until the program is continued, and takes it again.
    fn suspend(&mut self) -> io::Result<()>;
    /// Lends the terminal to something in a container. Nothing is drawn until
    /// [`Surface::take_back`].
    fn lend(&mut self) -> io::Result<Console>;
    /// Gives the terminal back as it was, for a program that inherits it. Nothing is drawn until
    /// [`Surface::take_back`].
    fn step_aside(&mut self);
    /// Takes the terminal again; the [`Console`] has been dropped, or the program has ended.
    fn take_back(&mut self) -> io::Result<()>;
    /// Sends a sequence that draws nothing, with the next frame.
    fn raw(&mut self, sequence: &[u8]) -> io::Result<()>;
    /// The content of the screen is lost: the next frame is drawn whole.
    fn repaint(&mut self) -> io::Result<()>;
}

/// Bytes of the frame that is being drawn.
#[derive(Clone, Default, Debug)]
pub struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut frame = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    Free,
    Writing,
    Lost,
}

/// The thread that writes, one frame at a time.
struct Writer {
    frames: SyncSender<Vec<u8>>,
    slot: watch::Receiver<Slot>,
    busy: Arc<watch::Sender<Slot>>,
    /// Closed by the end of the thread.
    ended: Receiver<()>,
}

impl Writer {
    fn start() -> io::Result<Self> {
        let mut out = File::from(rustix::io::dup(stdout())?);
        // One frame that the thread has not taken yet, and the last bytes behind it.
        let (frames, queue) = sync_channel::<Vec<u8>>(2);
        let (ending, ended) = sync_channel(0);
        let (busy, slot) = watch::channel(Slot::Free);
        let busy = Arc::new(busy);
        let done = Arc::clone(&busy);
        let write = move || {
            let _ending = ending;
            while let Ok(bytes) = queue.recv() {
                let written = out.write_all(&bytes).is_ok();
                done.send_replace(if written { Slot::Free } else { Slot::Lost });
                if !written {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(write)?;
        Ok(Self {
            frames,
            slot,
            busy,
            ended,
        })
    }

    fn send(&self, bytes: Vec<u8>) {
        self.busy.send_replace(Slot::Writing);
        if self.frames.try_send(bytes).is_err() {
            self.busy.send_replace(Slot::Lost);
        }
    }

    /// Sends the last bytes and waits, not for ever, until they are written.
    fn finish(self, bytes: Vec<u8>) {
        // A frame may be under way; the queue has room for one more.
        let _ = self.frames.try_send(bytes);
        drop(self.frames);
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

/// The real terminal.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Bytes>>>,
    bytes: Bytes,
    writer: Option<Writer>,
    lent: Option<Lent>,
}

/// Restores the terminal when it goes out of scope, also in a panic.
impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Screen {
    /// Takes the terminal.
    pub fn enter() -> io::Result<Self> {
        let bytes = Bytes::default();
        let viewport = Viewport::Fixed(area());
        let backend = CrosstermBackend::new(BufWriter::with_capacity(BATCH, bytes.clone()));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        let mut screen = Self {
            terminal,
            bytes,
            writer: None,
            lent: None,
        };
        restore_on_panic();
        screen.take()?;
        Ok(screen)
    }

    fn take(&mut self) -> io::Result<()> {
        crossterm::terminal::enable_raw_mode()?;
        self.writer = Some(Writer::start()?);
        self.bytes.write_all(ENTER)
    }

    fn leave(&mut self) {
        // What was drawn but not sent is of no use any more.
        self.bytes.take();
        if let Some(writer) = self.writer.take() {
            writer.finish(LEAVE.to_vec());
        }
        if let Some(lent) = self.lent.take() {
            lent.back(PATIENCE);
        }
        // Nothing can be done about a terminal that is gone.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Size of the terminal; 80x24 if it does not know.
fn size() -> Size {
    match rustix::termios::tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
        _ => Size::new(80, 24),
    }
}

fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A panic on another thread must not be drawn into the screen either.
        let _ = rustix::io::write(stdout(), LEAVE);
        let _ = crossterm::terminal::disable_raw_mode();
        before(info);
    }));
}

/// The whole terminal.
fn area() -> Rect {
    Rect::from((ratatui::layout::Position::ORIGIN, size()))
}

impl Surface for Screen {
    type Backend = CrosstermBackend<BufWriter<Bytes>>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        let area = area();
        if self.terminal.current_buffer_mut().area != area {
            // Writing into memory cannot fail.
            let _ = self.terminal.resize(area);
        }
        &mut self.terminal
    }

    fn present(&mut self) {
        let frame = self.bytes.take();
        if let Some(writer) = self.writer.as_ref().filter(|_| !frame.is_empty()) {
            writer.send([FRAME.0, &frame, FRAME.1].concat());
        }
    }

    fn ready(&self) -> io::Result<bool> {
        match self.writer.as_ref().map(|writer| *writer.slot.borrow()) {
            Some(Slot::Free) => Ok(true),
            Some(Slot::Writing) => Ok(false),
            Some(Slot::Lost) | None => Err(io::Error::other("the terminal is gone")),
        }
    }

    async fn changed(&mut self) {
        match &mut self.writer {
            // The writer that is being waited for is a field of self.
            Some(writer) => drop(writer.slot.changed().await),
            None => std::future::pending().await,
        }
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::STOP)?;
        self.take()?;
        self.repaint()
    }

    fn lend(&mut self) -> io::Result<Console> {
        self.bytes.take();
        if let Some(writer) = self.writer.take() {
            writer.finish(LEAVE.to_vec());
        }
        let (console, lent) = console::lend(Vec::new(), CALM)?;
        self.lent = Some(lent);
        Ok(console)
    }

    fn step_aside(&mut self) {
        self.leave();
    }

    fn take_back(&mut self) -> io::Result<()> {
        if let Some(lent) = self.lent.take() {
            lent.back(PATIENCE);
        }
        self.take()?;
        self.repaint()
    }

    fn raw(&mut self, sequence: &[u8]) -> io::Result<()> {
        self.bytes.write_all(sequence)
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.terminal.resize(area())
    }
}
