//! Making the used data space of a NET_BUFFER larger and smaller at its front.
//!
//! A retreat uses the unused space before the data, and where that is too short puts a new MDL with
//! new memory before the chain. An advance with `FreeMdl` takes away again what a retreat put there.
//! Memory that a retreat made is remembered by its MDL, so that it is freed the way it was made.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ndis_sys::{
    BOOLEAN, MDL, NDIS_STATUS, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NET_BUFFER,
    NET_BUFFER_ALLOCATE_MDL_HANDLER, NET_BUFFER_FREE_MDL_HANDLER, NET_BUFFER_LIST,
};

use super::{block, buffer, data, owner};
use crate::call;
use crate::ndis::faults::should_fail;
use crate::ndis::view::{Mdl, Nb};
use crate::nt::irql::Irql;
use crate::nt::sched;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Adds `DataOffsetDelta` bytes at the front of the used data space.
    [PASSIVE..=DISPATCH] fn NdisRetreatNetBufferDataStart(
        NetBuffer: *mut NET_BUFFER,
        DataOffsetDelta: u32,
        DataBackFill: u32,
        AllocateMdlHandler: NET_BUFFER_ALLOCATE_MDL_HANDLER,
    ) -> NDIS_STATUS {
        let nb = buffer::known(NetBuffer, "NdisRetreatNetBufferDataStart");
        require_consistent(nb, "NdisRetreatNetBufferDataStart");
        if should_fail("NdisRetreatNetBufferDataStart") {
            return NDIS_STATUS_RESOURCES;
        }
        retreat(nb, DataOffsetDelta, DataBackFill, AllocateMdlHandler)
    }

    /// Retreats each NET_BUFFER of a list; if one fails, those before it are advanced again.
    [PASSIVE..=DISPATCH] fn NdisRetreatNetBufferListDataStart(
        NetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: u32,
        DataBackFill: u32,
        AllocateMdlHandler: NET_BUFFER_ALLOCATE_MDL_HANDLER,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    ) -> NDIS_STATUS {
        let nbl = owner::known(NetBufferList, "NdisRetreatNetBufferListDataStart");
        if should_fail("NdisRetreatNetBufferListDataStart") {
            return NDIS_STATUS_RESOURCES;
        }
        let buffers: super::derive::Pieces = nbl.buffers().collect();
        for (index, &nb) in buffers.iter().enumerate() {
            require_consistent(nb, "NdisRetreatNetBufferListDataStart");
            let status = retreat(nb, DataOffsetDelta, DataBackFill, AllocateMdlHandler);
            if status != NDIS_STATUS_SUCCESS {
                for &done in &buffers[..index] {
                    advance(done, DataOffsetDelta, true, FreeMdlHandler, "NdisRetreatNetBufferListDataStart");
                }
                return status;
            }
        }
        NDIS_STATUS_SUCCESS
    }

    /// Takes `DataOffsetDelta` bytes from the front of the used data space.
    [PASSIVE..=DISPATCH] fn NdisAdvanceNetBufferDataStart(
        NetBuffer: *mut NET_BUFFER,
        DataOffsetDelta: u32,
        FreeMdl: BOOLEAN,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    ) {
        let name = "NdisAdvanceNetBufferDataStart";
        let nb = buffer::known(NetBuffer, name);
        require_consistent(nb, name);
        advance(nb, DataOffsetDelta, FreeMdl != 0, FreeMdlHandler, name);
    }

    /// Advances each NET_BUFFER of a list.
    [PASSIVE..=DISPATCH] fn NdisAdvanceNetBufferListDataStart(
        NetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: u32,
        FreeMdl: BOOLEAN,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    ) {
        let name = "NdisAdvanceNetBufferListDataStart";
        for nb in owner::known(NetBufferList, name).buffers() {
            require_consistent(nb, name);
            advance(nb, DataOffsetDelta, FreeMdl != 0, FreeMdlHandler, name);
        }
    }

    /// Sets `CurrentMdl` and `CurrentMdlOffset` after `DataOffset`.
    [PASSIVE..=HIGH] fn NdisAdjustNetBufferCurrentMdl(NetBuffer: *mut NET_BUFFER) {
        data::place(buffer::known(NetBuffer, "NdisAdjustNetBufferCurrentMdl"));
    }
}

/// Adds `delta` bytes at the front.
pub(super) fn retreat(
    nb: Nb,
    delta: u32,
    back_fill: u32,
    handler: NET_BUFFER_ALLOCATE_MDL_HANDLER,
) -> NDIS_STATUS {
    if let Some(offset) = nb.offset().checked_sub(delta) {
        nb.set_offset(offset);
    } else {
        // What is unused before the data is used up; the rest is new, with the back-fill before it.
        let missing = delta - nb.offset();
        let Some(mdl) = new_front(missing + back_fill, handler) else {
            return NDIS_STATUS_RESOURCES;
        };
        let room = mdl.byte_count();
        if room < missing {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("NetAllocateMdl: {missing} bytes were asked for, the MDL has {room}"),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        mdl.set_raw_next(nb.raw_chain());
        nb.set_raw_chain(mdl.raw());
        nb.set_offset(room - missing);
    }
    nb.set_length(nb.length() + delta);
    data::place(nb);
    NDIS_STATUS_SUCCESS
}

/// Takes `delta` bytes from the front.
pub(super) fn advance(
    nb: Nb,
    delta: u32,
    free: bool,
    handler: NET_BUFFER_FREE_MDL_HANDLER,
    function: &str,
) {
    let Some(length) = nb.length().checked_sub(delta) else {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "{function}: NET_BUFFER {:p} has {} bytes of data, {delta} are taken",
                nb.raw(),
                nb.length()
            ),
        );
    };
    rules::held(&rules::NBL_OWNERSHIP);
    nb.set_length(length);
    nb.set_offset(nb.offset() + delta);
    while free
        && let Some(mdl) = nb.chain()
        && mdl.byte_count() <= nb.offset()
        && let Some(made) = forget(mdl)
    {
        nb.set_raw_chain(mdl.raw_next());
        nb.set_offset(nb.offset() - mdl.byte_count());
        mdl.set_raw_next(std::ptr::null_mut());
        free_front(mdl, made, handler, function);
    }
    data::place(nb);
}

/// Who made the MDL of a retreat, as numbers that are no address of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MadeBy {
    Ndis = 0x4e44_4901,
    Driver = 0x4e44_4902,
}

const NDIS: usize = MadeBy::Ndis as usize;
const DRIVER: usize = MadeBy::Driver as usize;

fn new_front(bytes: u32, handler: NET_BUFFER_ALLOCATE_MDL_HANDLER) -> Option<Mdl> {
    let (mdl, made) = match handler {
        None => (block::allocate_described(bytes, TAG)?, MadeBy::Ndis),
        Some(handler) => {
            let mut size = bytes;
            let mdl = call::callback("NetAllocateMdl", Irql::PASSIVE..=Irql::DISPATCH, || {
                // SAFETY: the driver gave this function for this call; `size` outlives it.
                unsafe { handler(&raw mut size) }
            });
            (mdl, MadeBy::Driver)
        }
    };
    // SAFETY: NDIS's own block is new; what a driver's handler returns is an MDL by its contract.
    let mdl = unsafe { Mdl::from_raw(mdl) }?;
    if rules::enforced() {
        lock().insert(mdl.address(), made);
    } else {
        mdl.set_process(made as usize as *mut _);
    }
    Some(mdl)
}

fn free_front(mdl: Mdl, made: MadeBy, handler: NET_BUFFER_FREE_MDL_HANDLER, function: &str) {
    match (made, handler) {
        (MadeBy::Ndis, _) => block::free_described(mdl.raw()),
        (MadeBy::Driver, Some(handler)) => {
            let mdl: *mut MDL = mdl.raw();
            call::callback("NetFreeMdl", Irql::PASSIVE..=Irql::DISPATCH, || {
                // SAFETY: the driver gave this function for this call, and made the MDL.
                unsafe { handler(mdl) }
            });
        }
        (MadeBy::Driver, None) => rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "{function}: MDL {:p} was made by the driver's NetAllocateMdl, and no NetFreeMdl is \
                 given",
                mdl.raw()
            ),
        ),
    }
}

fn forget(mdl: Mdl) -> Option<MadeBy> {
    if rules::enforced() {
        return lock().remove(&mdl.address());
    }
    // The field is the system's, and so the host's.
    let made = match mdl.process() as usize {
        NDIS => MadeBy::Ndis,
        DRIVER => MadeBy::Driver,
        _ => return None,
    };
    mdl.set_process(std::ptr::null_mut());
    Some(made)
}

fn require_consistent(nb: Nb, function: &str) {
    if let Err(fault) = data::check(nb) {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!("{function}: NET_BUFFER {:p}: {fault}", nb.raw()),
        );
    }
    rules::held(&rules::NBL_OWNERSHIP);
}

fn lock() -> MutexGuard<'static, HashMap<usize, MadeBy>> {
    sched::note_lock();
    FRONTS.lock().unwrap_or_else(PoisonError::into_inner)
}

const TAG: u32 = u32::from_le_bytes(*b"NDrt");

static FRONTS: LazyLock<Mutex<HashMap<usize, MadeBy>>> = LazyLock::new(Mutex::default);
