//! Sends: from a protocol through the filters to the miniport below, and back when they are complete.

use std::ffi::c_void;

use ndis_sys::{
    NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_SEND_FLAGS_DISPATCH_LEVEL, NDIS_STATUS_PAUSED,
    NET_BUFFER_LIST,
};
use smallvec::SmallVec;

use super::adapter::{Adapter, AdapterState};
use super::binding::{Binding, BindingState};
use super::driver::run_data;
use super::filter::{self, FilterState, Layer, Module};
use super::nbl::owner::{self, Chain, Party};
use super::object::resolve;
use super::view::Nbl;
use super::{faults, trace};
use crate::nt::irql::{self, Irql};
use crate::rules;
use crate::wire::{self, Direction};

crate::ddi! { "ndis.sys":
    /// Sends a chain of NBLs on a binding.
    [PASSIVE..=DISPATCH] fn NdisSendNetBufferLists(
        NdisBindingHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: u32,
    ) {
        const NAME: &str = "NdisSendNetBufferLists";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let record = trace::data_call(NAME, binding.name());
        require_dispatch(SendFlags & NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0, NAME);
        // The binding runs as soon as its driver is ready, which NDIS learns of when the restart ends.
        let running = [BindingState::Restarting, BindingState::Running, BindingState::Pausing];
        binding.require_state(&running, NAME);
        let chain = owner::chain(NetBufferLists, NAME);
        record.hands_over(chain.len());
        let to = first_below(binding.adapter(), None);
        for &nbl in &chain {
            owner::send(nbl, Party::Binding(binding), to, NAME);
        }
        super::counters::sent(&chain);
        wire::at_binding(binding, &chain, Direction::Outbound);
        require_running(to);
        if faults::should_fail("NdisSendNetBufferLists") {
            for &nbl in &chain {
                nbl.set_status(NDIS_STATUS_PAUSED);
            }
            complete(to, &chain, NAME);
            return;
        }
        hand_down(to, (NetBufferLists, &chain), PortNumber, SendFlags);
    }

    /// A miniport completes sends.
    [PASSIVE..=DISPATCH] fn NdisMSendNetBufferListsComplete(
        NdisMiniportHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        SendCompleteFlags: u32,
    ) {
        const NAME: &str = "NdisMSendNetBufferListsComplete";
        let adapter = resolve::<Adapter>(NdisMiniportHandle, NAME);
        let record = trace::data_call(NAME, adapter.name());
        require_dispatch(SendCompleteFlags & NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0, NAME);
        let chain = owner::chain(NetBufferLists, NAME);
        record.hands_over(chain.len());
        complete(Layer::Adapter(adapter), &chain, NAME);
    }

    /// Asks the miniport below to cancel sends.
    [PASSIVE..=DISPATCH] fn NdisCancelSendNetBufferLists(
        NdisBindingHandle: NDIS_HANDLE,
        CancelId: *mut c_void,
    ) {
        let binding = resolve::<Binding>(NdisBindingHandle, "NdisCancelSendNetBufferLists");
        let _record = trace::call("NdisCancelSendNetBufferLists", binding.name());
        cancel(binding.adapter(), None, CancelId);
    }

    /// The high byte for cancel ids of the calling driver.
    [PASSIVE..=DISPATCH] fn NdisGeneratePartialCancelId() -> u8 {
        use std::sync::atomic::{AtomicU8, Ordering};
        static NEXT: AtomicU8 = AtomicU8::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// Hands sends of a built-in client to a miniport that is not running: what a driver above that is
/// late, or a pause that overtakes a send, can do.
pub(crate) fn send_late(binding: NDIS_HANDLE, chain: &[Nbl], flags: u32) {
    const NAME: &str = "NdisSendNetBufferLists";
    let binding = resolve::<Binding>(binding, NAME);
    let adapter = binding.adapter();
    adapter.require_state(
        &[AdapterState::Pausing, AdapterState::Paused],
        "a late send",
    );
    let record = trace::data_call(NAME, binding.name());
    record.hands_over(chain.len());
    let to = first_below(adapter, None);
    for &nbl in chain {
        owner::send(nbl, Party::Binding(binding), to, NAME);
    }
    hand_down(to, (chain[0].raw(), chain), 0, flags);
}

/// Who gets a send from `from` (a binding, if that is `None`): the next filter module that handles
/// sends, or the adapter.
pub(crate) fn first_below(adapter: &'static Adapter, from: Option<&'static Module>) -> Layer {
    match adapter.filters.below(from, |it| it.data().send.is_some()) {
        Some(module) => Layer::Filter(module),
        None => Layer::Adapter(adapter),
    }
}

/// Ends the run unless sends may reach `to`.
pub(crate) fn require_running(to: Layer) {
    match to {
        Layer::Adapter(adapter) => {
            let state = adapter.state();
            if !matches!(state, AdapterState::Running | AdapterState::Pausing) {
                adapter.broken(&format!("a send reaches it in state {state:?}"));
            }
        }
        Layer::Filter(module) => {
            let states = [FilterState::Running, FilterState::Pausing];
            module.require_state(&states, "a send reaches it");
        }
    }
}

/// Calls the send function of `to`, whose the chain, by its first NBL and all of them, is now.
pub(crate) fn hand_down(
    to: Layer,
    (first, chain): (*mut NET_BUFFER_LIST, &[Nbl]),
    port: NDIS_PORT_NUMBER,
    flags: u32,
) {
    trace::next_hands_over(chain.len());
    let adapter = match to {
        Layer::Adapter(adapter) => adapter,
        Layer::Filter(module) => return filter::send::hand(module, first, port, flags),
    };
    let handler = adapter.driver().handlers().SendNetBufferListsHandler;
    let handler = handler.expect("registration requires it");
    let context = adapter.context();
    let caller = adapter.driver().caller();
    wire::at_adapter(adapter, chain, Direction::Outbound);
    run_data(caller, "MiniportSendNetBufferLists", adapter.name(), || {
        // SAFETY: the driver's registered function, with the context that it set for this adapter,
        // which is not halted, and a checked chain that now is its own.
        unsafe { handler(context, first, port, flags) };
    });
}

/// Asks those below `from` (a binding, if that is `None`) to cancel sends with that id.
pub(crate) fn cancel(adapter: &'static Adapter, from: Option<&'static Module>, id: *mut c_void) {
    let has = |module: &Module| module.data().cancel_send.is_some();
    if let Some(module) = adapter.filters.below(from, has) {
        filter::send::cancel(module, id);
        return;
    }
    let handler = adapter.driver().handlers().CancelSendHandler;
    let handler = handler.expect("registration requires it");
    let context = adapter.context();
    let caller = adapter.driver().caller();
    run_data(caller, "MiniportCancelSend", adapter.name(), || {
        // SAFETY: the driver's registered function, with the context that it set.
        unsafe { handler(context, id) };
    });
}

/// Gives NBLs that `by` completed back to those who sent them, in one call for each run of NBLs of one
/// sender.
pub(crate) fn complete(by: Layer, chain: &[Nbl], function: &str) {
    let senders: SmallVec<[(Party, Nbl); 64]> = chain
        .iter()
        .map(|&nbl| (owner::complete_send(nbl, by, function), nbl))
        .collect();
    for run in senders.chunk_by(|(a, _), (b, _)| a == b) {
        let sender = run[0].0;
        let run: Chain = run.iter().map(|&(_, nbl)| nbl).collect();
        link(&run);
        let first = run[0].raw();
        let flags = dispatch_flag();
        trace::next_hands_over(run.len());
        match sender {
            Party::Binding(binding) => {
                wire::completed(binding, &run);
                completed(binding, first, flags);
            }
            Party::Below(Layer::Filter(module)) => filter::send::completed(module, first, flags),
            sender => unreachable!("{sender:?} sends nothing"),
        }
    }
}

fn completed(binding: &'static Binding, first: *mut NET_BUFFER_LIST, flags: u32) {
    let handler = binding
        .protocol()
        .handlers()
        .SendNetBufferListsCompleteHandler;
    let handler = handler.expect("registration requires it");
    let context = binding.context();
    run_data(
        binding.protocol().caller(),
        "ProtocolSendNetBufferListsComplete",
        binding.name(),
        || {
            // SAFETY: the driver's registered function, with the context of a binding that is open as
            // long as its sends are out, and NBLs that it sent.
            unsafe { handler(context, first, flags) };
        },
    );
}

/// Makes a chain of `nbls`, in order.
pub(crate) fn link(nbls: &[Nbl]) {
    for (index, nbl) in nbls.iter().enumerate() {
        nbl.set_next(nbls.get(index + 1).copied());
    }
}

/// Ends the run if a driver says that it is at DISPATCH_LEVEL and is not.
pub(crate) fn require_dispatch(said: bool, function: &str) {
    let level = irql::current();
    if said && level != Irql::DISPATCH {
        rules::broken(
            rules::irql_rule(function),
            format_args!("{function} is called with the DISPATCH_LEVEL flag at {level}"),
        );
    }
}

/// The DISPATCH_LEVEL flag if this is that level: all flag words of the data path have it in bit 0.
pub(crate) fn dispatch_flag() -> u32 {
    u32::from(irql::current() == Irql::DISPATCH)
}
