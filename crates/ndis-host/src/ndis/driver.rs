//! Registered drivers: the miniport and protocol edges, and that two of them are one driver.
//!
//! Not in here: how they register (`register`), adapters and bindings.

use std::ptr;

use ndis_sys::{
    NDIS_HANDLE, NDIS_INTERMEDIATE_DRIVER, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_STATUS,
};

use super::adapter::Adapter;
use super::binding::Binding;
use super::caller::{self, Caller};
use super::filter::Module;
use super::filter::driver::{self as filter_driver, FilterDriver};
use super::object::{self, Kind, Object, resolve};
use super::{rwlock, trace};
use crate::nt::irql::Irql;
use crate::nt::sched::Monitor;

/// A driver's miniport edge.
pub(crate) struct MiniportDriver {
    caller: Caller,
    handlers: NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    context: Address,
    object: Address,
    state: Monitor<MiniportState>,
}

#[derive(Default)]
struct MiniportState {
    adapters: Vec<&'static Adapter>,
    protocol: Option<&'static ProtocolDriver>,
}

/// A driver's protocol edge.
pub(crate) struct ProtocolDriver {
    caller: Caller,
    name: String,
    handlers: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    context: Address,
    bindings: Monitor<Bindings>,
}

/// The bindings of a protocol.
#[derive(Default)]
struct Bindings {
    /// The protocol is not bound any more.
    left: bool,
    list: Vec<&'static Binding>,
}

/// An address that only its driver may use; the host keeps it and hands it back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) NDIS_HANDLE);

// SAFETY: the host never reads or writes what it points at.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

// SAFETY: the characteristics are function pointers and numbers; the name's buffer in them is not
// read after registration.
unsafe impl Sync for MiniportDriver {}
// SAFETY: as for `MiniportDriver`.
unsafe impl Sync for ProtocolDriver {}

impl Object for MiniportDriver {
    const KIND: Kind = Kind::MiniportDriver;
}

impl Object for ProtocolDriver {
    const KIND: Kind = Kind::ProtocolDriver;
}

impl std::fmt::Debug for MiniportDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "miniport driver {}", self.caller.name)
    }
}

impl std::fmt::Debug for ProtocolDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "protocol driver {}", self.name)
    }
}

impl MiniportDriver {
    /// A registration, which is not in force before [`Self::enter`].
    pub(super) fn new(
        caller: Caller,
        handlers: NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
        context: NDIS_HANDLE,
        object: NDIS_HANDLE,
    ) -> &'static Self {
        let _party = caller::enter(caller);
        object::publish(
            object::fresh(Self {
                caller,
                handlers,
                context: Address(context),
                object: Address(object),
                state: Monitor::default(),
            }),
            format!("miniport driver {}", caller.name),
        )
    }

    /// Puts the registration in force.
    pub(super) fn enter(&'static self) {
        DRIVERS.lock().miniports.push(self);
    }

    /// Undoes the registration.
    pub(super) fn leave(&'static self) {
        DRIVERS
            .lock()
            .miniports
            .retain(|other| !ptr::eq(*other, self));
        object::retire(self);
    }

    /// Who runs when its functions are called.
    pub(crate) fn caller(&self) -> Caller {
        self.caller
    }

    /// Its functions.
    pub(crate) fn handlers(&self) -> &NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        &self.handlers
    }

    /// Its `MiniportDriverContext`.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.0
    }

    /// Its driver object.
    pub(super) fn object(&self) -> NDIS_HANDLE {
        self.object.0
    }

    /// Whether its adapters are virtual, for its protocol edge to start.
    pub(crate) fn is_intermediate(&self) -> bool {
        self.handlers.Flags & NDIS_INTERMEDIATE_DRIVER != 0
    }

    /// Its contract: major and minor NDIS version.
    pub(crate) fn version(&self) -> (u8, u8) {
        (
            self.handlers.MajorNdisVersion,
            self.handlers.MinorNdisVersion,
        )
    }

    /// Its adapters that are not halted.
    pub(crate) fn adapters(&self) -> Vec<&'static Adapter> {
        self.state.lock().adapters.clone()
    }

    pub(crate) fn add_adapter(&self, adapter: &'static Adapter) {
        let mut state = self.state.lock();
        if !state.adapters.iter().any(|other| ptr::eq(*other, adapter)) {
            state.adapters.push(adapter);
        }
    }

    pub(crate) fn remove_adapter(&self, adapter: &'static Adapter) {
        self.state
            .lock()
            .adapters
            .retain(|other| !ptr::eq(*other, adapter));
    }

    /// Notes the protocol edge of the same driver. Answers whether it was the first.
    pub(super) fn associate(&self, protocol: &'static ProtocolDriver) -> bool {
        self.state.lock().protocol.replace(protocol).is_none()
    }
}

impl ProtocolDriver {
    /// A registration, which is not in force before [`Self::enter`].
    pub(super) fn new(
        caller: Caller,
        name: &str,
        handlers: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
        context: NDIS_HANDLE,
    ) -> &'static Self {
        let _party = caller::enter(caller);
        object::publish(
            object::fresh(Self {
                caller,
                name: name.to_owned(),
                handlers,
                context: Address(context),
                bindings: Monitor::default(),
            }),
            format!("protocol driver {name}"),
        )
    }

    /// Puts the registration in force: it is bound from now on.
    pub(super) fn enter(&'static self) {
        DRIVERS.lock().protocols.push(self);
    }

    /// Takes the registration out of force: it is bound no more. The handle lives until
    /// [`object::retire`].
    pub(super) fn leave(&'static self) {
        DRIVERS
            .lock()
            .protocols
            .retain(|other| !ptr::eq(*other, self));
        self.bindings.lock().left = true;
    }

    /// Who runs when its functions are called.
    pub(crate) fn caller(&self) -> Caller {
        self.caller
    }

    /// Its registered name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its functions.
    pub(crate) fn handlers(&self) -> &NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
        &self.handlers
    }

    /// Its contract: major and minor NDIS version.
    pub(crate) fn version(&self) -> (u8, u8) {
        (
            self.handlers.MajorNdisVersion,
            self.handlers.MinorNdisVersion,
        )
    }

    /// Its `ProtocolDriverContext`.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.0
    }

    /// Its bindings, those that are being made and ended too.
    pub(crate) fn bindings(&self) -> Vec<&'static Binding> {
        self.bindings.lock().list.clone()
    }

    /// Adds a binding, unless the protocol is being deregistered: whoever meant to bind it may have found
    /// it before. Answers whether it was added.
    pub(crate) fn add_binding(&self, binding: &'static Binding) -> bool {
        let mut bindings = self.bindings.lock();
        if !bindings.left {
            bindings.list.push(binding);
        }
        !bindings.left
    }

    pub(crate) fn remove_binding(&self, binding: &'static Binding) {
        self.bindings
            .lock()
            .list
            .retain(|other| !ptr::eq(*other, binding));
    }
}

/// The registered miniport driver of a service.
pub(crate) fn miniport_of(service: &str) -> Option<&'static MiniportDriver> {
    DRIVERS
        .lock()
        .miniports
        .iter()
        .copied()
        .find(|driver| driver.caller.name.eq_ignore_ascii_case(service))
}

/// The registered miniport drivers of a driver object.
pub(super) fn miniports_of_object(object: NDIS_HANDLE) -> Vec<&'static MiniportDriver> {
    let drivers = DRIVERS.lock();
    let of_object = |driver: &&&'static MiniportDriver| driver.object.0 == object;
    drivers
        .miniports
        .iter()
        .filter(of_object)
        .copied()
        .collect()
}

/// The registered protocol driver of that name, or of that service.
pub(crate) fn protocol_of(name: &str) -> Option<&'static ProtocolDriver> {
    DRIVERS.lock().protocols.iter().copied().find(|driver| {
        driver.name.eq_ignore_ascii_case(name) || driver.caller.name.eq_ignore_ascii_case(name)
    })
}

/// What the driver of that service has registered and not undone.
pub(crate) fn registered(service: &str) -> Vec<String> {
    let drivers = DRIVERS.lock();
    let of = |caller: Caller| caller.name.eq_ignore_ascii_case(service);
    let miniports = drivers.miniports.iter().filter(|it| of(it.caller));
    let protocols = drivers.protocols.iter().filter(|it| of(it.caller));
    miniports
        .map(|it| format!("{it:?}"))
        .chain(protocols.map(|it| format!("{it:?}")))
        .chain(filter_driver::registered(service))
        .collect()
}

/// All registered protocol drivers.
pub(crate) fn protocols() -> Vec<&'static ProtocolDriver> {
    DRIVERS.lock().protocols.clone()
}

/// The names of all adapters and bindings, and how each stands: for reports, and so without those
/// whose locks are taken.
pub(crate) fn glance() -> Vec<(String, String)> {
    let Some(drivers) = DRIVERS.try_lock() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for driver in &drivers.miniports {
        if let Some(state) = driver.state.try_lock() {
            found.extend(state.adapters.iter().filter_map(|adapter| adapter.glance()));
        }
    }
    for driver in &drivers.protocols {
        if let Some(bindings) = driver.bindings.try_lock() {
            found.extend(bindings.list.iter().filter_map(|binding| binding.glance()));
        }
    }
    found
}

/// Whose handle `handle` is: any that a driver gets when it registers, initializes or opens. NULL is
/// the running driver's.
pub(crate) fn party_of(handle: NDIS_HANDLE, function: &str) -> Caller {
    if handle.is_null() {
        return caller::current();
    }
    let kind = object::require(
        handle,
        &[
            Kind::MiniportDriver,
            Kind::ProtocolDriver,
            Kind::FilterDriver,
            Kind::FilterModule,
            Kind::Adapter,
            Kind::Binding,
            Kind::GenericObject,
        ],
        function,
    );
    match kind {
        Kind::MiniportDriver => resolve::<MiniportDriver>(handle, function).caller,
        Kind::ProtocolDriver => resolve::<ProtocolDriver>(handle, function).caller,
        Kind::FilterDriver => resolve::<FilterDriver>(handle, function).caller(),
        Kind::FilterModule => resolve::<Module>(handle, function).driver().caller(),
        Kind::Adapter => resolve::<Adapter>(handle, function).driver().caller,
        Kind::Binding => resolve::<Binding>(handle, function).protocol().caller,
        _ => caller::current(),
    }
}

/// Calls a driver's function at PASSIVE_LEVEL and notes the status that it returns.
pub(crate) fn run_status(
    driver: Caller,
    name: &'static str,
    object: &str,
    f: impl FnOnce() -> NDIS_STATUS,
) -> NDIS_STATUS {
    let mut record = trace::callback(name, driver, object, false);
    let status = guarded(driver, name, Irql::PASSIVE, f);
    record.returns(status)
}

/// Calls a driver's function at PASSIVE_LEVEL.
pub(crate) fn run(driver: Caller, name: &'static str, object: &str, f: impl FnOnce()) {
    let _record = trace::callback(name, driver, object, false);
    guarded(driver, name, Irql::PASSIVE, f);
}

/// Calls a driver's data path function at the current IRQL.
pub(crate) fn run_data(driver: Caller, name: &'static str, object: &str, f: impl FnOnce()) {
    let _record = trace::callback(name, driver, object, true);
    guarded(driver, name, Irql::DISPATCH, f);
}

/// Calls a driver's function at the current IRQL and notes the status that it returns.
pub(crate) fn run_data_status(
    driver: Caller,
    name: &'static str,
    object: &str,
    f: impl FnOnce() -> NDIS_STATUS,
) -> NDIS_STATUS {
    let mut record = trace::callback(name, driver, object, false);
    let status = guarded(driver, name, Irql::DISPATCH, f);
    record.returns(status)
}

/// Calls a driver's function at the current IRQL, which is `highest` or below.
pub(super) fn guarded<R>(
    driver: Caller,
    name: &'static str,
    highest: Irql,
    f: impl FnOnce() -> R,
) -> R {
    let _entered = caller::enter(driver);
    let locks = rwlock::held_by_this_thread();
    let result = crate::call::callback(name, Irql::PASSIVE..=highest, f);
    rwlock::check_none_kept(name, locks);
    result
}

#[derive(Default)]
struct Drivers {
    miniports: Vec<&'static MiniportDriver>,
    protocols: Vec<&'static ProtocolDriver>,
}

static DRIVERS: Monitor<Drivers> = Monitor::new(Drivers {
    miniports: Vec::new(),
    protocols: Vec::new(),
});
