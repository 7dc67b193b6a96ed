//! Threads for work that may hang in the kernel. One that is done waits for more: starting a
//! thread costs more than most looks at a file.

use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::resolver::OpenError;

/// Most threads at once, before further work is refused.
pub(super) const MAX_WORKERS: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one root. They end with it, those that hang when they no longer do.
#[derive(Default)]
pub(super) struct Workers(Mutex<State>);

#[derive(Default)]
struct State {
    /// Threads there are, waiting or not.
    threads: usize,
    waiting: Vec<Sender<Job>>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers")
    }
}

impl Workers {
    /// Runs `job` on a thread that waits, else on a new one.
    pub fn run(self: &Arc<Self>, job: Job) -> Result<(), OpenError> {
        let waiting = self.state().waiting.pop();
        match waiting {
            // One that waits is there to receive.
            Some(worker) => worker.send(job).map_err(|_| OpenError::Busy),
            None => self.start(job, true),
        }
    }

    /// Runs `job` on a thread that does nothing else, before or after.
    pub fn run_alone(self: &Arc<Self>, job: Job) -> Result<(), OpenError> {
        self.start(job, false)
    }

    fn start(self: &Arc<Self>, job: Job, again: bool) -> Result<(), OpenError> {
        {
            let mut state = self.state();
            if state.threads >= MAX_WORKERS {
                return Err(OpenError::Busy);
            }
            state.threads += 1;
        }
        let workers = Arc::downgrade(self);
        let work = move || {
            let _seat = Seat(workers.clone());
            job();
            if !again {
                return;
            }
            loop {
                let (worker, jobs) = channel::<Job>();
                // Waiting, it keeps nothing of the root alive.
                let Some(workers) = workers.upgrade() else {
                    return;
                };
                workers.state().waiting.push(worker);
                drop(workers);
                let Ok(job) = jobs.recv() else { return };
                job();
            }
        };
        let thread = std::thread::Builder::new().name("host-file".into());
        thread.spawn(work).map(drop).map_err(|_| {
            self.state().threads -= 1;
            OpenError::Busy
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Given back when the thread ends, also by a panic.
struct Seat(Weak<Workers>);

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(workers) = self.0.upgrade() {
            workers.state().threads -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn who(workers: &Arc<Workers>, alone: bool) -> thread::ThreadId {
        let (tell, told) = channel();
        let job: Job = Box::new(move || tell.send(thread::current().id()).unwrap());
        if alone {
            workers.run_alone(job).unwrap();
        } else {
            workers.run(job).unwrap();
        }
        told.recv().unwrap()
    }

    fn await_waiting(workers: &Arc<Workers>, count: usize) {
        while workers.state().waiting.len() != count {
            thread::yield_now();
        }
    }

    #[test]
    fn a_thread_that_is_done_is_used_again_unless_it_works_alone() {
        let workers = Arc::default();
        let first = who(&workers, false);
        await_waiting(&workers, 1);
        assert_eq!(who(&workers, false), first);
        await_waiting(&workers, 1);
        let alone = who(&workers, true);
        assert_ne!(alone, first);
        assert_eq!(who(&workers, false), first);
    }

    #[test]
    fn threads_that_hang_do_not_pile_up() {
        let workers: Arc<Workers> = Arc::default();
        let (release, held) = channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let hang = || -> Job {
            let held = Arc::clone(&held);
            Box::new(move || drop(held.lock().map(|held| held.recv())))
        };
        for _ in 0..MAX_WORKERS {
            workers.run(hang()).unwrap();
        }
        assert_eq!(workers.run(hang()), Err(OpenError::Busy));
        drop(release);
        await_waiting(&workers, MAX_WORKERS);
        assert!(workers.run(Box::new(|| ())).is_ok());
    }

    #[test]
    fn a_panic_costs_its_thread_alone() {
        let workers: Arc<Workers> = Arc::default();
        workers.run(Box::new(|| panic!("as a test asks"))).unwrap();
        while workers.state().threads != 0 {
            thread::yield_now();
        }
        who(&workers, false);
    }
}
