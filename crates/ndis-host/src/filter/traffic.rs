//! Frames through a built-in filter, and its own.

use std::ffi::c_void;
use std::time::Duration;

use ndis_sys::{
    NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_STATUS_PAUSED,
    NET_BUFFER_LIST,
};

use super::{Fault, Filter, Instance, instance_of};
use crate::ndis::caller;
use crate::ndis::filter::receive::{NdisFIndicateReceiveNetBufferLists, NdisFReturnNetBufferLists};
use crate::ndis::filter::send::{
    NdisFCancelSendNetBufferLists, NdisFSendNetBufferLists, NdisFSendNetBufferListsComplete,
};
use crate::ndis::nbl::owner;
use crate::ndis::nbl::window::NdisAdvanceNetBufferListDataStart;
use crate::ndis::send::{dispatch_flag, link};
use crate::ndis::view::Nbl;
use crate::nic::{Shape, frames};

impl Filter {
    /// Sends a frame of its own through its first module. Answers whether it could.
    pub fn send(&self, frame: &[u8]) -> bool {
        self.originate(frame, |instance, nbl| {
            // SAFETY: the NBL is this module's own.
            unsafe { NdisFSendNetBufferLists(instance.handle(), nbl.raw(), 0, 0) };
        })
    }

    /// Indicates a frame of its own from its first module. Answers whether it could.
    pub fn indicate(&self, frame: &[u8]) -> bool {
        self.originate(frame, |instance, nbl| {
            // SAFETY: the NBL is this module's own.
            unsafe {
                NdisFIndicateReceiveNetBufferLists(instance.handle(), nbl.raw(), 0, 1, 0);
            };
        })
    }

    /// NBLs of its own that are out.
    pub fn own_outstanding(&self) -> usize {
        let own = |instance: &&'static Instance| instance.state.lock().own.len();
        self.instances().iter().map(own).sum()
    }

    /// Waits until all NBLs of its own are back.
    pub fn wait_own(&self, timeout: Duration) -> bool {
        let back = |instance: &&'static Instance| {
            let empty = |state: &mut super::Module| state.own.is_empty().then_some(());
            instance.state.wait_until(Some(timeout), empty).is_some()
        };
        self.instances().iter().all(back)
    }

    fn originate(&self, frame: &[u8], pass: impl FnOnce(&'static Instance, Nbl)) -> bool {
        let _entered = caller::enter(self.caller());
        let Some(&instance) = self.instances().first() else {
            return false;
        };
        let made = frames::receive(instance.pool(), frame, &Shape::WHOLE);
        let Some((nbl, memory)) = made else {
            return false;
        };
        nbl.set_source(instance.handle());
        instance.state.lock().own.insert(nbl.address(), memory);
        pass(instance, nbl);
        true
    }
}

impl Instance {
    /// Passes on the sends that it keeps.
    pub(super) fn release_sends(&self) {
        let _entered = caller::enter(self.filter.caller());
        let held = take(&mut self.state.lock().held_sends);
        if let Some(first) = chain_of(&held) {
            // SAFETY: the sends came to this module.
            unsafe { NdisFSendNetBufferLists(self.handle(), first, 0, 0) };
        }
    }

    /// Passes on the frames that it keeps.
    pub(super) fn release_receives(&self) {
        let _entered = caller::enter(self.filter.caller());
        let held = take(&mut self.state.lock().held_receives);
        let count = held.len() as u32;
        if let Some(first) = chain_of(&held) {
            // SAFETY: the frames came to this module.
            unsafe { NdisFIndicateReceiveNetBufferLists(self.handle(), first, 0, count, 0) };
        }
    }

    /// Completes and returns what it keeps.
    pub(super) fn give_back_held(&self) {
        let (sends, receives) = {
            let mut state = self.state.lock();
            (take(&mut state.held_sends), take(&mut state.held_receives))
        };
        if let Some(first) = chain_of(&sends) {
            self.refuse(first, 0);
        }
        if let Some(first) = chain_of(&receives) {
            // SAFETY: the frames came to this module.
            unsafe { NdisFReturnNetBufferLists(self.handle(), first, 0) };
        }
    }

    fn refuse(&self, first: *mut NET_BUFFER_LIST, flags: u32) {
        for nbl in owner::chain(first, "FilterSendNetBufferLists") {
            nbl.set_status(NDIS_STATUS_PAUSED);
        }
        // SAFETY: the sends came to this module.
        unsafe { NdisFSendNetBufferListsComplete(self.handle(), first, flags) };
    }

    /// Frees those of a chain that are its own: the others.
    fn without_own(&self, first: *mut NET_BUFFER_LIST, function: &str) -> Vec<Nbl> {
        let mut others = Vec::new();
        for nbl in owner::chain(first, function) {
            let memory = self.state.lock().own.remove(&nbl.address());
            match memory {
                Some(memory) => frames::free(nbl.raw(), memory),
                None => others.push(nbl),
            }
        }
        self.state.notify_all();
        others
    }
}

pub(super) unsafe extern "efiapi" fn send(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    port: NDIS_PORT_NUMBER,
    flags: u32,
) {
    let instance = instance_of(context);
    let filter = instance.filter;
    let nbls = owner::chain(first, "FilterSendNetBufferLists");
    filter.count(|counters| counters.sends += nbls.len() as u64);
    let (fault, hold) = {
        let state = filter.state.lock();
        (state.fault, state.hold_sends)
    };
    let running = {
        let mut state = instance.state.lock();
        if state.running && hold {
            state
                .held_sends
                .extend(nbls.iter().map(|nbl| nbl.address()));
            return;
        }
        state.running
    };
    if !running {
        return instance.refuse(first, flags);
    }
    if fault == Some(Fault::ChangeSource) {
        nbls[0].set_source(instance.handle());
    }
    if fault == Some(Fault::ChangeBytes) {
        flip(nbls[0], 20);
    }
    if fault == Some(Fault::KeepAdvanced) {
        // SAFETY: the frame has more bytes than that.
        unsafe { NdisAdvanceNetBufferListDataStart(first, 1, 0, None) };
    }
    // SAFETY: the sends came to this module.
    unsafe { NdisFSendNetBufferLists(instance.handle(), first, port, flags) };
}

pub(super) unsafe extern "efiapi" fn send_complete(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    flags: u32,
) {
    let instance = instance_of(context);
    let others = instance.without_own(first, "FilterSendNetBufferListsComplete");
    let count = others.len() as u64;
    instance
        .filter
        .count(|counters| counters.sends_completed += count);
    if let Some(nbl) = others.first() {
        link(&others);
        // SAFETY: the sends came to this module.
        unsafe { NdisFSendNetBufferListsComplete(instance.handle(), nbl.raw(), flags) };
    }
}

pub(super) unsafe extern "efiapi" fn cancel(context: NDIS_HANDLE, id: *mut c_void) {
    let instance = instance_of(context);
    instance.filter.count(|counters| counters.cancels += 1);
    // SAFETY: the module is attached.
    unsafe { NdisFCancelSendNetBufferLists(instance.handle(), id) };
}

pub(super) unsafe extern "efiapi" fn receive(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    port: NDIS_PORT_NUMBER,
    count: u32,
    flags: u32,
) {
    let instance = instance_of(context);
    let filter = instance.filter;
    filter.count(|counters| counters.receives += u64::from(count));
    let (fault, hold) = {
        let state = filter.state.lock();
        (state.fault, state.hold_receives)
    };
    let resources = flags & NDIS_RECEIVE_FLAGS_RESOURCES != 0;
    if fault == Some(Fault::SendReceived) {
        // SAFETY: what a filter must not do; NDIS sees it.
        unsafe { NdisFSendNetBufferLists(instance.handle(), first, port, dispatch_flag()) };
    }
    if hold && (!resources || fault == Some(Fault::KeepResources)) {
        let nbls = owner::chain(first, "FilterReceiveNetBufferLists");
        let mut state = instance.state.lock();
        let addresses = nbls.iter().map(|nbl| nbl.address());
        state.held_receives.extend(addresses);
        return;
    }
    let flags = if fault == Some(Fault::KeepResources) {
        flags & !NDIS_RECEIVE_FLAGS_RESOURCES
    } else {
        flags
    };
    // SAFETY: the frames came to this module.
    unsafe { NdisFIndicateReceiveNetBufferLists(instance.handle(), first, port, count, flags) };
}

pub(super) unsafe extern "efiapi" fn returned(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    flags: u32,
) {
    let instance = instance_of(context);
    let others = instance.without_own(first, "FilterReturnNetBufferLists");
    let count = others.len() as u64;
    instance
        .filter
        .count(|counters| counters.receives_returned += count);
    if let Some(nbl) = others.first() {
        link(&others);
        // SAFETY: the frames came to this module.
        unsafe { NdisFReturnNetBufferLists(instance.handle(), nbl.raw(), flags) };
    }
}

/// Flips the bits of a byte of a frame in one piece.
fn flip(nbl: Nbl, offset: usize) {
    let Some(nb) = nbl.first() else {
        return;
    };
    let Some(mdl) = nb.mdls().next() else {
        return;
    };
    let byte = mdl
        .virtual_address()
        .wrapping_add(nb.offset() as usize + offset);
    // SAFETY: the frame begins at the offset in its first MDL and is longer than that.
    let value = unsafe { byte.read() };
    // SAFETY: as above; the sender's memory is a filter's to write while it holds the NBL.
    unsafe { byte.write(!value) };
}

fn take(held: &mut Vec<usize>) -> Vec<Nbl> {
    std::mem::take(held)
        .into_iter()
        .map(|address| owner::known(address as *mut NET_BUFFER_LIST, "filter"))
        .collect()
}

fn chain_of(nbls: &[Nbl]) -> Option<*mut NET_BUFFER_LIST> {
    link(nbls);
    nbls.first().map(|nbl| nbl.raw())
}
