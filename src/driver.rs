//! The driver's state: both registrations, the pools, and the bindings.

use alloc::vec::Vec;

use ndis::{
    Passive, Result, Shared, Status,
    driver::{Driver, DriverCell, MiniportRegistration, ProtocolRegistration},
    nbl::DerivedPool,
    pnp::NetPnpEvent,
    string::ascii,
    sync::SpinLock,
};

use crate::{
    binding::Binding, entry, instance::Instance, protocol, virtual_miniport::VirtualMiniport,
};

/// The name of the protocol, which must be that of its service in the INF. It is fixed and not taken
/// from the registry path: Windows loads this image for the virtual miniports' service too.
pub(crate) const PROTOCOL_NAME: [u16; 7] = ascii("ndismux");

/// The driver, from `DriverEntry` to unload.
pub(crate) struct Mux {
    miniport: MiniportRegistration,
    protocol: ProtocolRegistration,
    pools: SpinLock<Option<Pools>>,
    bindings: SpinLock<Vec<Shared<Binding>>>,
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
    pub(crate) fn new() -> Self {
        Self {
            miniport: MiniportRegistration::default(),
            protocol: ProtocolRegistration::default(),
            pools: SpinLock::new(None),
            bindings: SpinLock::new(Vec::new()),
        }
    }

    /// The registration of the upper edge.
    pub(crate) fn miniport(&self) -> &MiniportRegistration {
        &self.miniport
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

    /// Frees the pools. No binding is left.
    pub(crate) fn free_pools(&self) {
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
        self.bindings.with(|bindings| {
            bindings.try_reserve(1).map_err(|_| Status::RESOURCES)?;
            bindings.push(binding.clone());
            Ok(())
        })
    }

    /// Forgets a binding.
    pub(crate) fn remove(&self, binding: &Shared<Binding>) {
        let removed = self.bindings.with(|bindings| {
            let place = bindings.iter().position(|known| known.same(binding))?;
            Some(bindings.swap_remove(place))
        });
        drop(removed);
    }

    /// The configured virtual miniport that `is_it` knows. Needs no memory: whoever cannot find one
    /// could not tell it that its initialisation failed.
    pub(crate) fn find_instance(
        &self,
        is_it: impl Fn(&Shared<Instance>) -> bool,
    ) -> Option<Shared<Instance>> {
        self.bindings.with(|bindings| {
            bindings
                .iter()
                .find_map(|binding| binding.find_instance(&is_it))
        })
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

    fn uninstall(&self, _at: Passive<'_>) {
        // Nothing of the driver's keeps it from being unloaded: it has no device.
    }

    fn net_pnp_event(&self, event: NetPnpEvent<'_>, at: Passive<'_>) -> Result {
        protocol::pnp::driver_event(self, event, at)
    }
}
