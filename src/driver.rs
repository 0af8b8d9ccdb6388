//! The driver's state: both registrations, the pools, and the bindings.

use core::fmt;

use mux_core::{config::ConfigError, event_log::Message};
use ndis::{
    Passive, Result, Shared, Status,
    device::DeviceRegistration,
    driver::{Deregister, Driver, DriverCell, Entry, MiniportRegistration, ProtocolRegistration},
    event_log::EventLog,
    nbl::DerivedPool,
    pnp::NetPnpEvent,
    string::{Text, ascii},
    sync::SpinLock,
};

use crate::{
    binding::Binding,
    entry,
    instance::Instance,
    protocol,
    roster::{List, Roster},
    trace,
    virtual_miniport::VirtualMiniport,
};

/// The name of the protocol, which must be that of its service in the INF. It is fixed and not taken
/// from the registry path: Windows loads this image for the virtual miniports' service too.
pub(crate) const PROTOCOL_NAME: [u16; 7] = ascii("ndismux");

/// The driver, from `DriverEntry` to unload.
pub(crate) struct Mux {
    event_log: EventLog,
    miniport: MiniportRegistration,
    protocol: ProtocolRegistration,
    device: DeviceRegistration,
    pools: SpinLock<Option<Pools>>,
    bindings: Roster<Binding>,
}

/// Where NBLs of the driver's own come from: one pool for each direction, as the documents advise.
#[derive(Clone)]
pub(crate) struct Pools {
    /// For what is derived from received frames.
    pub(crate) received: Shared<DerivedPool>,
    /// For what carries sends that must not be written to.
    pub(crate) carriers: Shared<DerivedPool>,
}

static MUX: DriverCell<Mux> = DriverCell::empty();

impl Mux {
    pub(crate) fn try_new(entry: &Entry<'_>) -> Result<Self> {
        Ok(Self {
            event_log: EventLog::new(entry),
            miniport: MiniportRegistration::default(),
            protocol: ProtocolRegistration::default(),
            device: DeviceRegistration::default(),
            pools: SpinLock::new(None),
            bindings: Roster::try_new()?,
        })
    }

    /// The registration of the upper edge.
    pub(crate) fn miniport(&self) -> &MiniportRegistration {
        &self.miniport
    }

    /// The device that programs control the driver by.
    pub(crate) fn device(&self) -> &DeviceRegistration {
        &self.device
    }

    /// Tells an administrator of something that a device could not have, or not as it is configured.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn log(&self, message: Message, device: &[u16], detail: &dyn fmt::Display) {
        trace::event_logged(message, device);
        // Without memory for it there is nobody to tell.
        let _written = self
            .event_log
            .write(message.code(), [&Text(device), detail]);
    }

    /// Tells an administrator of a registry value that was not used.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn log_config(&self, error: &ConfigError, device: &[u16]) {
        self.log(error.message(), device, &error.detail());
    }

    /// Makes what needs the upper edge's registration and what bindings need.
    pub(crate) fn make_pools(&self) -> Result {
        let pool = || Shared::try_new(DerivedPool::try_new(&self.miniport)?);
        let pools = Pools {
            received: pool()?,
            carriers: pool()?,
        };
        self.pools.with(|place| *place = Some(pools));
        Ok(())
    }

    /// Frees what the upper edge's registration must outlive: the pools, and bindings that are closed and
    /// stand in the list for want of memory.
    pub(crate) fn let_go(&self) {
        self.bindings.clear();
        let pools = self.pools.with(Option::take);
        drop(pools);
    }

    /// The pools for a new binding.
    pub(crate) fn pools(&self) -> Result<Pools> {
        self.pools
            .with(|place| place.clone())
            .ok_or(Status::FAILURE)
    }

    /// Remembers a binding.
    pub(crate) fn add(&self, binding: &Shared<Binding>) -> Result {
        self.bindings.add(core::slice::from_ref(binding))
    }

    /// Forgets the bindings that are closed.
    pub(crate) fn tidy(&self) {
        self.bindings.tidy();
    }

    /// The bindings as they are now.
    pub(crate) fn bindings(&self) -> List<Binding> {
        self.bindings.list()
    }

    /// The configured virtual miniport that `is_it` knows. Needs no memory: whoever cannot find one
    /// could not tell it that its initialisation failed.
    pub(crate) fn find_instance(
        &self,
        is_it: impl Fn(&Shared<Instance>) -> bool,
    ) -> Option<Shared<Instance>> {
        let bindings = self.bindings();
        let mut found = bindings
            .iter()
            .map(|binding| binding.instances().find(&is_it));
        found.find_map(|found| found)
    }
}

impl Driver for Mux {
    type Miniport = VirtualMiniport;
    type Protocol = Binding;

    fn cell() -> &'static DriverCell<Self> {
        &MUX
    }

    fn protocol(&self) -> &ProtocolRegistration {
        &self.protocol
    }

    fn unload(at: Passive<'_>) {
        entry::unload(at);
    }

    /// The device would keep the driver from being unloaded: nobody opens it from here on.
    fn uninstall(&self, at: Passive<'_>) {
        self.device.deregister(at);
    }

    fn net_pnp_event(&self, event: NetPnpEvent<'_>, at: Passive<'_>) -> Result {
        protocol::pnp::driver_event(self, event, at)
    }
}
