//! Context space of NBLs: a stack of bytes that drivers take for the time they hold an NBL.
//!
//! `NET_BUFFER_LIST.Context` leads to the newest block; of a block, the bytes from `Offset` to `Size`
//! are in use. Space is taken from the front of the newest block if it has room, else from a new
//! block, and is given back in the reverse order of taking, with the same sizes.

use ndis_sys::{
    NDIS_STATUS, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST,
    NET_BUFFER_LIST_CONTEXT,
};

use super::{block, owner};
use crate::ndis::caller;
use crate::ndis::faults::should_fail;
use crate::ndis::view::{Nbl, view};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Takes `ContextSize` bytes of context space.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferListContext(
        NetBufferList: *mut NET_BUFFER_LIST,
        ContextSize: u16,
        ContextBackFill: u16,
        PoolTag: u32,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisAllocateNetBufferListContext";
        let nbl = held(NetBufferList, NAME);
        if !ContextSize.is_multiple_of(WORD) || !ContextBackFill.is_multiple_of(WORD) {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: ContextSize {ContextSize} and ContextBackFill {ContextBackFill} must \
                     be multiples of {WORD}"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if should_fail("NdisAllocateNetBufferListContext") {
            return NDIS_STATUS_RESOURCES;
        }
        let room = newest(nbl).map_or(0, Context::offset);
        if room < ContextSize {
            let size = ContextSize.saturating_add(ContextBackFill);
            let Some(context) = allocate(size, PoolTag) else {
                return NDIS_STATUS_RESOURCES;
            };
            context.set_next(nbl.context());
            nbl.set_context(context.raw());
        }
        let context = newest(nbl).expect("there is a block with room");
        context.set_offset(context.offset() - ContextSize);
        if rules::enforced() {
            owner::with(nbl, |entry| entry.contexts.push(ContextSize));
        }
        NDIS_STATUS_SUCCESS
    }

    /// Gives back the context space that was taken last.
    [PASSIVE..=DISPATCH] fn NdisFreeNetBufferListContext(
        NetBufferList: *mut NET_BUFFER_LIST,
        ContextSize: u16,
    ) {
        const NAME: &str = "NdisFreeNetBufferListContext";
        let nbl = held(NetBufferList, NAME);
        let last = owner::with(nbl, |entry| entry.contexts.pop());
        if rules::enforced() && last != Some(ContextSize) {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: NBL {NetBufferList:p}: {ContextSize} bytes are freed, the last \
                     allocation not yet freed is of {last:?} bytes"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        let Some(context) = newest(nbl) else {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: NBL {NetBufferList:p} has no context block any more"),
            );
        };
        rules::held(&rules::NBL_OWNERSHIP);
        let offset = context.offset() + ContextSize;
        if offset > context.size() {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: NBL {NetBufferList:p}: the newest context block has {} bytes in use, \
                     {ContextSize} are freed",
                    context.size() - context.offset()
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        context.set_offset(offset);
        // The block of the NBL itself stays; one that a driver's space needed goes with it.
        if offset == context.size() && !context.next().is_null() {
            nbl.set_context(context.next());
            block::free(context.raw().cast());
        }
    }
}

/// Gives a new NBL its own context block, with `in_use` bytes that belong to its allocator. `None` if
/// there is no memory.
pub(super) fn install(nbl: Nbl, in_use: u16, back_fill: u16, tag: u32) -> Option<()> {
    let context = allocate(in_use.saturating_add(back_fill), tag)?;
    context.set_offset(back_fill);
    nbl.set_context(context.raw());
    Some(())
}

/// Frees the context blocks of an NBL that is freed.
pub(super) fn release_all(nbl: Nbl) {
    while let Some(context) = newest(nbl) {
        nbl.set_context(context.next());
        block::free(context.raw().cast());
    }
}

/// `Offset` of the newest block.
pub(super) fn offset(nbl: Nbl) -> Option<u16> {
    newest(nbl).map(Context::offset)
}

view! {
    /// A block of context space.
    Context of NET_BUFFER_LIST_CONTEXT {
        next / set_next: Next as *mut NET_BUFFER_LIST_CONTEXT;
        size / set_size: Size as u16;
        offset / set_offset: Offset as u16;
    }
}

fn newest(nbl: Nbl) -> Option<Context> {
    // SAFETY: the context blocks of a live NBL are alive: only this file makes and frees them.
    unsafe { Context::from_raw(nbl.context()) }
}

fn allocate(size: u16, tag: u32) -> Option<Context> {
    let bytes = size_of::<NET_BUFFER_LIST_CONTEXT>() + size as usize;
    let block = block::allocate(bytes, tag)?;
    // SAFETY: the block is new and has room for the header.
    let context = unsafe { Context::from_raw(block.as_ptr().cast()) }?;
    context.set_size(size);
    context.set_offset(size);
    context.set_next(std::ptr::null_mut());
    Some(context)
}

/// The NBL, which the calling driver must hold.
fn held(nbl: *mut NET_BUFFER_LIST, function: &str) -> Nbl {
    let view = owner::known(nbl, function);
    if !rules::enforced() {
        return view;
    }
    let holder = owner::with(view, |entry| entry.holder());
    let driver = caller::current();
    // Code on a thread of the image itself has no name; it cannot be told who it is.
    if driver != caller::Caller::UNNAMED && holder.name != driver.name {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!(
                "{function}: NBL {nbl:p} is held by {}, not by {}",
                holder.name, driver.name
            ),
        );
    }
    rules::held(&rules::NBL_OWNERSHIP);
    view
}

/// Context space comes in multiples of a pointer.
const WORD: u16 = size_of::<*const ()>() as u16;
