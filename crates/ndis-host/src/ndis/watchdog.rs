//! Time limits: a thread that looks every now and then for sends and OID requests that take too long.
//!
//! The limits are those of the documented rules, unless the policy has shorter ones. They hold for built-in parts too: a test that holds
//! back what a NIC does has that much time.

use std::sync::Once;
use std::time::Duration;

use super::nbl::owner;
use super::{caller, pnp, policy};
use crate::nt::sched;
use crate::rules;

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
    }
    if let Some(late) = owner::sent_longer_than(send_limit) {
        rules::broken(
            &rules::NDIS_TIMED_DATA_SEND,
            format_args!(
                "a send is not complete after {} s: {late}",
                send_limit.as_secs()
            ),
        );
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
