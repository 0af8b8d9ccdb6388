//! `MiniportPause` and `MiniportRestart`.

use ndis::{Result, miniport::Pause, sync::Drained};

use crate::virtual_miniport::VirtualMiniport;

/// From here on sends are refused and no receive is indicated. The pause is complete when every send
/// has been completed, every indication has returned and every frame has come back.
pub(super) fn pause(miniport: &VirtualMiniport) -> Pause {
    miniport.instance.pause_begun();
    match miniport.traffic.shut() {
        Drained::Now => {
            miniport.instance.paused();
            Pause::Complete
        }
        Drained::Later => Pause::Pending,
    }
}

/// Sends are taken and receives indicated from here on.
pub(super) fn restart(miniport: &VirtualMiniport) -> Result {
    miniport.instance.restarted()?;
    miniport.traffic.open();
    Ok(())
}
