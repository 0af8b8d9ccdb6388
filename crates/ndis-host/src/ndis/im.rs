//! Virtual miniports of intermediate drivers: from the driver's request to their end.
//!
//! An instance begins with `NdisIMInitializeDeviceInstanceEx`. Whether and when `MiniportInitializeEx` runs
//! for it is the [policy](super::policy)'s choice; until it does, the request can be cancelled, and
//! after it succeeded the driver ends it with `NdisIMDeInitializeDeviceInstance`.

use std::ptr;
use std::time::Duration;

use ndis_sys::{
    NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_NOT_ACCEPTED, NDIS_STATUS_SUCCESS,
    NDIS_STRING, NdisHaltDeviceInstanceDeInitialized,
};

use super::adapter::Adapter;
use super::binding::{Binding, Open};
use super::driver::{Address, MiniportDriver};
use super::faults::should_fail;
use super::object::{peek, resolve};
use super::policy::{self, ImCancel, ImInitialize, When};
use super::{device, pnp, strings, trace};
use crate::nt::sched::Monitor;
use crate::rules;

/// Where a virtual miniport is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImState {
    /// Requested; `MiniportInitializeEx` was not called.
    InitRequested,
    /// In `MiniportInitializeEx`.
    Initializing,
    /// Initialized.
    Initialized,
    /// Being ended.
    Halting,
    /// Cancelled, failed or halted.
    NoInstance,
}

/// A virtual miniport.
pub(crate) struct Instance {
    driver: &'static MiniportDriver,
    name: String,
    context: Address,
    state: Monitor<ImState>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "virtual miniport {} ({:?})",
            self.name,
            *self.state.lock()
        )
    }
}

impl Instance {
    /// The `DeviceContext` of the request.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.0
    }

    fn go(&self, from: ImState, to: ImState) -> bool {
        let mut state = self.state.lock();
        if *state != from {
            return false;
        }
        *state = to;
        drop(state);
        self.state.notify_all();
        true
    }
}

crate::ddi! { "ndis.sys":
    /// Asks for a virtual miniport to be initialized.
    [PASSIVE..=PASSIVE] fn NdisIMInitializeDeviceInstanceEx(
        DriverHandle: NDIS_HANDLE,
        DriverInstance: *mut NDIS_STRING,
        DeviceContext: NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIMInitializeDeviceInstanceEx";
        let driver = resolve::<MiniportDriver>(DriverHandle, NAME);
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(DriverInstance) };
        let mut record = trace::call(NAME, &name);
        if !driver.is_intermediate() {
            broken(&name, "the driver did not register as an intermediate driver");
        }
        if should_fail("NdisIMInitializeDeviceInstanceEx") {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        if find(driver, &name).is_some() {
            return record.returns(NDIS_STATUS_NOT_ACCEPTED);
        }
        let instance: &'static Instance = Box::leak(Box::new(Instance {
            driver,
            name: name.clone(),
            context: Address(DeviceContext),
            state: Monitor::new(ImState::InitRequested),
        }));
        INSTANCES.lock().push(instance);
        // Without a device of that name no start comes.
        if device::find(&name).is_some() {
            start(instance);
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Takes back a request whose `MiniportInitializeEx` was not called yet.
    [PASSIVE..=PASSIVE] fn NdisIMCancelInitializeDeviceInstance(
        DriverHandle: NDIS_HANDLE,
        DeviceInstance: *mut NDIS_STRING,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIMCancelInitializeDeviceInstance";
        let driver = resolve::<MiniportDriver>(DriverHandle, NAME);
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(DeviceInstance) };
        let mut record = trace::call(NAME, &name);
        let Some(instance) = find(driver, &name) else {
            return record.returns(NDIS_STATUS_FAILURE);
        };
        if policy::current().im_cancel == ImCancel::Fails {
            // Too late: the start is on its way, held or not.
            if *instance.state.lock() == ImState::InitRequested {
                pnp::job("PnP start", move || {
                    begin(instance);
                });
            }
            return record.returns(NDIS_STATUS_FAILURE);
        }
        if instance.go(ImState::InitRequested, ImState::NoInstance) {
            remove(instance);
            record.returns(NDIS_STATUS_SUCCESS)
        } else {
            record.returns(NDIS_STATUS_FAILURE)
        }
    }

    /// Ends a virtual miniport: unbinds what is above it and halts it.
    [PASSIVE..=PASSIVE] fn NdisIMDeInitializeDeviceInstance(
        NdisMiniportHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIMDeInitializeDeviceInstance";
        // A halt that NDIS began by itself may have ended meanwhile: then the handle is not valid any
        // more, and the document has a status for that.
        let instance = peek::<Adapter>(NdisMiniportHandle)
            .and_then(|adapter| Some((adapter, find(adapter.driver(), adapter.name())?)));
        let Some((adapter, instance)) = instance else {
            return trace::call(NAME, "a handle that is not valid").returns(NDIS_STATUS_FAILURE);
        };
        let mut record = trace::call(NAME, adapter.name());
        // `MiniportInitializeEx` may be about to return on another thread: its driver cannot know when it
        // has. On this thread the wait would never end.
        let initialized = |state: &mut ImState| (*state != ImState::Initializing).then_some(());
        let _in_time = instance.state.wait_until(Some(ABOUT_TO_RETURN), initialized);
        // NDIS may be halting it by itself (a disabled device), which the driver cannot know before its
        // halt handler is called.
        if *instance.state.lock() == ImState::Halting {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        if !instance.go(ImState::Initialized, ImState::Halting) {
            broken(
                adapter.name(),
                &format!("{NAME} in state {:?}", *instance.state.lock()),
            );
        }
        match policy::current().im_halt {
            When::Inline => end(instance, adapter),
            When::Later => pnp::job("PnP stop", move || end(instance, adapter)),
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// The `DeviceContext` of the virtual miniport that a binding is to, NULL if it is to none.
    [PASSIVE..=APC] fn NdisIMGetBindingContext(NdisBindingHandle: NDIS_HANDLE) -> NDIS_HANDLE {
        let binding = resolve::<Binding>(NdisBindingHandle, "NdisIMGetBindingContext");
        let adapter = binding.adapter();
        debug_assert_eq!(binding.open_state(), Open::Yes);
        find(adapter.driver(), adapter.name()).map_or(ptr::null_mut(), Instance::context)
    }
}

/// How long `MiniportInitializeEx` may take to return after its driver regards it as done.
const ABOUT_TO_RETURN: Duration = Duration::from_secs(5);

/// A device came: what its driver asked for before can begin.
pub(crate) fn device_came(name: &str) {
    if let Some(instance) = requested(name) {
        start(instance);
    }
}

/// Lets a request begin, when the policy says so.
fn start(instance: &'static Instance) {
    match policy::current().im_initialize {
        ImInitialize::Inline => {
            begin(instance);
        }
        ImInitialize::Later => pnp::job("PnP start", move || {
            begin(instance);
        }),
        ImInitialize::Held | ImInitialize::Never => {}
    }
}

/// Runs `MiniportInitializeEx` for a request, and what follows. Answers whether the request was
/// still there.
pub(crate) fn begin(instance: &'static Instance) -> bool {
    if !instance.go(ImState::InitRequested, ImState::Initializing) {
        return false;
    }
    let adapter = Adapter::new(&instance.name, instance.driver, Some(instance));
    let started = pnp::start(adapter, || {
        instance.go(ImState::Initializing, ImState::Initialized);
    });
    if started.is_err() {
        instance.go(ImState::Initializing, ImState::NoInstance);
        remove(instance);
    }
    true
}

/// Lets a held request begin, on another thread. Answers whether there is one.
pub(crate) fn release(name: &str) -> bool {
    let Some(instance) = requested(name) else {
        return false;
    };
    pnp::job("PnP start", move || {
        begin(instance);
    });
    true
}

/// The request of that device name that has not begun.
fn requested(name: &str) -> Option<&'static Instance> {
    let instances = INSTANCES.lock();
    let mut of_name = instances.iter().copied();
    let found = of_name.find(|instance| instance.name.eq_ignore_ascii_case(name))?;
    drop(instances);
    (*found.state.lock() == ImState::InitRequested).then_some(found)
}

/// Halts a virtual miniport without its driver asking, as Device Manager's disable does.
pub(crate) fn disable(adapter: &'static Adapter, action: ndis_sys::NDIS_HALT_ACTION) {
    let instance = find(adapter.driver(), adapter.name());
    if let Some(instance) = instance
        && !instance.go(ImState::Initialized, ImState::Halting)
    {
        return;
    }
    pnp::stop(adapter, action);
    if let Some(instance) = instance {
        instance.go(ImState::Halting, ImState::NoInstance);
        remove(instance);
    }
}

/// Where the virtual miniport of that device name is.
pub(crate) fn state_of(name: &str) -> ImState {
    let instances = INSTANCES.lock();
    let found = instances
        .iter()
        .find(|instance| instance.name.eq_ignore_ascii_case(name))
        .copied();
    drop(instances);
    found.map_or(ImState::NoInstance, |instance| *instance.state.lock())
}

/// Virtual miniports that were requested and did not end.
pub(crate) fn outstanding() -> Vec<String> {
    let instances = INSTANCES.lock().clone();
    instances.iter().map(|it| format!("{it:?}")).collect()
}

/// The driver is going: its requests that never began go with it.
pub(crate) fn forget(driver: &'static MiniportDriver) {
    let mut instances = INSTANCES.lock();
    instances.retain(|instance| !ptr::eq(instance.driver, driver));
}

fn end(instance: &'static Instance, adapter: &'static Adapter) {
    pnp::stop(adapter, NdisHaltDeviceInstanceDeInitialized);
    instance.go(ImState::Halting, ImState::NoInstance);
    remove(instance);
}

fn find(driver: &'static MiniportDriver, name: &str) -> Option<&'static Instance> {
    INSTANCES.lock().iter().copied().find(|instance| {
        ptr::eq(instance.driver, driver) && instance.name.eq_ignore_ascii_case(name)
    })
}

fn remove(instance: &'static Instance) {
    INSTANCES.lock().retain(|other| !ptr::eq(*other, instance));
}

fn broken(name: &str, what: &str) -> ! {
    rules::broken(
        &rules::IM_VIRTUAL_MINIPORT_STATE,
        format_args!("virtual miniport {name}: {what}"),
    )
}

static INSTANCES: Monitor<Vec<&'static Instance>> = Monitor::new(Vec::new());
