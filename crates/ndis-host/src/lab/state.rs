//! Where the parts of a lab are, and waiting for them.

use std::time::Duration;

use ndis_sys::{NDIS_OID_REQUEST, NDIS_STATUS, NET_PNP_EVENT_CODE};

use super::{Lab, LabError, unknown};
use crate::ndis::binding::Binding;
use crate::ndis::{AdapterState, BindingState, ImState, device, driver, event, im, oid};
use crate::nt::sched;

impl Lab {
    /// Where the adapter of a NIC or a virtual miniport is.
    pub fn adapter_state(&self, label: &str) -> AdapterState {
        self.adapter(label)
            .map_or(AdapterState::Halted, |adapter| adapter.state())
    }

    /// Waits until the adapter of a device is in that state.
    pub fn wait_adapter(&self, label: &str, state: AdapterState, timeout: Duration) -> bool {
        let until = sched::now() + timeout;
        while self.adapter_state(label) != state {
            if sched::now() > until {
                return false;
            }
            sched::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Where the request for a virtual miniport is.
    pub fn im_state(&self, label: &str) -> ImState {
        device::find(label).map_or(ImState::NoInstance, |device| im::state_of(&device.name))
    }

    /// Where the binding of a protocol to a device is.
    pub fn binding_state(&self, protocol: &str, label: &str) -> BindingState {
        let binding = self.binding(protocol, label);
        binding.map_or(BindingState::Unbound, |binding| binding.state())
    }

    pub(super) fn binding(&self, protocol: &str, label: &str) -> Option<&'static Binding> {
        let adapter = self.adapter(label)?;
        let bindings = driver::protocol_of(protocol)?.bindings();
        let mut bindings = bindings.into_iter();
        bindings.find(|binding| std::ptr::eq(binding.adapter(), adapter))
    }

    /// Sends an OID request of NDIS itself to an adapter, and waits for the answer.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn ask(
        &self,
        label: &str,
        request: &mut NDIS_OID_REQUEST,
    ) -> Result<NDIS_STATUS, LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        Ok(self.as_host(|| oid::ask(adapter, request)))
    }

    /// Tells all that stands above an adapter of a network event that has a number as its buffer, and
    /// waits until it is handled.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn tell(
        &self,
        label: &str,
        event: NET_PNP_EVENT_CODE,
        mut number: u32,
    ) -> Result<NDIS_STATUS, LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        Ok(self.as_host(|| event::tell(adapter, event, &mut number)))
    }
}
