//! What a virtual miniport tells the drivers above of the adapter below: while it is initialised and in D0,
//! and of what it missed, on waking.

use mux_core::status;
use ndis::{Passive, Result, miniport::MiniportHandle, pnp::Removal};

use super::Instance;
use crate::{
    binding::offload::{self, Offloads},
    virtual_miniport::VirtualMiniport,
};

impl Instance {
    /// Tells the drivers above of the link's state as it is now, if the virtual miniport is initialised.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_link(&self) {
        self.tell_newest(|| self.binding.link(), MiniportHandle::indicate_link_state);
    }

    /// Tells the drivers above which task offloads are switched on now, as far as the VLAN lets them be
    /// shown, if the virtual miniport is initialised.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_offload(&self) {
        let current = || self.shown_offloads().map(|offloads| offloads.current);
        self.tell_newest(current, |adapter, current| {
            if let Some(current) = current {
                adapter.indicate_offload(offload::to_ndis(current));
            }
        });
    }

    /// The same for what could be switched on.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_offload_hardware(&self) {
        let hardware = || self.shown_offloads().map(|offloads| offloads.hardware);
        self.tell_newest(hardware, |adapter, hardware| {
            if let Some(hardware) = hardware {
                adapter.indicate_offload_hardware(offload::to_ndis(hardware));
            }
        });
    }

    /// Tells the drivers above that the network on the link has changed, as soon as the virtual miniport is
    /// in D0.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn network_changed(&self, change: u32) {
        if let Some(miniport) = self.miniport() {
            miniport
                .network_change
                .with(|kept| *kept = Some(status::stronger(*kept, change)));
            self.indicate_network_change();
        }
    }

    /// Tells the drivers above that a wake-on-LAN pattern is gone, by its number there.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_pattern_rejected(&self, id: u32) {
        self.tell(|miniport| miniport.handle.indicate_pattern_rejected(id));
    }

    fn indicate_network_change(&self) {
        self.tell(|miniport| {
            if let Some(change) = miniport.network_change.with(Option::take) {
                miniport.handle.indicate_network_change(change);
            }
        });
    }

    /// Tells all of these: one of the two adapters was asleep and could not tell or be told.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_state(&self) {
        self.indicate_link();
        self.indicate_offload_hardware();
        self.indicate_offload();
        self.indicate_network_change();
    }

    /// Passes a question, or its end, of the adapter below on to the drivers above, if the virtual miniport is
    /// initialised: a halt waits for their answer.
    ///
    /// # Errors
    /// One of them cannot do without the adapter.
    pub(crate) fn pass_on(&self, removal: Removal, at: Passive<'_>) -> Result {
        if !self.uses.enter(1) {
            return Ok(());
        }
        let answer = self.miniport().map_or(Ok(()), |miniport| {
            miniport.handle.pass_on(&miniport.requests, removal, at)
        });
        self.uses.leave(1);
        answer
    }

    fn shown_offloads(&self) -> Option<Offloads> {
        let vlan = self
            .state
            .with(|state| state.miniport.as_ref().map(|miniport| miniport.vlan))?;
        self.binding.offloads_of(vlan)
    }

    /// Indicates what `read` says, until that is what it says still: another thread's older news must not
    /// be the last word.
    fn tell_newest<T: Copy + PartialEq>(
        &self,
        read: impl Fn() -> T,
        indicate: impl Fn(MiniportHandle, T),
    ) {
        self.tell(|miniport| {
            let mut told = read();
            loop {
                indicate(miniport.handle, told);
                let now = read();
                if now == told {
                    break;
                }
                told = now;
            }
        });
    }

    /// Indicates something on the adapter, while there is one and it is in D0: a halt waits for the end of
    /// it, and so does a set of a low-power state.
    fn tell(&self, indicate: impl FnOnce(&VirtualMiniport)) {
        if !self.uses.enter(1) {
            return;
        }
        if let Some(miniport) = self.miniport()
            && miniport.indications.enter(1)
        {
            indicate(&miniport);
            miniport.indications.leave(1);
        }
        self.uses.leave(1);
    }
}
