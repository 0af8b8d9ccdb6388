//! Where Windows comes in and goes out: `DriverEntry`, and unload.

use ndis::{
    Passive, Result, Status,
    contract::Contract,
    driver::{Deregister, Driver, Entry},
};
use wdk_sys::{NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, STATUS_SUCCESS};

use crate::{
    control,
    driver::{Mux, PROTOCOL_NAME},
    trace,
};

/// Registers both edges. If anything fails, what was done before is undone: unload is not called then.
///
/// # Safety
/// The system calls this once for each load, at PASSIVE_LEVEL, with valid arguments.
#[expect(unsafe_code, reason = "the entry point that Windows calls")]
// SAFETY: `DriverEntry` is the name that the linker is told; nothing else in the image has it.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(
    driver_object: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: these are the arguments of the running `DriverEntry`.
    let entry = unsafe { Entry::new(driver_object.cast(), registry_path.cast()) };
    match entry
        .ok_or(Status::INVALID_PARAMETER)
        .and_then(|entry| load(&entry))
    {
        Ok(()) => STATUS_SUCCESS,
        Err(status) => status.raw(),
    }
}

fn load(entry: &Entry<'_>) -> Result {
    trace::register(entry.at());
    let loaded = start(entry);
    match loaded {
        Ok(contract) => trace::loaded(contract),
        Err(status) => {
            trace::load_failed(status);
            trace::unregister(entry.at());
        }
    }
    loaded.map(|_| ())
}

fn start(entry: &Entry<'_>) -> Result<Contract> {
    let contract = Contract::newest()?;
    let mux = Mux::cell().install(Mux::try_new(entry)?)?;
    let registered = register(mux, entry, contract);
    if registered.is_err() {
        remove();
    }
    registered.map(|()| contract)
}

/// The upper edge first: the lower edge may bind before its registration returns, and needs the upper
/// one for the virtual miniports. What is not kept is deregistered on the way out, last one first.
fn register<'entry>(mux: &'entry Mux, entry: &Entry<'entry>, contract: Contract) -> Result {
    let upper = mux.miniport().register::<Mux>(entry, contract)?;
    mux.make_pools()?;
    register_lower(mux, entry, contract).inspect_err(|_| mux.let_go())?;
    upper.keep();
    Ok(())
}

/// The device comes last: once it is there somebody may have it open, so nothing that could fail comes
/// after it.
fn register_lower<'entry>(mux: &'entry Mux, entry: &Entry<'entry>, contract: Contract) -> Result {
    let lower = mux
        .protocol()
        .register::<Mux>(entry, &PROTOCOL_NAME, contract)?;
    ndis::im::associate(mux.miniport(), mux.protocol(), entry.at());
    let device = mux
        .device()
        .register::<Mux>(entry, mux.miniport(), &control::NAMES)?;
    device.keep();
    lower.keep();
    Ok(())
}

/// `MiniportDriverUnload`: undoes what [`load`] did. The protocol goes first: bindings that are still
/// open are unbound inside its deregistration, and take down virtual miniports of the upper edge.
pub(crate) fn unload(at: Passive<'_>) {
    if let Some(mux) = Mux::cell().get() {
        mux.device().deregister(at);
        mux.protocol().deregister(at);
        mux.let_go();
        mux.miniport().deregister(at);
    }
    remove();
    trace::unloaded();
    trace::unregister(at);
}

#[expect(
    unsafe_code,
    reason = "only here is it known that nobody uses the driver's state"
)]
fn remove() {
    // SAFETY: both edges are deregistered, or never were registered, so no callback runs or will run.
    drop(unsafe { Mux::cell().remove() });
}
