//! What people and the system do to the power of a machine.

use ndis_sys::{NDIS_STATUS, NdisDeviceStateD3};

use super::{Lab, LabError, unknown};
use crate::ndis::adapter::Adapter;
use crate::ndis::{pnp, power};

/// Which adapters of a stack change their power state first. NDIS promises no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Virtual miniports before what they stand on.
    UpperFirst,
    /// NICs before what stands on them.
    LowerFirst,
}

impl Lab {
    /// Puts one adapter, of a NIC or a virtual miniport, to sleep (D3). The inner answer is what a
    /// protocol said that did not let it.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn sleep_adapter(&self, label: &str) -> Result<Result<(), NDIS_STATUS>, LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        Ok(self.as_host(|| power::sleep(adapter, NdisDeviceStateD3)))
    }

    /// Wakes one adapter. The inner answer is what `MiniportInitializeEx` failed with, where the
    /// adapter was halted to sleep.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn wake_adapter(&self, label: &str) -> Result<Result<(), NDIS_STATUS>, LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        Ok(self.as_host(|| power::wake(adapter)))
    }

    /// Whether an adapter sleeps.
    pub fn is_asleep(&self, label: &str) -> bool {
        self.adapter(label)
            .is_some_and(|adapter| adapter.power.is_asleep())
    }

    /// Puts all adapters to sleep. Those that a protocol keeps awake stay so; answers their names.
    pub fn sleep_system(&self, order: Order) -> Vec<String> {
        self.all(order, |adapter| power::sleep(adapter, NdisDeviceStateD3))
    }

    /// Wakes all adapters. Answers the names of those that could not be initialized again.
    pub fn wake_system(&self, order: Order) -> Vec<String> {
        self.all(order, power::wake)
    }

    /// Lets a magic packet wake the system through an adapter, or not. It may until it is said otherwise.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn allow_magic_packet(&self, label: &str, allow: bool) -> Result<(), LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        adapter.power.magic_packet.allow(allow);
        Ok(())
    }

    /// Shuts all adapters down. Nothing works after this, and nothing is undone.
    pub fn shut_down(&self) {
        self.as_host(power::shut_down);
    }

    fn all(
        &self,
        order: Order,
        change: impl Fn(&'static Adapter) -> Result<(), NDIS_STATUS>,
    ) -> Vec<String> {
        let mut adapters = pnp::adapters();
        adapters.sort_by_key(|adapter| adapter.driver().is_intermediate());
        if order == Order::UpperFirst {
            adapters.reverse();
        }
        let failed = |adapter: &&'static Adapter| self.as_host(|| change(adapter)).is_err();
        let failed = adapters.into_iter().filter(failed);
        failed.map(|adapter| adapter.name().to_owned()).collect()
    }
}
