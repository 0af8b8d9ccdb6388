//! `MiniportReturnNetBufferLists`: received frames come back from the drivers above.

use ndis::nbl::{Chain, Derived};

use crate::virtual_miniport::VirtualMiniport;

/// Frees what was derived, and returns below each received frame that nobody has any more.
pub(super) fn return_receives(
    miniport: &VirtualMiniport,
    receives: Chain<Derived>,
    at_dispatch: bool,
) {
    let number = receives.len();
    let frames = receives.free();
    // The binding stays open until this adapter has halted, which waits for these frames.
    if let Some(handle) = miniport.binding().handle() {
        handle.return_received(frames, at_dispatch);
    }
    miniport.leave(number);
}
