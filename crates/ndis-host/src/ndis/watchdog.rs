//! Time limits: a thread that looks every now and then for sends, OID requests and calls of drivers that
//! take too long.
//!
//! The limits are those of the documented rules, unless the policy has shorter ones. They hold for
//! built-in parts too: a test that holds back what a NIC does has that much time.

use std::collections::BTreeMap;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::nbl::owner;
use super::{caller, pnp, policy};
use crate::nt::sched::{self, Monitor};
use crate::rules::{self, Rule};

/// Starts the thread, once in a process.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        sched::spawn_service("NDIS watchdog", || {
            let _entered = caller::enter(caller::Caller::HOST);
            loop {
                sched::sleep(INTERVAL);
                look();
            }
        });
    });
}

fn look() {
    let policy = policy::current();
    let (oid_limit, send_limit) = (policy.oid_limit, policy.send_limit);
    for adapter in pnp::adapters() {
        if adapter
            .oids
            .pending_for()
            .is_some_and(|time| time > oid_limit)
        {
            rules::broken(
                &rules::NDIS_TIMED_OID_COMPLETE,
                format_args!(
                    "{} is pending at {adapter:?} for more than {} s",
                    adapter.oids.describe(),
                    oid_limit.as_secs()
                ),
            );
        }
        for module in adapter.filters.modules().iter() {
            let late = module
                .oids
                .pending_for()
                .is_some_and(|time| time > oid_limit);
            // If it passed the request on, the one below has it.
            if late && module.requests.load(Ordering::SeqCst) == 0 {
                rules::broken(
                    &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
                    format_args!(
                        "{} is pending at {module:?} for more than {} s",
                        module.oids.describe(),
                        oid_limit.as_secs()
                    ),
                );
            }
        }
    }
    if let Some((rule, late)) = owner::kept_longer_than(send_limit) {
        rules::broken(
            rule,
            format_args!("kept for more than {} s: {late}", send_limit.as_secs()),
        );
    }
    let now = sched::now();
    let late = RUNNING
        .lock()
        .values()
        .find(|call| now > call.until)
        .cloned();
    if let Some(call) = late {
        rules::broken(
            call.rule,
            format_args!(
                "the call has not returned after {} s: {}",
                call.time.as_secs(),
                call.what
            ),
        );
    }
}

/// Limits the time of a driver's call to the policy's, for as long as the answer lives.
pub(crate) fn limit(rule: &'static Rule, what: &str) -> Limit {
    limit_of(rule, what, policy::current().watchdog)
}

/// Limits the time of a driver's call to `time`, for as long as the answer lives.
pub(crate) fn limit_of(rule: &'static Rule, what: &str, time: Duration) -> Limit {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let call = Running {
        rule,
        what: what.to_owned(),
        time,
        until: sched::now() + time,
    };
    RUNNING.lock().insert(id, call);
    Limit(id)
}

/// A driver's call whose time is limited.
pub(crate) struct Limit(u64);

impl Drop for Limit {
    fn drop(&mut self) {
        RUNNING.lock().remove(&self.0);
    }
}

#[derive(Clone)]
struct Running {
    rule: &'static Rule,
    what: String,
    time: Duration,
    until: Duration,
}

const INTERVAL: Duration = Duration::from_secs(1);

/// Calls that have not returned.
static RUNNING: Monitor<BTreeMap<u64, Running>> = Monitor::new(BTreeMap::new());
