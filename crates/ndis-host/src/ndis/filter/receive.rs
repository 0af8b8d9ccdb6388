//! Receives through a filter module: passed on, kept, discarded, and its own.

use ndis_sys::{
    NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL, NDIS_RECEIVE_FLAGS_RESOURCES,
    NDIS_RETURN_FLAGS_DISPATCH_LEVEL, NET_BUFFER_LIST,
};

use super::module::{FilterState, Module};
use super::send::require_may_originate;
use super::stack::Layer;
use crate::ndis::driver::run_data;
use crate::ndis::nbl::owner::{self, Party};
use crate::ndis::object::resolve;
use crate::ndis::receive;
use crate::ndis::send::{dispatch_flag, link, require_dispatch};
use crate::ndis::trace;
use crate::ndis::view::Nbl;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter passes received frames on, or indicates NBLs of its own.
    [PASSIVE..=DISPATCH] fn NdisFIndicateReceiveNetBufferLists(
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: u32,
        ReceiveFlags: u32,
    ) {
        const NAME: &str = "NdisFIndicateReceiveNetBufferLists";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let record = trace::data_call(NAME, module.name());
        require_dispatch(ReceiveFlags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL != 0, NAME);
        module.require_attached(NAME);
        let resources = ReceiveFlags & NDIS_RECEIVE_FLAGS_RESOURCES != 0;
        if !resources && module.data().returned.is_none() {
            rules::broken(
                &rules::FILTER_BYPASS,
                format_args!("{NAME} of {module:?}, which has no FilterReturnNetBufferLists"),
            );
        }
        let chain = owner::chain(NetBufferLists, NAME);
        record.hands_over(chain.len());
        receive::require_count(&chain, NumberOfNetBufferLists, NAME);
        let from = Layer::Filter(module);
        for &nbl in &chain {
            if owner::indicate(nbl, from, resources, NAME) {
                let states = [FilterState::Restarting, FilterState::Running];
                require_may_originate(module, &states, NAME);
            }
        }
        let flags = ReceiveFlags & !NDIS_RECEIVE_FLAGS_RESOURCES;
        receive::pass_up(from, &chain, PortNumber, flags, resources);
    }

    /// A filter returns received frames.
    [PASSIVE..=DISPATCH] fn NdisFReturnNetBufferLists(
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: u32,
    ) {
        const NAME: &str = "NdisFReturnNetBufferLists";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let record = trace::data_call(NAME, module.name());
        require_dispatch(ReturnFlags & NDIS_RETURN_FLAGS_DISPATCH_LEVEL != 0, NAME);
        let by = Party::Below(Layer::Filter(module));
        let returned: receive::Returned = owner::chain(NetBufferLists, NAME)
            .into_iter()
            .map(|nbl| (owner::give_back(nbl, by, NAME), nbl))
            .collect();
        record.hands_over(returned.len());
        receive::give_back(&returned);
    }
}

/// Calls `FilterReceiveNetBufferLists`. With `resources`, all of them are those of who indicated them
/// when this returns.
pub(crate) fn deliver(
    module: &'static Module,
    chain: &[Nbl],
    port: NDIS_PORT_NUMBER,
    flags: u32,
    resources: bool,
) {
    const NAME: &str = "FilterReceiveNetBufferLists";
    let party = Party::Below(Layer::Filter(module));
    for &nbl in chain {
        owner::deliver(nbl, party, resources);
    }
    link(chain);
    let handler = module.data().receive;
    let handler = handler.expect("modules without it are left out");
    let busy = module.enter_owed();
    let context = module.context();
    let (first, count) = (chain[0].raw(), chain.len() as u32);
    let mut flags = flags & !NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL | dispatch_flag();
    if resources {
        flags |= NDIS_RECEIVE_FLAGS_RESOURCES;
    }
    trace::next_hands_over(chain.len());
    run_data(module.driver().caller(), NAME, module.name(), || {
        // SAFETY: the driver's registered function, with the context of a module that is not detached
        // while this runs, and a checked chain.
        unsafe { handler(context, first, port, count, flags) };
    });
    drop(busy);
    if resources {
        receive::take_back(party, chain, NAME);
        chain.iter().for_each(|&nbl| {
            owner::undelivered(nbl);
        });
    }
}

/// Calls `FilterReturnNetBufferLists` for NBLs that it indicated or passed on.
pub(crate) fn returned(module: &'static Module, first: *mut NET_BUFFER_LIST, flags: u32) {
    let handler = module.data().returned;
    let handler = handler.expect("NdisFIndicateReceiveNetBufferLists requires it");
    let _busy = module.enter_owed();
    let context = module.context();
    let caller = module.driver().caller();
    run_data(caller, "FilterReturnNetBufferLists", module.name(), || {
        // SAFETY: the driver's registered function, with the context of a module that is not detached
        // before its indications are returned, and NBLs that it indicated.
        unsafe { handler(context, first, flags) };
    });
}
