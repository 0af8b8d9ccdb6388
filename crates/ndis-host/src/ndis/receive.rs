//! Receives: from a miniport to the protocols above, and back when they return them.
//!
//! Several bindings may want a frame. All but the last get it with RESOURCES, one after the other, so
//! that each is done with it when its handler returns; the last may keep it.

use std::collections::BTreeMap;

use ndis_sys::{
    NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL, NDIS_RECEIVE_FLAGS_RESOURCES,
    NDIS_RETURN_FLAGS_DISPATCH_LEVEL, NET_BUFFER_LIST,
};

use super::adapter::{Adapter, AdapterState};
use super::binding::{Binding, BindingState, Busy};
use super::driver::run_data;
use super::ethernet::{EthernetFilter, Mac};
use super::nbl::{data, owner};
use super::object::resolve;
use super::send::{dispatch_flag, link, require_dispatch};
use super::view::Nbl;
use super::{counters, trace};
use crate::rules;
use crate::wire::{self, Direction};

crate::ddi! { "ndis.sys":
    /// A miniport indicates received frames.
    [PASSIVE..=DISPATCH] fn NdisMIndicateReceiveNetBufferLists(
        MiniportAdapterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: u32,
        ReceiveFlags: u32,
    ) {
        const NAME: &str = "NdisMIndicateReceiveNetBufferLists";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let record = trace::data_call(NAME, adapter.name());
        require_dispatch(ReceiveFlags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL != 0, NAME);
        let _indication = adapter.begin_indication();
        adapter.require_state(
            &[AdapterState::Running, AdapterState::Restarting, AdapterState::Pausing],
            NAME,
        );
        if adapter.power.is_asleep() {
            adapter.broken("frames are indicated in a low-power state");
        }
        let chain = owner::chain(NetBufferList, NAME);
        record.hands_over(chain.len());
        if chain.len() != NumberOfNetBufferLists as usize {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: NumberOfNetBufferLists is {NumberOfNetBufferLists}, the chain has {}",
                    chain.len()
                ),
            );
        }
        let resources = ReceiveFlags & NDIS_RECEIVE_FLAGS_RESOURCES != 0;
        for &nbl in &chain {
            owner::indicate(nbl, adapter, resources, NAME);
        }
        counters::received(&chain);
        wire::at_adapter(adapter, &chain, Direction::Inbound);
        let flags = ReceiveFlags & !NDIS_RECEIVE_FLAGS_RESOURCES;
        distribute(adapter, &chain, PortNumber, flags, resources);
    }

    /// A protocol returns received frames.
    [PASSIVE..=DISPATCH] fn NdisReturnNetBufferLists(
        NdisBindingHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: u32,
    ) {
        const NAME: &str = "NdisReturnNetBufferLists";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let record = trace::data_call(NAME, binding.name());
        require_dispatch(ReturnFlags & NDIS_RETURN_FLAGS_DISPATCH_LEVEL != 0, NAME);
        let chain = owner::chain(NetBufferLists, NAME);
        record.hands_over(chain.len());
        for &nbl in &chain {
            owner::give_back(nbl, binding, NAME);
        }
        give_back(binding.adapter(), &chain);
    }
}

/// Hands each frame to the bindings that want it. Without `resources` those that nobody keeps go back
/// to the miniport by its return handler; with it they are all the miniport's when this returns, in
/// the chain that they came in.
fn distribute(
    adapter: &'static Adapter,
    chain: &[Nbl],
    port: NDIS_PORT_NUMBER,
    flags: u32,
    resources: bool,
) {
    let own = adapter.mac();
    let receivers: Vec<(&'static Binding, Busy<'static>, EthernetFilter)> = adapter
        .bindings()
        .iter()
        .filter(|binding| receives(binding))
        .filter_map(|&binding| Some((binding, binding.enter()?, binding.filter())))
        .collect();
    // For each NBL, the receivers that want it.
    let wanted: Vec<Vec<usize>> = chain
        .iter()
        .map(|&nbl| {
            let destination = destination(nbl);
            let wants = |(_, _, filter): &(_, _, EthernetFilter)| filter.passes(destination, own);
            (0..receivers.len())
                .filter(|&index| wants(&receivers[index]))
                .collect()
        })
        .collect();
    // Copies first: everybody but the last one who wants a frame.
    for (index, (binding, _busy, _)) in receivers.iter().enumerate() {
        let shared: Vec<Nbl> = chain
            .iter()
            .zip(&wanted)
            .filter(|(_, wanted)| {
                wanted.contains(&index) && (resources || wanted.last() != Some(&index))
            })
            .map(|(&nbl, _)| nbl)
            .collect();
        if !shared.is_empty() {
            indicate_shared(binding, &shared, port, flags);
        }
    }
    if resources {
        link(chain);
        chain.iter().for_each(|&nbl| owner::undelivered(nbl));
        return;
    }
    let mut kept: BTreeMap<usize, Vec<Nbl>> = BTreeMap::new();
    let mut unwanted = Vec::new();
    for (&nbl, wanted) in chain.iter().zip(&wanted) {
        match wanted.last() {
            Some(&index) => kept.entry(index).or_default().push(nbl),
            None => unwanted.push(nbl),
        }
    }
    for (index, nbls) in kept {
        let (binding, _busy, _) = &receivers[index];
        nbls.iter()
            .for_each(|&nbl| owner::deliver(nbl, binding, false));
        indicate(binding, &nbls, port, flags);
    }
    if !unwanted.is_empty() {
        unwanted.iter().for_each(|&nbl| owner::undelivered(nbl));
        give_back(adapter, &unwanted);
    }
}

fn indicate_shared(binding: &'static Binding, nbls: &[Nbl], port: NDIS_PORT_NUMBER, flags: u32) {
    nbls.iter()
        .for_each(|&nbl| owner::deliver(nbl, binding, true));
    indicate(binding, nbls, port, flags | NDIS_RECEIVE_FLAGS_RESOURCES);
    let now: Vec<Nbl> = owner::chain(nbls[0].raw(), "ProtocolReceiveNetBufferLists");
    if now != nbls {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "ProtocolReceiveNetBufferLists of {}: a chain indicated with RESOURCES has other \
                 Next links on return",
                binding.name()
            ),
        );
    }
    nbls.iter().for_each(|&nbl| owner::taken_back(nbl, binding));
}

fn indicate(binding: &'static Binding, nbls: &[Nbl], port: NDIS_PORT_NUMBER, flags: u32) {
    link(nbls);
    let handler = binding.protocol().handlers().ReceiveNetBufferListsHandler;
    let handler = handler.expect("registration requires it");
    let context = binding.context();
    let (first, count) = (nbls[0].raw(), nbls.len() as u32);
    let flags = flags & !NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL | dispatch_flag();
    trace::next_hands_over(nbls.len());
    wire::at_binding(binding, nbls, Direction::Inbound);
    run_data(
        binding.protocol().caller(),
        "ProtocolReceiveNetBufferLists",
        binding.name(),
        || {
            // SAFETY: the driver's registered function, with the context of a binding that is not
            // closed while this runs, and a checked chain.
            unsafe { handler(context, first, port, count, flags) };
        },
    );
}

/// Gives NBLs back to the miniport that indicated them.
fn give_back(adapter: &'static Adapter, nbls: &[Nbl]) {
    if nbls.is_empty() {
        return;
    }
    link(nbls);
    let handler = adapter.driver().handlers().ReturnNetBufferListsHandler;
    let handler = handler.expect("registration requires it");
    let context = adapter.context();
    let first = nbls[0].raw();
    let flags = dispatch_flag();
    trace::next_hands_over(nbls.len());
    run_data(
        adapter.driver().caller(),
        "MiniportReturnNetBufferLists",
        adapter.name(),
        || {
            // SAFETY: the driver's registered function, with the context that it set and NBLs that it
            // indicated.
            unsafe { handler(context, first, flags) };
        },
    );
}

fn receives(binding: &Binding) -> bool {
    matches!(
        binding.state(),
        BindingState::Running | BindingState::Restarting | BindingState::Pausing
    )
}

fn destination(nbl: Nbl) -> Mac {
    let mut destination = Mac::default();
    if let Some(nb) = nbl.first() {
        data::read(nb, 0, &mut destination);
    }
    destination
}
