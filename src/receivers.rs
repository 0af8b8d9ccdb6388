//! Who receives on a binding, as it changes, and the packet filter of the adapter below that follows.
//!
//! The receive path sees an immutable [`Stations`]; a change makes a new one. The filter below is the
//! union of what all of them want: [`Reconciler`] decides when it is sent, and OID requests from above
//! wait here until it has what they ask for. Nothing is sent from here.

use alloc::vec::Vec;
use core::mem;

use mux_core::{
    MacAddress,
    filter::PacketFilter,
    reconcile::{Reconciler, Ticket, Wanted},
};
use ndis::{Result, Shared, Status, oid::PendedOid, sync::SpinLock};

use crate::{
    stations::Stations,
    virtual_miniport::{VirtualMiniport, Wish},
};

/// Who receives, and what the adapter below lets through for them.
pub(crate) struct Receivers {
    state: SpinLock<State>,
    /// Who receives in the end: kept so that clearing needs no memory.
    nobody: Shared<Stations>,
}

/// An OID request that changes what a virtual miniport wants to receive.
pub(crate) struct Asked {
    pub(crate) request: PendedOid,
    pub(crate) miniport: Shared<VirtualMiniport>,
    /// What it wanted before: comes back if the request fails.
    pub(crate) before: Wish,
}

struct State {
    stations: Shared<Stations>,
    filter: Reconciler<PacketFilter>,
    /// Those that wait until the adapter below has the filter that they ask for. Each virtual miniport
    /// has at most one, and room for that many is made before.
    waiting: Vec<(Ticket, Asked)>,
}

impl Receivers {
    pub(crate) fn try_new() -> Result<Self> {
        let nobody = Shared::try_new(Stations::default())?;
        let state = State {
            stations: nobody.clone(),
            filter: Reconciler::new(PacketFilter::EMPTY),
            waiting: Vec::new(),
        };
        Ok(Self {
            state: SpinLock::new(state),
            nobody,
        })
    }

    /// Makes room for the requests of that many virtual miniports.
    pub(crate) fn make_room(&self, number: usize) -> Result {
        let mut waiting = Vec::new();
        waiting
            .try_reserve_exact(number)
            .map_err(|_| Status::RESOURCES)?;
        let before = self.state.with(|state| {
            // Of those who wait there are never more than virtual miniports.
            waiting.append(&mut state.waiting);
            mem::replace(&mut state.waiting, waiting)
        });
        drop(before);
        Ok(())
    }

    /// Who receives now.
    pub(crate) fn stations(&self) -> Shared<Stations> {
        self.state.with(|state| state.stations.clone())
    }

    /// Puts a changed list in the place of the one it was made from.
    ///
    /// # Errors
    /// What `change` says, or [`Status::RESOURCES`]: nothing was changed.
    pub(crate) fn change(&self, change: impl Fn(&Stations) -> Result<Stations>) -> Result {
        loop {
            let before = self.stations();
            let after = Shared::try_new(change(&before)?)?;
            let replaced = self.state.with(|state| {
                let unchanged = state.stations.same(&before);
                unchanged.then(|| mem::replace(&mut state.stations, after))
            });
            if replaced.is_some() {
                return Ok(());
            }
        }
    }

    /// Nobody receives any more.
    pub(crate) fn clear(&self) {
        let nobody = self.nobody.clone();
        let before = self
            .state
            .with(|state| mem::replace(&mut state.stations, nobody));
        drop(before);
    }

    /// Wants the filter that all receivers together need. `asked` is completed now if the adapter below
    /// has it, else when it has. What comes out is to be sent below.
    pub(crate) fn want_filter(
        &self,
        nic: MacAddress,
        asked: Option<Asked>,
    ) -> Option<PacketFilter> {
        let (send, settled) = self.state.with(|state| {
            let (ticket, wanted) = state.filter.want(state.stations.combined_filter(nic));
            let send = match wanted {
                Wanted::Already => return (None, asked),
                Wanted::Send(filter) => Some(filter),
                Wanted::Queued => None,
            };
            if let Some(asked) = asked {
                state.waiting.push((ticket, asked));
            }
            (send, None)
        });
        if let Some(asked) = settled {
            asked.request.accept();
        }
        send
    }

    /// The filter that was sent below has come back with this status: completes the requests that
    /// this settles. What comes out is to be sent next.
    pub(crate) fn filter_done(&self, nic: MacAddress, status: Status) -> Option<PacketFilter> {
        let done = self
            .state
            .with(|state| state.filter.done(status.ok().is_ok()));
        let settled = || {
            self.state.with(|state| {
                let mut waiting = state.waiting.iter().enumerate();
                let (place, succeeded) = waiting.find_map(|(place, (ticket, _))| {
                    done.outcome(*ticket).map(|succeeded| (place, succeeded))
                })?;
                Some((state.waiting.swap_remove(place).1, succeeded))
            })
        };
        let mut again = false;
        while let Some((asked, succeeded)) = settled() {
            if succeeded {
                asked.request.accept();
            } else {
                self.refuse(asked, status);
                again = true;
            }
        }
        // What comes next was worked out with the wishes that were just taken back.
        let corrected = if again {
            self.want_filter(nic, None)
        } else {
            None
        };
        corrected.or(done.next)
    }

    /// Completes a request with an error, and makes the virtual miniport's wishes what they were.
    pub(crate) fn refuse(&self, asked: Asked, status: Status) {
        let Asked {
            request,
            miniport,
            before,
        } = asked;
        let refused = miniport.wish(before);
        drop(refused);
        // Without memory the list keeps what was refused until its next change.
        let _restored = self.change(|stations| stations.with(VirtualMiniport::entry(&miniport)?));
        request.complete(status);
    }
}
