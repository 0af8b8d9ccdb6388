//! `MiniportHaltEx`: a virtual miniport goes away.

use core::sync::atomic::Ordering;

use ndis::{Passive, Shared};

use crate::virtual_miniport::VirtualMiniport;

/// NDIS has paused the adapter, and no request is outstanding: it leaves those who receive, and the
/// binding may go on with being taken down.
pub(super) fn halt(miniport: &Shared<VirtualMiniport>, at: Passive<'_>) {
    miniport.instance.halt_begun(at);
    miniport.halted.store(true, Ordering::Release);
    let binding = miniport.binding();
    binding.remove_station(miniport);
    binding.leave_scaling(miniport.vlan);
    binding.leave_wake(miniport.vlan);
    miniport.instance.halted();
}

/// The virtual device was removed without a warning: sends and requests are refused until the halt that
/// follows.
pub(super) fn surprise_removed(miniport: &VirtualMiniport) {
    miniport.removed.store(true, Ordering::Release);
}
