//! Opening and closing adapters.

use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_HANDLE, NDIS_MEDIUM, NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS,
    NDIS_OPEN_PARAMETERS_REVISION_1, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1, NDIS_STATUS,
    NDIS_STATUS_PENDING, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NDIS_STATUS_UNSUPPORTED_MEDIA,
};

use super::binding::{BindContext, Binding, BindingState, Open};
use super::driver::{ProtocolDriver, run};
use super::faults::should_fail;
use super::object::{self, handle_of, peek, resolve};
use super::policy::{self, When};
use super::{caller, header, oid, strings, trace};
use crate::nt::sched::{self, Monitor};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Opens the adapter that `ProtocolBindAdapterEx` is to bind to.
    [PASSIVE..=PASSIVE] fn NdisOpenAdapterEx(
        NdisProtocolHandle: NDIS_HANDLE,
        ProtocolBindingContext: NDIS_HANDLE,
        OpenParameters: *mut NDIS_OPEN_PARAMETERS,
        BindContext: NDIS_HANDLE,
        NdisBindingHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisOpenAdapterEx";
        let protocol = resolve::<ProtocolDriver>(NdisProtocolHandle, NAME);
        let context = peek::<BindContext>(BindContext).map(|context| context.binding);
        let Some(binding) = context.filter(|binding| std::ptr::eq(binding.protocol(), protocol)) else {
            rules::broken(
                &rules::NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT,
                format_args!("{NAME}: {BindContext:p} is not the BindContext of a running bind"),
            );
        };
        rules::held(&rules::NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT);
        let mut record = trace::call(NAME, binding.name());
        if binding.open_state() != Open::No {
            binding.broken("NdisOpenAdapterEx for an adapter that is open");
        }
        // SAFETY: the document makes it a pointer to the caller's parameters.
        let parameters = unsafe { &*OpenParameters };
        header::require(
            &parameters.Header,
            NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
            &[(NDIS_OPEN_PARAMETERS_REVISION_1, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1)],
            NAME,
        );
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(parameters.AdapterName) };
        if !name.eq_ignore_ascii_case(binding.adapter().name())
            || parameters.FrameTypeArraySize > NDIS_MAX_FRAME_TYPES_PER_OPEN
        {
            binding.broken(&format!(
                "NdisOpenAdapterEx with AdapterName {name:?} and {} frame types",
                parameters.FrameTypeArraySize
            ));
        }
        if should_fail("NdisOpenAdapterEx") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the document makes it an array of MediumArraySize media.
        let media = unsafe {
            std::slice::from_raw_parts(parameters.MediumArray, parameters.MediumArraySize as usize)
        };
        let Some(medium) = select(media, binding) else {
            return record.returns(NDIS_STATUS_UNSUPPORTED_MEDIA);
        };
        binding.set_context(ProtocolBindingContext);
        binding.set_open(Open::Opening);
        let answer = Answer {
            handle: NdisBindingHandle as usize,
            medium: parameters.SelectedMediumIndex as usize,
            index: medium,
        };
        record.returns(match policy::current().open {
            When::Inline => {
                opened(binding, &answer);
                NDIS_STATUS_SUCCESS
            }
            When::Later => {
                sched::spawn("NDIS open", move || {
                    let _entered = caller::enter(caller::Caller::HOST);
                    HELD.wait_until(None, |held| (!*held).then_some(()));
                    opened(binding, &answer);
                    let handler = binding.protocol().handlers().OpenAdapterCompleteHandlerEx;
                    let handler = handler.expect("registration requires it");
                    let context = binding.context();
                    run(
                        binding.protocol().caller(),
                        "ProtocolOpenAdapterCompleteEx",
                        binding.name(),
                        || {
                            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the
                            // context that it gave this binding.
                            unsafe { handler(context, NDIS_STATUS_SUCCESS) };
                        },
                    );
                });
                NDIS_STATUS_PENDING
            }
        })
    }

    /// Closes an open adapter.
    [PASSIVE..=PASSIVE] fn NdisCloseAdapterEx(NdisBindingHandle: NDIS_HANDLE) -> NDIS_STATUS {
        const NAME: &str = "NdisCloseAdapterEx";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let mut record = trace::call(NAME, binding.name());
        binding.require_state(&[BindingState::Closing, BindingState::Opening], NAME);
        binding.require_quiet(NAME);
        let filter = binding.filter();
        let lists = (filter.multicast.len(), filter.receive.len());
        let patterns = binding.wake.patterns();
        if filter.packet_types != 0 || lists != (0, 0) || patterns != 0 {
            binding.broken(&format!(
                "NdisCloseAdapterEx with packet filter {:#x}, {} multicast addresses, {} receive \
                 filters and {patterns} wake-on-LAN patterns still set",
                filter.packet_types, lists.0, lists.1
            ));
        }
        binding.set_open(Open::Closing);
        object::retire(binding);
        record.returns(match policy::current().close {
            When::Inline => {
                closed(binding);
                NDIS_STATUS_SUCCESS
            }
            When::Later => {
                sched::spawn("NDIS close", move || {
                    let _entered = caller::enter(caller::Caller::HOST);
                    closed(binding);
                    let handler = binding.protocol().handlers().CloseAdapterCompleteHandlerEx;
                    let handler = handler.expect("registration requires it");
                    let context = binding.context();
                    run(
                        binding.protocol().caller(),
                        "ProtocolCloseAdapterCompleteEx",
                        binding.name(),
                        || {
                            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the
                            // context that it keeps until this call.
                            unsafe { handler(context) };
                        },
                    );
                });
                NDIS_STATUS_PENDING
            }
        })
    }
}

/// Keeps opens that pend from their end, or lets them end.
pub(crate) fn hold(hold: bool) {
    *HELD.lock() = hold;
    HELD.notify_all();
}

static HELD: Monitor<bool> = Monitor::new(false);

/// The most frame types that an open may name (`NDIS_MAX_FRAME_TYPES_PER_OPEN`).
const NDIS_MAX_FRAME_TYPES_PER_OPEN: u32 = 64;

/// Where an open's results go.
struct Answer {
    handle: usize,
    medium: usize,
    index: u32,
}

fn opened(binding: &'static Binding, answer: &Answer) {
    let _party = caller::enter(binding.protocol().caller());
    object::publish(binding, format!("binding {}", binding.name()));
    binding.adapter().add_binding(binding);
    let handle = answer.handle as *mut NDIS_HANDLE;
    // SAFETY: the document makes it the caller's handle variable, valid until the open completed.
    unsafe { handle.write(handle_of(binding)) };
    let medium = answer.medium as *mut u32;
    // SAFETY: the same for the index.
    unsafe { medium.write(answer.index) };
    let lookahead = binding
        .adapter()
        .with_attributes(|attributes| attributes.lookahead);
    binding.lookahead.store(lookahead, Ordering::Relaxed);
    binding.set_open(Open::Yes);
}

fn closed(binding: &'static Binding) {
    binding.wait_idle();
    binding.adapter().remove_binding(binding);
    oid::binding_left(binding);
    binding.set_open(Open::No);
}

fn select(media: &[NDIS_MEDIUM], binding: &Binding) -> Option<u32> {
    let medium = binding
        .adapter()
        .with_attributes(|attributes| attributes.general().MediaType);
    let index = media.iter().position(|&other| other == medium)?;
    Some(index as u32)
}
