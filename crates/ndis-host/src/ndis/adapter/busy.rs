//! What goes on with an adapter: PnP operations, of which there is one at a time, and what passes
//! through it, which is over when a pause is.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndis_sys::NDIS_STATUS;

use super::{Adapter, Way, owner};
use crate::ndis::policy;
use crate::nt::sched::{self, Monitor};
use crate::rules;

impl Adapter {
    /// Waits until no other PnP operation is going on with this adapter, and keeps others away.
    pub(crate) fn begin_pnp(&self) -> PnpOperation<'_> {
        let me = sched::current_id();
        assert_ne!(
            *self.pnp.lock(),
            Some(me),
            "PnP operations on {} are nested",
            self.name
        );
        self.pnp
            .wait_until(None, |owner| owner.is_none().then(|| *owner = Some(me)));
        PnpOperation(&self.pnp)
    }

    /// Notes that sends were completed at it.
    pub(crate) fn note_completed(&self) {
        self.completed.fetch_add(1, Ordering::Relaxed);
    }

    /// How often [`Self::note_completed`] was called.
    pub(crate) fn completed(&self) -> u32 {
        self.completed.load(Ordering::Relaxed)
    }

    /// Counts an indication for as long as the answer lives.
    pub(crate) fn begin_indication(&self) -> Indication<'_> {
        self.indicating.fetch_add(1, Ordering::SeqCst);
        Indication(&self.indicating)
    }

    /// What a completed pause promises.
    pub(super) fn require_quiet(&'static self, when: &str) {
        let indicated = owner::of_adapter(self, Way::Up);
        let sent = owner::of_adapter(self, Way::Down);
        let indicating = self.indicating.load(Ordering::SeqCst);
        if indicated + sent + indicating != 0 {
            self.broken(&format!(
                "{when} with {indicated} indicated NBLs not returned, {sent} sends not completed and \
                 {indicating} indications running"
            ));
        }
    }

    /// Waits for the end of a pending pause or restart, or breaks `rule`.
    pub(super) fn wait_completed(
        &'static self,
        rule: &'static rules::Rule,
        what: &str,
    ) -> NDIS_STATUS {
        let limit = policy::current().watchdog;
        let status = self
            .inner
            .wait_until(Some(limit), |inner| inner.completed.take());
        if status.is_some() {
            rules::held(rule);
        }
        status.unwrap_or_else(|| {
            rules::broken(
                rule,
                format_args!(
                    "{what} of {} is pending for {} s; NBLs on their way through it:\n{}",
                    self.name,
                    limit.as_secs(),
                    owner::outstanding().join("\n")
                ),
            )
        })
    }
}

/// A PnP operation on an adapter. Others wait until it is dropped.
pub(crate) struct PnpOperation<'a>(&'a Monitor<Option<u64>>);

impl Drop for PnpOperation<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
        self.0.notify_all();
    }
}

/// An indication that has not returned.
pub(crate) struct Indication<'a>(&'a AtomicUsize);

impl Drop for Indication<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
