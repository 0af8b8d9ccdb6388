//! One initialised virtual miniport: an Ethernet adapter in a VLAN.
//!
//! Lifecycle: made in `MiniportInitializeEx`, in use until `MiniportHaltEx`. It never changes but for its
//! gate, its counters and what it wants to receive. What NDIS calls on it stands in [`crate::miniport`].

use core::sync::atomic::AtomicBool;

use mux_core::{
    MacAddress, VlanId,
    filter::{MulticastList, PacketFilter, Station},
    mtu::FrameSizes,
    oid,
    statistics::Statistics,
    wake::WakeUp,
};
use ndis::{
    Passive, Result, Shared, Status,
    miniport::MiniportHandle,
    nbl::Forwarded,
    sync::{Gate, Rundown, SpinLock},
};

use crate::{
    binding::{Binding, Nic, stations::Entry},
    config::MiniportConfig,
    instance::Instance,
    protocol::LOOKAHEAD,
};

/// An initialised virtual miniport.
pub(crate) struct VirtualMiniport {
    pub(crate) handle: MiniportHandle,
    pub(crate) instance: Shared<Instance>,
    /// The adapter below as it was when this one was initialised.
    pub(crate) nic: Shared<Nic>,
    pub(crate) vlan: VlanId,
    /// The address that it uses, and the one that it would use without a setting.
    pub(crate) address: MacAddress,
    pub(crate) permanent_address: MacAddress,
    pub(crate) sizes: FrameSizes,
    /// What it shows that it can wake the computer for.
    pub(crate) wake_up: WakeUp,
    pub(crate) statistics: Statistics,
    /// Counts each NBL that is on its way down or up; open while the adapter is running.
    pub(crate) traffic: Gate,
    /// Counts the status indications on their way; open while NDIS has the adapter in D0.
    pub(crate) indications: Rundown,
    /// A change of the network that the drivers above are not told of yet.
    pub(crate) network_change: SpinLock<Option<u32>>,
    /// Counts the OID requests that are with it.
    pub(crate) requests: Shared<Rundown>,
    /// It has halted, or is about to: it receives nothing more, even while it stands in a list of those
    /// who do.
    pub(crate) halted: AtomicBool,
    /// Its device was removed without a warning: sends and requests are refused until it is halted.
    pub(crate) removed: AtomicBool,
    /// What it wants to receive.
    pub(crate) wishes: SpinLock<Wishes>,
    /// The request that was forwarded last. It may have come back: its number is never used again.
    pub(crate) forwarded: SpinLock<Option<ForwardedRequest>>,
}

/// What a virtual miniport wants to receive.
pub(crate) struct Wishes {
    pub(crate) filter: PacketFilter,
    pub(crate) multicast: MulticastList,
}

/// A change of what a virtual miniport wants to receive.
pub(crate) enum Wish {
    Filter(PacketFilter),
    Multicast(MulticastList),
}

/// An OID request that was forwarded: the number that a cancel from above names, and the one that a
/// cancel below must name.
#[derive(Clone, Copy)]
pub(crate) struct ForwardedRequest {
    pub(crate) above: usize,
    pub(crate) below: usize,
}

impl VirtualMiniport {
    /// How much NBL context space a send needs.
    pub(crate) const CONTEXT_BACKFILL: u32 = Forwarded::<Binding>::CONTEXT_SIZE;

    /// Whether it supports an OID of [`oid::SUPPORTED`]: some need what it does not show.
    pub(crate) fn supports(&self, oid: u32) -> bool {
        if oid::needs_offloads(oid) {
            let offloads = self.binding().offloads_of(self.vlan);
            offloads.is_some_and(|offloads| !offloads.hardware.is_none())
        } else if oid::needs_scaling(oid) {
            self.nic.scaling.is_some()
        } else if oid::needs_wake_patterns(oid) {
            self.wake_up.has_patterns()
        } else {
            true
        }
    }

    /// The binding that it stands on.
    pub(crate) fn binding(&self) -> &Shared<Binding> {
        self.instance.binding()
    }

    /// Bytes of each frame that a receiver finds in one piece, at the least. No more can be asked for.
    pub(crate) fn lookahead(&self) -> u32 {
        self.nic.lookahead.min(LOOKAHEAD)
    }

    /// Whether it is as this configuration wants it, and shows the adapter below as it is now.
    pub(crate) fn is_as(&self, config: &MiniportConfig) -> bool {
        let address = config.address.unwrap_or(self.permanent_address);
        let nic = self.binding().nic();
        self.vlan == config.vlan
            && self.address == address
            && self.wake_up == nic.wake_up_shown(config, address)
            && self.nic.is_like(&nic)
    }

    /// Remembers under which number a request from above is below.
    pub(crate) fn forwards(&self, above: usize, below: usize) {
        self.forwarded
            .with(|place| *place = Some(ForwardedRequest { above, below }));
    }

    /// Puts a wish in its place, and gives back what was there.
    pub(crate) fn wish(&self, wish: Wish) -> Wish {
        use core::mem::replace;
        self.wishes.with(|wishes| match wish {
            Wish::Filter(filter) => Wish::Filter(replace(&mut wishes.filter, filter)),
            Wish::Multicast(list) => Wish::Multicast(replace(&mut wishes.multicast, list)),
        })
    }

    /// Its place among those who receive, by its wishes as they are now.
    pub(crate) fn entry(this: &Shared<Self>) -> Result<Entry> {
        let (filter, multicast) = this
            .wishes
            .with(|wishes| (wishes.filter, wishes.multicast.try_clone()));
        let multicast = multicast.map_err(|_| Status::RESOURCES)?;
        let station = Station {
            vlan: this.vlan,
            address: this.address,
            filter,
            multicast,
        };
        Ok(Entry {
            station,
            miniport: this.clone(),
        })
    }

    /// NDIS puts the adapter into a low-power state: no status is indicated from here on, and none is on
    /// its way (handling-a-set-power-request.md). Frames are none of this: NDIS has paused the adapter.
    pub(crate) fn sleep(&self, at: Passive<'_>) {
        self.indications.drain(at);
    }

    /// NDIS puts the adapter back into D0: tells what changed meanwhile. Nothing is told while the adapter
    /// below sleeps; its wake makes up for that.
    pub(crate) fn wake(&self) {
        self.indications.open();
        if !self.binding().is_asleep() {
            self.instance.indicate_state();
        }
    }

    /// `number` of the NBLs that entered have left. Completes a pause if they were the last.
    pub(crate) fn leave(&self, number: usize) {
        if self.traffic.leave(number) {
            self.instance.paused();
            self.handle.pause_complete();
        }
    }
}
