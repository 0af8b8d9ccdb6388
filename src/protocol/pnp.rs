//! PnP events of the lower edge.

use mux_core::{config::same_name, event_log::Message};
use ndis::{Passive, Result, Shared, driver::Driver, pnp::NetPnpEvent};

use crate::{binding::Binding, driver::Mux, instance::Instance, reconfigure, trace};

/// An event of one binding. None but the question about a removal may fail.
pub(super) fn binding_event(
    binding: &Shared<Binding>,
    event: NetPnpEvent<'_>,
    at: Passive<'_>,
) -> Result {
    trace::pnp(binding.name(), event);
    match event {
        NetPnpEvent::Pause => binding.pause(at),
        NetPnpEvent::Restart(now) => {
            if binding.restart(now.as_ref())
                && let Some(mux) = Mux::cell().get()
            {
                reconfigure::binding(binding, mux, at);
            }
        }
        // This one is the driver's, but no document says that it never comes with a binding.
        NetPnpEvent::ReEnableDevice(_) => {
            if let Some(mux) = Mux::cell().get() {
                return driver_event(mux, event, at);
            }
        }
        NetPnpEvent::Reconfigure => {
            if let Some(mux) = Mux::cell().get() {
                reconfigure::binding(binding, mux, at);
            }
        }
        NetPnpEvent::SetPower(Some(AWAKE)) => Binding::wake(binding),
        NetPnpEvent::SetPower(_) => Binding::sleep(binding, at),
        // For all that is done here it may: the unbind takes down what stands on it.
        NetPnpEvent::QueryRemoveDevice => return binding.ask_removal(at),
        NetPnpEvent::CancelRemoveDevice => binding.cancel_removal(at),
        NetPnpEvent::QueryPower
        | NetPnpEvent::PnpCapabilities
        | NetPnpEvent::BindList
        | NetPnpEvent::BindsComplete
        | NetPnpEvent::Other(_) => {}
    }
    Ok(())
}

/// `NdisDeviceStateD0`.
const AWAKE: u32 = 1;

/// An event of the driver's. None of these may fail.
pub(crate) fn driver_event(mux: &Mux, event: NetPnpEvent<'_>, at: Passive<'_>) -> Result {
    match event {
        NetPnpEvent::ReEnableDevice(name) => re_enable(mux, name, at),
        NetPnpEvent::Reconfigure => reconfigure::all(mux, at),
        _ => {}
    }
    Ok(())
}

/// A virtual miniport that somebody disabled is enabled again: NDIS halted it, and waits to be asked
/// for it.
fn re_enable(mux: &Mux, name: &[u16], at: Passive<'_>) {
    let instance = mux.find_instance(|instance| same_name(instance.name(), name));
    if let Some(instance) = instance
        && let Err(status) = Instance::request(&instance, mux, at)
    {
        mux.log(Message::NotStarted, name, &status);
    }
}
