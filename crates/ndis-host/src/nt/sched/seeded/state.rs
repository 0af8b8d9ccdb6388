//! The threads of a seeded run: what each does, which may go on, and the virtual clock. No thread is
//! started, woken or stopped here.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Condvar};
use std::thread::JoinHandle;
use std::time::Duration;

use super::strategy::{Chooser, Seed};

/// All threads of the run.
#[derive(Debug)]
pub(super) struct State {
    pub(super) threads: BTreeMap<u64, Task>,
    /// The thread that has the token.
    pub(super) running: u64,
    pub(super) now: Duration,
    pub(super) chooser: Chooser,
    pub(super) steps: u64,
    pub(super) switches: u64,
    /// Threads that ended, for who gets the token to join: what the system does at a thread's end
    /// must not run beside another.
    pub(super) ended: Vec<JoinHandle<()>>,
    /// Threads ever started.
    pub(super) started: u64,
    /// Grows whenever a thread does something other than spin.
    progress: u64,
    /// When a thread that is no service ran last.
    useful: Duration,
}

/// One thread.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) wake: Arc<Condvar>,
    /// Until it ends; none for the thread that started the run.
    pub(super) handle: Option<JoinHandle<()>>,
    does: Does,
    /// A thread of the host that comes by every now and then, whether anything happens or not.
    service: bool,
    priority: u64,
}

/// What a thread does.
#[derive(Debug)]
enum Does {
    /// Goes on when it gets the token.
    Ready,
    /// Waits for a notification, or for a time.
    Wait {
        /// The address of what is waited for.
        on: usize,
        until: Option<Duration>,
        since: Duration,
        at: &'static Location<'static>,
        /// The calls and callbacks that it is in.
        inside: String,
    },
    /// Waits for a spin lock: to look again once `progress` has grown beyond this.
    Spin(u64),
}

/// What a waiting thread waits for.
pub(super) struct Wait {
    pub(super) on: usize,
    pub(super) until: Option<Duration>,
    pub(super) at: &'static Location<'static>,
    pub(super) inside: String,
}

/// No thread can go on, now or at any later time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stuck;

impl State {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            threads: BTreeMap::new(),
            running: 0,
            now: Duration::ZERO,
            chooser: Chooser::new(seed),
            steps: 0,
            switches: 0,
            ended: Vec::new(),
            started: 0,
            progress: 1,
            useful: Duration::ZERO,
        }
    }

    pub(super) fn add(&mut self, id: u64, name: String, service: bool) {
        let priority = self.chooser.priority();
        self.started += 1;
        let task = Task {
            name,
            wake: Arc::default(),
            handle: None,
            does: Does::Ready,
            service,
            priority,
        };
        self.threads.insert(id, task);
    }

    /// The running thread is at a point where another may take over.
    pub(super) fn step(&mut self) -> Result<u64, Stuck> {
        self.steps += 1;
        self.progress += 1;
        if let Some(priority) = self.chooser.fall(self.steps) {
            self.me().priority = priority;
        }
        self.next(Some(self.running))
    }

    /// The running thread waits.
    pub(super) fn wait(&mut self, wait: Wait) -> Result<u64, Stuck> {
        self.steps += 1;
        self.progress += 1;
        let since = self.now;
        self.me().does = Does::Wait {
            on: wait.on,
            until: wait.until,
            since,
            at: wait.at,
            inside: wait.inside,
        };
        self.next(None)
    }

    /// The running thread finds a spin lock taken.
    pub(super) fn spin(&mut self) -> Result<u64, Stuck> {
        self.steps += 1;
        let seen = self.progress;
        self.me().does = Does::Spin(seen);
        self.next(None)
    }

    /// The running thread has ended.
    pub(super) fn end(&mut self) -> Result<u64, Stuck> {
        self.progress += 1;
        if let Some(task) = self.threads.remove(&self.running) {
            self.ended.extend(task.handle);
        }
        self.next(None)
    }

    /// Those who wait for what is at that address look again.
    pub(super) fn notify(&mut self, address: usize) {
        for task in self.threads.values_mut() {
            if matches!(task.does, Does::Wait { on, .. } if on == address) {
                task.does = Does::Ready;
            }
        }
    }

    /// Each thread and what it does, for reports.
    pub(super) fn describe(&self) -> Vec<String> {
        let line = |(id, task): (&u64, &Task)| {
            let name = &task.name;
            let does = match &task.does {
                Does::Ready if *id == self.running => "runs".to_owned(),
                Does::Ready => "can run".to_owned(),
                Does::Spin(_) => "spins for a lock".to_owned(),
                Does::Wait {
                    until,
                    since,
                    at,
                    inside,
                    ..
                } => {
                    let until = match until {
                        Some(until) => format!(" until {}", seconds(*until)),
                        None => String::new(),
                    };
                    let since = seconds(*since);
                    format!("waits since {since}{until} ({inside}{at})")
                }
            };
            format!("\"{name}\" {does}")
        };
        self.threads.iter().map(line).collect()
    }

    /// Who runs next; the clock goes on if nobody can run now. `running`: who could go on.
    fn next(&mut self, running: Option<u64>) -> Result<u64, Stuck> {
        loop {
            let can_run: Vec<(u64, u64)> = self
                .threads
                .iter()
                .filter(|(_, task)| task.can_run(self.progress))
                .map(|(id, task)| (*id, task.priority))
                .collect();
            if !can_run.is_empty() {
                let next = self.chooser.choose(&can_run, running);
                let now = self.now;
                if let Some(task) = self.threads.get_mut(&next) {
                    task.does = Does::Ready;
                    if !task.service {
                        self.useful = now;
                    }
                }
                return Ok(next);
            }
            self.advance()?;
        }
    }

    /// Moves the clock to when the first thread can go on.
    fn advance(&mut self) -> Result<(), Stuck> {
        let spins = self
            .threads
            .values()
            .any(|task| matches!(task.does, Does::Spin(_)));
        let first = self.threads.values().filter_map(Task::until).min();
        let to = match (first, spins) {
            (None, false) => return Err(Stuck),
            (None, true) => self.now + SPIN,
            (Some(first), false) => first,
            (Some(first), true) => first.min(self.now + SPIN),
        };
        let only_services = !spins
            && self
                .threads
                .values()
                .all(|task| task.service || task.until().is_none());
        let never_returns = self.threads.values().any(|task| {
            task.waits_inside_since()
                .is_some_and(|since| to > since + STUCK_AFTER)
        });
        if never_returns || only_services && to > self.useful + STUCK_AFTER {
            return Err(Stuck);
        }
        self.now = self.now.max(to);
        self.progress += 1;
        for task in self.threads.values_mut() {
            if task.until().is_some_and(|until| until <= self.now) {
                task.does = Does::Ready;
            }
        }
        Ok(())
    }

    fn me(&mut self) -> &mut Task {
        let me = self.threads.get_mut(&self.running);
        me.expect("the thread with the token is in the table")
    }
}

impl Task {
    fn can_run(&self, progress: u64) -> bool {
        match self.does {
            Does::Ready => true,
            Does::Wait { .. } => false,
            Does::Spin(seen) => progress > seen,
        }
    }

    /// Since when it waits in a call or callback between driver and host, if no time ends that.
    fn waits_inside_since(&self) -> Option<Duration> {
        match &self.does {
            Does::Wait {
                until: None,
                since,
                inside,
                ..
            } if !inside.is_empty() => Some(*since),
            _ => None,
        }
    }

    fn until(&self) -> Option<Duration> {
        match self.does {
            Does::Wait { until, .. } => until,
            Does::Ready | Does::Spin(_) => None,
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// How far the clock goes when all that can run spin: what they wait for needs time to pass.
const SPIN: Duration = Duration::from_millis(10);

/// How long only services may run, and how long a driver may wait. Longer than any watchdog of NDIS.
const STUCK_AFTER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::super::strategy::Strategy;
    use super::*;

    fn state(services: &[bool]) -> State {
        let mut state = State::new(Seed {
            seed: 1,
            strategy: Strategy::Random { one_in: 1 },
            steps_estimate: 0,
        });
        for (index, service) in services.iter().enumerate() {
            state.add(index as u64 + 1, format!("t{}", index + 1), *service);
        }
        state.running = 1;
        state
    }

    fn wait(state: &mut State, on: usize, until: Option<u64>) -> Result<u64, Stuck> {
        wait_inside(state, on, until, "")
    }

    fn wait_inside(
        state: &mut State,
        on: usize,
        until: Option<u64>,
        inside: &str,
    ) -> Result<u64, Stuck> {
        let next = state.wait(Wait {
            on,
            until: until.map(Duration::from_secs),
            at: Location::caller(),
            inside: inside.to_owned(),
        });
        if let Ok(next) = next {
            state.running = next;
        }
        next
    }

    #[test]
    fn the_clock_stands_still_while_a_thread_can_run() {
        let mut state = state(&[false, false]);
        assert_eq!(wait(&mut state, 7, Some(30)), Ok(2));
        assert_eq!(state.now, Duration::ZERO);
        assert_eq!(wait(&mut state, 8, Some(20)), Ok(2));
        assert_eq!(state.now, Duration::from_secs(20));
    }

    #[test]
    fn who_is_notified_can_run_and_others_cannot() {
        let mut state = state(&[false, false, false]);
        state.running = 3;
        assert!(wait(&mut state, 7, None).is_ok());
        assert!(wait(&mut state, 8, None).is_ok());
        let last = state.running;
        state.notify(7);
        assert_eq!(wait(&mut state, 9, None), Ok(3));
        assert_ne!(last, 3);
        assert_eq!(wait(&mut state, 9, None), Err(Stuck));
    }

    #[test]
    fn services_alone_are_stuck_after_a_while() {
        let mut state = state(&[false, true]);
        assert_eq!(wait(&mut state, 7, None), Ok(2));
        let mut times = 1;
        let last = loop {
            match wait(&mut state, 0, Some(times * 100)) {
                Ok(2) => times += 1,
                other => break other,
            }
        };
        assert_eq!((last, times), (Err(Stuck), 7));
        assert!(
            state.describe()[0]
                .contains("\"t1\" waits since 0.000 s (crates/ndis-host/src/nt/sched/"),
            "{:?}",
            state.describe()
        );
    }

    #[test]
    fn a_driver_that_waits_for_ever_is_stuck_whatever_others_do() {
        for (inside, stuck) in [("MiniportPause > ", true), ("", false)] {
            let mut state = state(&[false, false]);
            assert_eq!(wait_inside(&mut state, 7, None, inside), Ok(2));
            let last = (1..20).find_map(|times| wait(&mut state, 0, Some(times * 100)).err());
            assert_eq!(last.is_some(), stuck, "{inside:?}");
        }
    }

    #[test]
    fn spinning_threads_let_time_pass_when_nobody_else_can_run() {
        let mut state = state(&[false, false]);
        for _ in 0..10 {
            state.running = state.spin().unwrap();
        }
        assert!(
            state.now >= SPIN * 3 && state.now <= SPIN * 5,
            "{:?}",
            state.now
        );
    }
}
