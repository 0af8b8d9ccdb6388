//! Built-in filters: lightweight filter drivers of the host's own, over the functions that images call.
//!
//! A filter passes on all that comes, and counts it. A test can make it keep sends and receives,
//! originate frames and requests, take its time to pause and restart, or break a rule ([`Fault`]).
//!
//! | file | concern |
//! |---|---|
//! | `driver` | registration, attach, restart, pause, detach |
//! | `traffic` | frames |
//! | `control` | OID requests, status indications, events |
//!
//! Not in here: on which devices it stands (`Lab::stack_filter`).

mod control;
mod driver;
mod traffic;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use ndis_sys::{NDIS_HANDLE, NDIS_STATUS};

use crate::ndis::caller::Caller;
use crate::ndis::strings;
use crate::nic::Memory;
use crate::nt::sched::Monitor;

/// What a filter handles. What it does not, NDIS leaves it out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterConfig {
    /// Sends and their completions.
    pub sends: bool,
    /// Receives and their returns.
    pub receives: bool,
    /// OID requests, direct ones too.
    pub requests: bool,
    /// Status indications; a filter that receives has to.
    pub status: bool,
    /// Network and device events.
    pub events: bool,
    /// Whether it chooses its functions anew at each restart: what is changed with
    /// [`Filter::bypass`].
    pub options: bool,
    /// The minor version of its NDIS contract.
    pub minor_version: u8,
}

impl FilterConfig {
    /// All of it.
    pub const ALL: Self = Self {
        sends: true,
        receives: true,
        requests: true,
        status: true,
        events: true,
        options: false,
        minor_version: 30,
    };

    /// None of it: a filter that is only there.
    pub const NONE: Self = Self {
        sends: false,
        receives: false,
        requests: false,
        status: false,
        events: false,
        options: false,
        minor_version: 30,
    };
}

/// Rules that a filter can be told to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `FilterAttach` fails.
    AttachFails,
    /// `FilterAttach` succeeds without `NdisFSetAttributes`.
    NoAttributes,
    /// `FilterRestart` fails.
    RestartFails,
    /// `FilterPause` fails.
    PauseFails,
    /// `FilterPause` pends for good.
    PauseNeverCompletes,
    /// `FilterPause` succeeds, and `NdisFPauseComplete` was called too.
    PauseTwice,
    /// It keeps what it holds over a pause.
    KeepOverPause,
    /// It passes a send on with another SourceHandle.
    ChangeSource,
    /// It passes the request itself on, not a clone of it; direct ones too.
    NoClone,
    /// It completes a request and returns a status too; direct ones too.
    CompleteTwice,
    /// It keeps frames that it got with RESOURCES.
    KeepResources,
    /// It sends a received NBL down.
    SendReceived,
    /// It changes a sent frame's length and does not undo it.
    KeepAdvanced,
    /// It calls `NdisFNetPnPEvent` in `FilterOidRequest`.
    EventInRequest,
    /// `FilterDetach` leaves a work item of the module.
    LeakWorkItem,
    /// It sends an NBL of its own in `FilterPause`.
    SendInPause,
    /// It changes a byte of what is sent.
    ChangeBytes,
    /// `FilterDetach` takes five seconds.
    SlowDetach,
    /// It never answers a request, nor a direct one.
    KeepRequest,
    /// `FilterStatus` takes five seconds.
    SlowStatus,
}

/// What a filter counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterCounters {
    /// NBLs on their way down.
    pub sends: u64,
    /// NBLs that came back from below.
    pub sends_completed: u64,
    /// NBLs on their way up.
    pub receives: u64,
    /// NBLs that came back from above.
    pub receives_returned: u64,
    /// OID requests.
    pub requests: u64,
    /// Direct OID requests.
    pub direct_requests: u64,
    /// Status indications.
    pub statuses: u64,
    /// Network events.
    pub network_events: u64,
    /// Device events.
    pub device_events: u64,
    /// Send cancellations.
    pub cancels: u64,
}

/// A filter driver.
pub struct Filter {
    name: &'static str,
    config: FilterConfig,
    state: Monitor<State>,
}

#[derive(Default)]
struct State {
    driver: Option<usize>,
    instances: Vec<&'static Instance>,
    counters: FilterCounters,
    fault: Option<Fault>,
    hold_sends: bool,
    hold_receives: bool,
    pend_pause: bool,
    pend_restart: bool,
    bypass: bool,
}

/// One module of a filter.
struct Instance {
    filter: &'static Filter,
    handle: usize,
    pool: usize,
    state: Monitor<Module>,
}

#[derive(Default)]
struct Module {
    running: bool,
    /// NBLs of its own that are out, with their memory.
    own: BTreeMap<usize, Memory>,
    held_sends: Vec<usize>,
    held_receives: Vec<usize>,
    /// Clones that are below, with the requests that they are of.
    clones: BTreeMap<usize, usize>,
    /// Requests of its own, with their answers.
    answers: BTreeMap<usize, Option<NDIS_STATUS>>,
    /// What NDIS told of the restart: MTU, and interface index below.
    restarted_with: Option<(u32, u32)>,
}

impl Filter {
    /// A filter that is not registered yet.
    pub(crate) fn new(name: &str, config: FilterConfig) -> &'static Self {
        Box::leak(Box::new(Self {
            name: strings::intern(name),
            config,
            state: Monitor::default(),
        }))
    }

    /// What it is called: its service.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it counted, over all modules.
    pub fn counters(&self) -> FilterCounters {
        self.state.lock().counters
    }

    /// Makes it break a rule from now on, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state.lock().fault = fault;
    }

    /// Keeps sends that come from above, or passes on what is kept.
    pub fn hold_sends(&self, hold: bool) {
        self.state.lock().hold_sends = hold;
        if !hold {
            self.instances().iter().for_each(|it| it.release_sends());
        }
    }

    /// Keeps frames that come from below, or passes on what is kept.
    pub fn hold_receives(&self, hold: bool) {
        self.state.lock().hold_receives = hold;
        if !hold {
            self.instances().iter().for_each(|it| it.release_receives());
        }
    }

    /// NBLs that it keeps.
    pub fn held(&self) -> usize {
        let held = |instance: &&'static Instance| {
            let state = instance.state.lock();
            state.held_sends.len() + state.held_receives.len()
        };
        self.instances().iter().map(held).sum()
    }

    /// Waits until it keeps that many NBLs.
    pub fn wait_held(&self, count: usize, timeout: Duration) -> bool {
        let until = crate::nt::sched::now() + timeout;
        while self.held() != count {
            if crate::nt::sched::now() > until {
                return false;
            }
            crate::nt::sched::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Whether it completes pauses and restarts later, on another thread.
    pub fn pend(&self, pauses: bool, restarts: bool) {
        let mut state = self.state.lock();
        state.pend_pause = pauses;
        state.pend_restart = restarts;
    }

    /// Leaves its data path functions out from the next restart on, which it asks for, or not any more.
    pub fn bypass(&self, bypass: bool) {
        self.state.lock().bypass = bypass;
        self.instances().iter().for_each(|it| it.ask_restart());
    }

    /// What NDIS told at the last restart of the first module: MTU, and the interface index below.
    pub fn restarted_with(&self) -> Option<(u32, u32)> {
        let first = self.instances().first().copied()?;
        let state = first.state.lock();
        state.restarted_with
    }

    fn instances(&self) -> Vec<&'static Instance> {
        self.state.lock().instances.clone()
    }

    fn has_fault(&self, fault: Fault) -> bool {
        self.state.lock().fault == Some(fault)
    }

    fn count(&self, count: impl FnOnce(&mut FilterCounters)) {
        count(&mut self.state.lock().counters);
    }

    fn caller(&self) -> Caller {
        Caller {
            name: self.name,
            built_in: true,
        }
    }
}

impl Instance {
    fn handle(&self) -> NDIS_HANDLE {
        self.handle as NDIS_HANDLE
    }

    fn pool(&self) -> NDIS_HANDLE {
        self.pool as NDIS_HANDLE
    }
}

/// The module that a context is.
fn instance_of(context: NDIS_HANDLE) -> &'static Instance {
    // SAFETY: it is the context that `FilterAttach` set; instances are never freed.
    unsafe { &*context.cast::<Instance>() }
}

/// How long a slow function takes.
const SLOW: Duration = Duration::from_secs(5);
