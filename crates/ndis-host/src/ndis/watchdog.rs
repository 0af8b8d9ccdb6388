//! Time limits: a thread that looks every now and then for sends and OID requests that take too long.
//!
//! The limits are those of the documented rules. They hold for built-in parts too: a test that holds
//! back what a NIC does has that much time.

use std::sync::Once;
use std::time::Duration;

use super::nbl::owner;
use super::{caller, pnp};
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
    for adapter in pnp::adapters() {
        if adapter
            .oids
            .pending_for()
            .is_some_and(|time| time > OID_LIMIT)
        {
            rules::broken(
                &rules::NDIS_TIMED_OID_COMPLETE,
                format_args!(
                    "{} is pending at {adapter:?} for more than {} s",
                    adapter.oids.describe(),
                    OID_LIMIT.as_secs()
                ),
            );
        }
    }
    if let Some(late) = owner::sent_longer_than(SEND_LIMIT) {
        rules::broken(
            &rules::NDIS_TIMED_DATA_SEND,
            format_args!(
                "a send is not complete after {} s: {late}",
                SEND_LIMIT.as_secs()
            ),
        );
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
const OID_LIMIT: Duration = Duration::from_secs(12);
const SEND_LIMIT: Duration = Duration::from_secs(30);
