//! Receives: from a miniport through the filters to the protocols above, and back when they return them.
//!
//! Several bindings may want a frame. All but the last get it with RESOURCES, one after the other, so
//! that each is done with it when its handler returns; the last may keep it.

use std::sync::Arc;

use ndis_sys::{
    Ieee8021QNetBufferListInfo, NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL,
    NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_RETURN_FLAGS_DISPATCH_LEVEL, NET_BUFFER_LIST,
};
use smallvec::SmallVec;

use super::adapter::{Adapter, AdapterState};
use super::binding::{Binding, BindingState, Busy};
use super::driver::run_data;
use super::ethernet::{self, EthernetFilter, Mac};
use super::filter::{self, Layer, Module};
use super::nbl::data;
use super::nbl::owner::{self, Chain, Party};
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
        require_count(&chain, NumberOfNetBufferLists, NAME);
        let resources = ReceiveFlags & NDIS_RECEIVE_FLAGS_RESOURCES != 0;
        let from = Layer::Adapter(adapter);
        for &nbl in &chain {
            owner::indicate(nbl, from, resources, NAME);
        }
        counters::received(&chain);
        wire::at_adapter(adapter, &chain, Direction::Inbound);
        let flags = ReceiveFlags & !NDIS_RECEIVE_FLAGS_RESOURCES;
        pass_up(from, &chain, PortNumber, flags, resources);
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
        let by = Party::Binding(binding);
        let returned: Returned = owner::chain(NetBufferLists, NAME)
            .into_iter()
            .map(|nbl| (owner::give_back(nbl, by, NAME), nbl))
            .collect();
        record.hands_over(returned.len());
        give_back(&returned);
    }
}

/// NBLs that come back, each with who indicated it.
pub(crate) type Returned = SmallVec<[(Layer, Nbl); 64]>;

/// Passes what `from` indicated to the next filter module that handles receives, or to the bindings.
/// With `resources` they are all `from`'s when this returns, in the chain that they came in.
pub(crate) fn pass_up(
    from: Layer,
    chain: &[Nbl],
    port: NDIS_PORT_NUMBER,
    flags: u32,
    resources: bool,
) {
    if chain.is_empty() {
        return;
    }
    let adapter = from.adapter();
    let has = |module: &Module| module.data().receive.is_some();
    match adapter.filters.above(from.filter(), has) {
        Some(module) => filter::receive::deliver(module, chain, port, flags, resources),
        None => distribute(adapter, chain, port, flags, resources),
    }
}

/// Ends the run unless the chain is as long as the driver says.
pub(crate) fn require_count(chain: &[Nbl], said: u32, function: &str) {
    if chain.len() != said as usize {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "{function}: NumberOfNetBufferLists is {said}, the chain has {}",
                chain.len()
            ),
        );
    }
}

/// Hands each frame to the bindings that want it. Without `resources` those that nobody keeps go back
/// to who indicated them by its return handler; with it they are all its own when this returns, in
/// the chain that they came in.
fn distribute(
    adapter: &'static Adapter,
    chain: &[Nbl],
    port: NDIS_PORT_NUMBER,
    flags: u32,
    resources: bool,
) {
    let own = adapter.mac();
    let receivers: SmallVec<[(&'static Binding, Busy<'static>, Arc<EthernetFilter>); 4]> = adapter
        .bindings()
        .iter()
        .filter(|binding| receives(binding))
        .filter_map(|&binding| Some((binding, binding.enter()?, binding.shared_filter())))
        .collect();
    // For each NBL, the receivers that want it.
    let wanted: SmallVec<[SmallVec<[usize; 2]>; 64]> = chain
        .iter()
        .map(|&nbl| {
            let (destination, vlan) = (destination(nbl), vlan(nbl));
            let wants = |(_, _, filter): &(_, _, Arc<EthernetFilter>)| {
                filter.passes(destination, vlan, own)
            };
            (0..receivers.len())
                .filter(|&index| wants(&receivers[index]))
                .collect()
        })
        .collect();
    // Copies first: everybody but the last one who wants a frame.
    for (index, (binding, _busy, _)) in receivers.iter().enumerate() {
        let shared: Chain = chain
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
        chain.iter().for_each(|&nbl| {
            owner::undelivered(nbl);
        });
        return;
    }
    let for_last = |last: Option<usize>| -> Chain {
        let chain = chain.iter().zip(&wanted);
        let his = chain.filter(|(_, wanted)| wanted.last().copied() == last);
        his.map(|(&nbl, _)| nbl).collect()
    };
    let unwanted = for_last(None);
    for (index, (binding, _busy, _)) in receivers.iter().enumerate() {
        let nbls = for_last(Some(index));
        if nbls.is_empty() {
            continue;
        }
        nbls.iter()
            .for_each(|&nbl| owner::deliver(nbl, Party::Binding(binding), false));
        indicate(binding, &nbls, port, flags);
    }
    let unwanted: Returned = unwanted
        .into_iter()
        .map(|nbl| (owner::undelivered(nbl), nbl))
        .collect();
    give_back(&unwanted);
}

fn indicate_shared(binding: &'static Binding, nbls: &[Nbl], port: NDIS_PORT_NUMBER, flags: u32) {
    let party = Party::Binding(binding);
    nbls.iter()
        .for_each(|&nbl| owner::deliver(nbl, party, true));
    indicate(binding, nbls, port, flags | NDIS_RECEIVE_FLAGS_RESOURCES);
    take_back(party, nbls, "ProtocolReceiveNetBufferLists");
}

/// NDIS takes back what it indicated to `party` with RESOURCES, now that `function` returned.
pub(crate) fn take_back(party: Party, nbls: &[Nbl], function: &str) {
    let now = owner::chain(nbls[0].raw(), function);
    if now[..] != *nbls {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "{function} of {party:?}: a chain indicated with RESOURCES has other Next links on \
                 return"
            ),
        );
    }
    rules::held(&rules::NBL_OWNERSHIP);
    nbls.iter()
        .for_each(|&nbl| owner::taken_back(nbl, party, function));
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

/// Gives NBLs back to those who indicated them, in one call for each run of NBLs of one.
pub(crate) fn give_back(returned: &[(Layer, Nbl)]) {
    for run in returned.chunk_by(|(a, _), (b, _)| a == b) {
        let nbls: Chain = run.iter().map(|&(_, nbl)| nbl).collect();
        link(&nbls);
        let first = nbls[0].raw();
        let flags = dispatch_flag();
        trace::next_hands_over(nbls.len());
        match run[0].0 {
            Layer::Adapter(adapter) => returned_to(adapter, first, flags),
            Layer::Filter(module) => filter::receive::returned(module, first, flags),
        }
    }
}

fn returned_to(adapter: &'static Adapter, first: *mut NET_BUFFER_LIST, flags: u32) {
    let handler = adapter.driver().handlers().ReturnNetBufferListsHandler;
    let handler = handler.expect("registration requires it");
    let context = adapter.context();
    let caller = adapter.driver().caller();
    run_data(
        caller,
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

/// The VLAN that a frame is in, by its tag or by what stands beside it; 0 for none.
fn vlan(nbl: Nbl) -> u16 {
    let info = nbl.info()[Ieee8021QNetBufferListInfo] as usize;
    if info != 0 {
        return (info >> 4) as u16 & 0xfff;
    }
    let mut tag = [0; 4];
    match nbl.first() {
        Some(nb) if data::read(nb, 12, &mut tag) == tag.len() => ethernet::vlan_of(&tag),
        _ => 0,
    }
}

fn destination(nbl: Nbl) -> Mac {
    let mut destination = Mac::default();
    if let Some(nb) = nbl.first() {
        data::read(nb, 0, &mut destination);
    }
    destination
}
