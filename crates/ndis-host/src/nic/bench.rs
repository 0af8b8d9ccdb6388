//! A NIC in a measurement: what is sent ends here, complete at once; what it receives is one chain,
//! indicated again as soon as it is back.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndis_sys::{Ieee8021QNetBufferListInfo, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST};

use super::{CALLER, Memory, Nic, Shape, frames};
use crate::ndis::caller;
use crate::ndis::nbl::owner;
use crate::ndis::receive::NdisMIndicateReceiveNetBufferLists;
use crate::ndis::send::{NdisMSendNetBufferListsComplete, dispatch_flag};
use crate::ndis::view::Nbl;
use crate::nt::sched::{Monitor, Spin};

/// A NIC's part in a measurement.
#[derive(Debug, Default)]
pub(crate) struct Lower {
    /// NBLs indicated and not back.
    out: AtomicUsize,
    /// The first frame that was sent, as it would be on the wire.
    seen: Monitor<Option<Vec<u8>>>,
    looks: std::sync::atomic::AtomicBool,
}

impl Lower {
    /// `MiniportSendNetBufferLists`.
    pub(super) fn sent(&self, nic: &Nic, first: *mut NET_BUFFER_LIST) {
        let chain = owner::chain(first, "MiniportSendNetBufferLists");
        if self.looks.load(Ordering::Relaxed) {
            let nb = chain[0].first();
            *self.seen.lock() = nb.map(|nb| frames::sent(chain[0], nb));
        }
        for nbl in &chain {
            nbl.set_status(NDIS_STATUS_SUCCESS);
        }
        // SAFETY: the sends are this adapter's, each once.
        unsafe { NdisMSendNetBufferListsComplete(nic.handle(), first, dispatch_flag()) };
    }

    /// `MiniportReturnNetBufferLists`.
    pub(super) fn returned(&self, first: *mut NET_BUFFER_LIST) {
        let chain = owner::chain(first, "MiniportReturnNetBufferLists");
        self.out.fetch_sub(chain.len(), Ordering::Release);
    }

    /// Lets `send` send something, and answers what of it came first.
    pub(crate) fn look(&self, send: impl FnOnce()) -> Option<Vec<u8>> {
        self.looks.store(true, Ordering::Relaxed);
        send();
        self.looks.store(false, Ordering::Relaxed);
        self.seen.lock().take()
    }
}

/// A chain that a NIC received.
pub(crate) struct Chain {
    nic: &'static Nic,
    lower: &'static Lower,
    nbls: Vec<(Nbl, Memory)>,
}

impl Nic {
    /// Makes the NIC one of a measurement, for good.
    pub(crate) fn drive(&'static self) -> &'static Lower {
        self.bench.get_or_init(Lower::default)
    }

    /// A chain of NBLs with one of `received` each.
    pub(crate) fn bench_chain(
        &'static self,
        lower: &'static Lower,
        received: &[Vec<u8>],
    ) -> Option<Chain> {
        let _entered = caller::enter(CALLER);
        let pool = self.pool.load(Ordering::Acquire);
        let mut nbls = Vec::new();
        for frame in received {
            let mut frame = frame.clone();
            let tag = self
                .config
                .out_of_band_tags
                .then(|| frames::strip_tag(&mut frame));
            let (nbl, memory) = frames::receive(pool, &frame, &Shape::WHOLE)?;
            let mut info = nbl.info();
            info[Ieee8021QNetBufferListInfo] = tag.flatten().unwrap_or(0) as *mut c_void;
            nbl.set_info(info);
            nbl.set_source(self.handle());
            nbls.push((nbl, memory));
        }
        Some(Chain {
            nic: self,
            lower,
            nbls,
        })
    }
}

impl Chain {
    /// Indicates the chain, and waits until it is back.
    pub(crate) fn indicate(&mut self) {
        let _entered = caller::enter(CALLER);
        let mut next = None;
        for &(nbl, _) in self.nbls.iter().rev() {
            nbl.set_next(next);
            next = Some(nbl);
        }
        let Some(first) = next else { return };
        let count = self.nbls.len();
        self.lower.out.store(count, Ordering::Relaxed);
        let handle = self.nic.handle();
        // SAFETY: the adapter runs as long as it is measured, and the chain is its own.
        unsafe {
            NdisMIndicateReceiveNetBufferLists(
                handle,
                first.raw(),
                0,
                count as u32,
                dispatch_flag(),
            );
        }
        let mut spin = Spin::default();
        while self.lower.out.load(Ordering::Acquire) != 0 {
            spin.once();
        }
    }

    /// Frees all of it.
    pub(crate) fn end(self) {
        let _entered = caller::enter(CALLER);
        for (nbl, memory) in self.nbls {
            frames::free(nbl.raw(), memory);
        }
    }
}
