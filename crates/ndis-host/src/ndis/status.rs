//! Status indications: from a miniport through the filters to the protocols above.

use std::ptr;

use ndis_sys::{
    NDIS_HANDLE, NDIS_LINK_STATE, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_STATUS_INDICATION,
    NDIS_SIZEOF_LINK_STATE_REVISION_1, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1,
    NDIS_SIZEOF_STATUS_INDICATION_REVISION_1, NDIS_STATUS, NDIS_STATUS_INDICATION,
    NDIS_STATUS_INDICATION_REVISION_1, NDIS_STATUS_LINK_STATE, NDIS_STATUS_PM_WOL_PATTERN_REJECTED,
    NDIS_STATUS_RESET_END, NDIS_STATUS_RESET_START, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
    NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES,
};

use super::adapter::{Adapter, AdapterState};
use super::attributes::offload_at;
use super::driver::run_data;
use super::filter::{self, Layer, Module};
use super::object::{self, Kind, handle_of, resolve};
use super::{header, trace, watchdog};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A miniport indicates a status.
    [PASSIVE..=DISPATCH] fn NdisMIndicateStatusEx(
        MiniportAdapterHandle: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    ) {
        const NAME: &str = "NdisMIndicateStatusEx";
        let halted = object::is_dead(MiniportAdapterHandle, Kind::Adapter);
        rules::check(&rules::NDIS_M_INDICATE_STATUS_EX, !halted, || {
            format!("{NAME}: {} is halted", object::name_of(MiniportAdapterHandle))
        });
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        // SAFETY: the document makes it a pointer to an indication that lives during the call.
        let indication = unsafe { &*StatusIndication };
        let code = indication.StatusCode;
        let about = format!("{code:#010x} {}", adapter.name());
        let _record = trace::call(NAME, &about);
        require_header(indication, NAME);
        if adapter.state() == AdapterState::Initializing
            && !adapter.with_attributes(|attributes| attributes.registered())
        {
            adapter.broken("a status is indicated before the registration attributes are set");
        }
        if adapter.power.is_asleep() {
            adapter.broken(&format!("status {code:#x} is indicated in a low-power state"));
        }
        if indication.SourceHandle != handle_of(adapter) {
            adapter.broken(&format!(
                "the SourceHandle of status {code:#x} is {:p}, not the adapter's handle",
                indication.SourceHandle
            ));
        }
        if matches!(code, NDIS_STATUS_RESET_START | NDIS_STATUS_RESET_END) {
            adapter.broken("a miniport must not indicate reset start or end itself");
        }
        if code == NDIS_STATUS_PM_WOL_PATTERN_REJECTED {
            check_buffer(indication, NAME, adapter.name());
        }
        if code == NDIS_STATUS_LINK_STATE {
            // SAFETY: the document makes the buffer of this status an NDIS_LINK_STATE.
            unsafe { note_link(adapter, indication) };
        }
        let changes_offload = matches!(
            code,
            NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG | NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES
        );
        if changes_offload {
            check_buffer(indication, NAME, adapter.name());
            // SAFETY: the documents make the buffer of these an NDIS_OFFLOAD, as long as its header says.
            let offload = unsafe { offload_at(indication.StatusBuffer.cast()) };
            adapter.with_attributes(|attributes| {
                if code == NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG {
                    attributes.offload = offload;
                } else {
                    attributes.offload_hardware = offload;
                }
            });
        }
        pass_up(Layer::Adapter(adapter), indication);
    }
}

/// NDIS itself tells what stands on an adapter of a status without a buffer.
pub(crate) fn of_ndis(adapter: &'static Adapter, code: NDIS_STATUS) {
    let indication = NDIS_STATUS_INDICATION {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_STATUS_INDICATION,
            NDIS_STATUS_INDICATION_REVISION_1,
            NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
        ),
        SourceHandle: handle_of(adapter),
        StatusCode: code,
        ..NDIS_STATUS_INDICATION::zeroed()
    };
    pass_up(Layer::Adapter(adapter), &indication);
}

/// Passes what `from` indicates to the next filter module that handles status, or to the bindings.
pub(crate) fn pass_up(from: Layer, indication: &NDIS_STATUS_INDICATION) {
    let adapter = from.adapter();
    let code = indication.StatusCode;
    let has = |module: &Module| module.driver().handlers().StatusHandler.is_some();
    let next = adapter.filters.above(from.filter(), has);
    if next.is_some_and(|module| filter::status::deliver(module, indication)) {
        return;
    }
    for &binding in adapter.bindings().iter() {
        let Some(_busy) = binding.enter() else {
            continue;
        };
        // Only who has set a pattern is told that it is gone (ndis-status-pm-wol-pattern-rejected.md).
        if code == NDIS_STATUS_PM_WOL_PATTERN_REJECTED && !binding.wake.rejected(indication) {
            continue;
        }
        let handler = binding.protocol().handlers().StatusHandlerEx;
        let handler = handler.expect("registration requires it");
        let context = binding.context();
        let about = format!("{code:#010x} {}", binding.name());
        let mut copy = *indication;
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION;
        let _limit = watchdog::limit(rule, &format!("ProtocolStatusEx {about}"));
        run_data(
            binding.protocol().caller(),
            "ProtocolStatusEx",
            &about,
            || {
                // SAFETY: the driver's registered function, with the context of a binding that is
                // not closed while this runs; the buffer is that of who indicates, for the whole
                // call.
                unsafe { handler(context, ptr::from_mut(&mut copy)) };
            },
        );
    }
}

/// Ends the run unless an indication has a right header.
pub(crate) fn require_header(indication: &NDIS_STATUS_INDICATION, function: &str) {
    header::require(
        &indication.Header,
        NDIS_OBJECT_TYPE_STATUS_INDICATION,
        &[(
            NDIS_STATUS_INDICATION_REVISION_1,
            NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
        )],
        function,
    );
}

/// Ends the run unless the buffer is one for its status.
pub(crate) fn check_buffer(indication: &NDIS_STATUS_INDICATION, function: &str, who: &str) {
    let buffer = indication.StatusBuffer;
    let (name, least) = match indication.StatusCode {
        NDIS_STATUS_LINK_STATE => ("NDIS_STATUS_LINK_STATE", NDIS_SIZEOF_LINK_STATE_REVISION_1),
        NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG => (
            "NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG",
            NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1,
        ),
        NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES => (
            "NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES",
            NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1,
        ),
        NDIS_STATUS_PM_WOL_PATTERN_REJECTED => (
            "NDIS_STATUS_PM_WOL_PATTERN_REJECTED",
            size_of::<u32>() as u16,
        ),
        _ => return,
    };
    let least = u32::from(least);
    if buffer.is_null() || indication.StatusBufferSize < least {
        rules::broken(
            &rules::NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER,
            format_args!(
                "{function}({who}): {name} with {} bytes at {buffer:p}; it has at \
                 least {least}",
                indication.StatusBufferSize
            ),
        );
    }
}

/// # Safety
/// An indication whose buffer has as many bytes as it says.
unsafe fn note_link(adapter: &'static Adapter, indication: &NDIS_STATUS_INDICATION) {
    let buffer = indication.StatusBuffer.cast::<NDIS_LINK_STATE>();
    check_buffer(indication, "NdisMIndicateStatusEx", adapter.name());
    let mut link = NDIS_LINK_STATE::zeroed();
    let target = (&raw mut link).cast::<u8>();
    let length = (indication.StatusBufferSize as usize).min(size_of_val(&link));
    // SAFETY: the caller's contract; `length` fits both.
    unsafe { ptr::copy_nonoverlapping(buffer.cast::<u8>(), target, length) };
    adapter.with_attributes(|attributes| attributes.link = link);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndis::testing::{Miniport, halt, start};
    use crate::rules::testing::assert_broken;

    #[test]
    fn no_status_after_halt_returned() {
        assert_broken(
            &rules::NDIS_M_INDICATE_STATUS_EX,
            &["NdisMIndicateStatusEx", "is halted"],
            || {
                let adapter = start("status", Miniport::default());
                let handle = handle_of(adapter);
                halt(adapter);
                let mut indication = NDIS_STATUS_INDICATION::zeroed();
                // SAFETY: the indication lives during the call; the handle is what is found out.
                unsafe { NdisMIndicateStatusEx(handle, &raw mut indication) };
            },
        );
    }
}
