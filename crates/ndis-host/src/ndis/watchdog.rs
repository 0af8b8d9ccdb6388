//! Time limits: a thread that looks every now and then for sends, OID requests and calls of drivers that
//! take too long.
//!
//! The limits are those of the documented rules, unless the policy has shorter ones. They hold for
//! built-in parts too: a test that holds back what a NIC does has that much time.

use std::collections::BTreeMap;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::adapter::Adapter;
use super::filter::Layer;
use super::nbl::owner;
use super::object::handle_of;
use super::oid::direct;
use super::{caller, pnp, policy};
use crate::nt::sched::{self, Monitor};
use crate::rules::{self, Rule};

/// Starts the thread, once in a process.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        sched::spawn_service("NDIS watchdog", || {
            let _entered = caller::enter(caller::Caller::HOST);
            let mut quiet = BTreeMap::new();
            loop {
                sched::sleep(INTERVAL);
                look(&mut quiet);
            }
        });
    });
}

fn look(quiet: &mut BTreeMap<usize, Quiet>) {
    let policy = policy::current();
    let (oid_limit, send_limit) = (policy.oid_limit, policy.send_limit);
    for adapter in pnp::adapters() {
        look_at_request(adapter, oid_limit);
        look_at_completions(adapter, policy.hang_limit, quiet);
        for module in adapter.filters.modules().iter() {
            let late = module
                .oids
                .pending_for()
                .filter(|time| *time > oid_limit)
                .map(|_| module.oids.describe())
                .or_else(|| direct::late(Layer::Filter(module), oid_limit));
            // If it passed the request on, the one below has it.
            if let Some(late) = late
                && module.requests.load(Ordering::SeqCst) == 0
            {
                rules::broken(
                    &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
                    format_args!(
                        "{late} is pending at {module:?} for more than {} s",
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
    rules::held(&rules::NDIS_TIMED_DATA_SEND);
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

fn look_at_request(adapter: &'static Adapter, limit: Duration) {
    let time = adapter.oids.pending_for();
    let in_time = time.is_none_or(|time| time <= limit);
    rules::check(&rules::NDIS_TIMED_OID_COMPLETE, in_time, || {
        format!(
            "{} is pending at {adapter:?} for more than {limit:?}",
            adapter.oids.describe()
        )
    });
    if let Some(late) = direct::late(Layer::Adapter(adapter), limit) {
        rules::broken(
            &rules::NDIS_TIMED_OID_COMPLETE,
            format_args!("{late} is pending at {adapter:?} for more than {limit:?}"),
        );
    }
}

fn look_at_completions(
    adapter: &'static Adapter,
    limit: Duration,
    quiet: &mut BTreeMap<usize, Quiet>,
) {
    let (completed, now) = (adapter.completed(), sched::now());
    let last = quiet.entry(handle_of(adapter) as usize).or_insert(Quiet {
        completed,
        since: now,
    });
    if last.completed != completed {
        *last = Quiet {
            completed,
            since: now,
        };
    }
    if now.saturating_sub(last.since) <= limit {
        rules::held(&rules::NDIS_TIMED_DATA_HANG);
        return;
    }
    let stuck = owner::oldest_send(adapter, limit);
    rules::check(&rules::NDIS_TIMED_DATA_HANG, stuck.is_none(), || {
        format!(
            "{adapter:?} completed no send for {limit:?}: {}",
            stuck.unwrap_or_default()
        )
    });
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
    Limit { id, rule }
}

/// A driver's call whose time is limited.
pub(crate) struct Limit {
    id: u64,
    rule: &'static Rule,
}

impl Drop for Limit {
    fn drop(&mut self) {
        RUNNING.lock().remove(&self.id);
        rules::held(self.rule);
    }
}

/// An adapter with sends at it: how many completions it had made, and since when.
struct Quiet {
    completed: u32,
    since: Duration,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::lab::testing::{self, LONG, frame};
    use crate::lab::{Lab, NicPort};
    use crate::rules::testing::assert_broken;

    const SHORT: Duration = Duration::from_millis(100);

    fn stack(limits: impl FnOnce(&mut policy::Policy)) -> (Lab, NicPort, &'static Client) {
        let (lab, nic, client) = testing::stack(testing::nic());
        lab.policy(limits);
        (lab, nic, client)
    }

    fn keep_a_send(nic: &NicPort, client: &'static Client) {
        nic.hold_sends(true);
        client.send(&[frame()]);
        assert!(nic.wait_sends(LONG, 1));
    }

    #[test]
    fn a_miniport_that_completes_nothing_breaks_ndis_timed_data_hang() {
        assert_broken(&rules::NDIS_TIMED_DATA_HANG, &["nic0", "100ms"], || {
            let (_lab, nic, client) = stack(|policy| policy.hang_limit = SHORT);
            keep_a_send(&nic, client);
            sched::sleep(LONG);
        });
    }

    #[test]
    fn a_send_that_takes_too_long_breaks_ndis_timed_data_send() {
        assert_broken(&rules::NDIS_TIMED_DATA_SEND, &["sent"], || {
            let (_lab, nic, client) = stack(|policy| policy.send_limit = SHORT);
            keep_a_send(&nic, client);
            sched::sleep(LONG);
        });
    }

    #[test]
    fn a_request_that_takes_too_long_breaks_ndis_timed_oid_complete() {
        assert_broken(&rules::NDIS_TIMED_OID_COMPLETE, &["0x00020106"], || {
            let (_lab, nic, client) = stack(|policy| policy.oid_limit = SHORT);
            nic.hold_requests(true);
            client.query(ndis_sys::OID_GEN_STATISTICS, 256)
        });
    }

    #[test]
    fn a_send_that_holds_up_a_pause_breaks_stuck_nbl() {
        assert_broken(&rules::NDIS_BUGCHECK_STUCK_NBL, &["NetEventPause"], || {
            let (lab, nic, client) = stack(|policy| policy.watchdog = SHORT);
            keep_a_send(&nic, client);
            lab.unplug_nic("nic0")
        });
    }

    #[test]
    fn a_call_that_does_not_return_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT,
            &["the call has not returned", "MiniportHaltEx of nic0"],
            || {
                let _stack = stack(|policy| policy.watchdog = SHORT);
                let rule = &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT;
                let _limit = limit(rule, "MiniportHaltEx of nic0");
                sched::sleep(LONG);
            },
        );
    }

    #[test]
    fn a_call_that_has_returned_is_watched_no_more() {
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT;
        drop(limit(rule, "MiniportHaltEx"));
        assert!(
            !RUNNING
                .lock()
                .values()
                .any(|call| call.what == "MiniportHaltEx")
        );
    }
}
