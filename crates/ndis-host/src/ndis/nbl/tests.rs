//! Tests of NBL memory and data, without drivers.

use std::ptr;

use ndis_sys::{
    NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS, NDIS_HANDLE, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, NDIS_STATUS_SUCCESS,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
};

use super::context::{NdisAllocateNetBufferListContext, NdisFreeNetBufferListContext};
use super::data;
use super::derive::{
    NdisAllocateCloneNetBufferList, NdisAllocateFragmentNetBufferList, NdisFreeCloneNetBufferList,
    NdisFreeFragmentNetBufferList,
};
use super::info::NdisCopyFromNetBufferToNetBuffer;
use super::pool::{
    NdisAllocateNetBufferAndNetBufferList, NdisAllocateNetBufferListPool, NdisFreeNetBufferList,
    NdisFreeNetBufferListPool,
};
use super::read::NdisGetDataBuffer;
use super::reassemble::{NdisAllocateReassembledNetBufferList, NdisFreeReassembledNetBufferList};
use super::window::{NdisAdvanceNetBufferDataStart, NdisRetreatNetBufferDataStart};
use crate::ndis::view::{Nb, Nbl};
use crate::nic::{Memory, Shape};
use crate::rules::{self, testing::assert_broken};

/// One NBL with one frame, all of it freed when dropped.
struct Frame {
    pool: NDIS_HANDLE,
    nbl: Nbl,
    memory: Option<Memory>,
}

impl Frame {
    fn new(bytes: &[u8], shape: &Shape) -> Self {
        let pool = pool();
        let (memory, chain) = Memory::of(bytes, shape).unwrap();
        // SAFETY: the pool and the chain were just made.
        let nbl = unsafe {
            NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, chain, shape.head, bytes.len())
        };
        // SAFETY: it was just allocated.
        let nbl = unsafe { Nbl::from_raw(nbl) }.unwrap();
        Self {
            pool,
            nbl,
            memory: Some(memory),
        }
    }

    fn nb(&self) -> Nb {
        self.nbl.first().unwrap()
    }

    fn retreat(&self, delta: u32, back_fill: u32) {
        // SAFETY: the NB is alive.
        let status =
            unsafe { NdisRetreatNetBufferDataStart(self.nb().raw(), delta, back_fill, None) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
    }

    fn advance(&self, delta: u32, free: bool) {
        // SAFETY: the NB is alive.
        unsafe { NdisAdvanceNetBufferDataStart(self.nb().raw(), delta, free.into(), None) };
    }

    fn look(&self) -> (Vec<usize>, u32, u32, u32) {
        let nb = self.nb();
        (
            nb.mdls().map(|mdl| mdl.address()).collect(),
            nb.offset(),
            nb.length(),
            nb.current_offset(),
        )
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the NBL is in no hand.
        unsafe { NdisFreeNetBufferList(self.nbl.raw()) };
        // SAFETY: its only NBL was freed.
        unsafe { NdisFreeNetBufferListPool(self.pool) };
        self.memory.take().unwrap().free();
    }
}

fn pool() -> NDIS_HANDLE {
    let mut parameters = NET_BUFFER_LIST_POOL_PARAMETERS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        ),
        fAllocateNetBuffer: 1,
        PoolTag: u32::from_le_bytes(*b"test"),
        ..NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
    };
    // SAFETY: the parameters are a local.
    unsafe { NdisAllocateNetBufferListPool(ptr::null_mut(), &raw mut parameters) }
}

fn bytes() -> Vec<u8> {
    (0..60).collect()
}

#[test]
fn retreat_and_advance_restore_every_shape() {
    for shape in Shape::awkward() {
        for back_fill in [0, 32] {
            let frame = Frame::new(&bytes(), &shape);
            let before = frame.look();
            frame.retreat(4, back_fill);
            assert_eq!(frame.nb().length(), 64, "{shape:?}");
            assert_eq!(data::check(frame.nb()), Ok(()), "{shape:?}");
            assert_eq!(data::write(frame.nb(), 0, &[0xaa; 4]), 4);
            assert_eq!(data::bytes(frame.nb())[..5], [0xaa, 0xaa, 0xaa, 0xaa, 0]);
            frame.advance(4, true);
            assert_eq!(frame.look(), before, "{shape:?}");
            assert_eq!(data::bytes(frame.nb()), bytes());
        }
    }
}

#[test]
fn a_retreat_uses_the_space_that_is_there_and_makes_the_rest() {
    let shape = Shape {
        head: 3,
        pieces: &[],
    };
    let frame = Frame::new(&bytes(), &shape);
    frame.retreat(4, 8);
    let lengths: Vec<u32> = frame.nb().mdls().map(|mdl| mdl.byte_count()).collect();
    assert_eq!(lengths, [9, 63], "one byte is missing, eight are back-fill");
    assert_eq!((frame.nb().offset(), frame.nb().current_offset()), (8, 8));
    frame.advance(4, true);
}

#[test]
fn an_advance_without_freeing_keeps_the_mdls() {
    let shape = Shape {
        head: 0,
        pieces: &[14],
    };
    let frame = Frame::new(&bytes(), &shape);
    let before = frame.look();
    frame.advance(20, false);
    assert_eq!(frame.nb().mdls().count(), 2);
    assert_eq!((frame.nb().offset(), frame.nb().current_offset()), (20, 6));
    assert_eq!(data::bytes(frame.nb()), bytes()[20..]);
    frame.retreat(20, 0);
    assert_eq!(frame.look(), before);
}

#[test]
fn clones_describe_the_same_bytes() {
    for flags in [0, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS] {
        let shape = Shape {
            head: 2,
            pieces: &[13],
        };
        let frame = Frame::new(&bytes(), &shape);
        frame.advance(5, false);
        let original = frame.nbl.raw();
        // SAFETY: the original is alive.
        let clone =
            unsafe { NdisAllocateCloneNetBufferList(original, frame.pool, ptr::null_mut(), flags) };
        // SAFETY: it was just allocated.
        let view = unsafe { Nbl::from_raw(clone) }.unwrap();
        let nb = view.first().unwrap();
        assert_eq!(data::check(nb), Ok(()));
        assert_eq!(data::bytes(nb), bytes()[5..]);
        let shares = nb.current() == frame.nb().current();
        assert_eq!(shares, flags != 0);
        assert_eq!(view.parent(), ptr::null_mut());
        // SAFETY: the clone is in no hand.
        unsafe { NdisFreeCloneNetBufferList(clone, flags) };
        frame.retreat(5, 0);
    }
}

#[test]
fn a_fragment_has_new_space_before_the_bytes_from_its_start() {
    for shape in Shape::awkward() {
        let frame = Frame::new(&bytes(), &shape);
        let original = frame.nbl.raw();
        // SAFETY: the original is alive.
        let fragment = unsafe {
            NdisAllocateFragmentNetBufferList(
                original,
                frame.pool,
                ptr::null_mut(),
                16,
                u32::MAX,
                12,
                4,
                0,
            )
        };
        // SAFETY: it was just allocated.
        let nb = unsafe { Nbl::from_raw(fragment) }.unwrap().first().unwrap();
        assert_eq!(data::check(nb), Ok(()));
        assert_eq!((nb.length(), nb.offset()), (12 + 44, 4));
        data::write(nb, 0, &[0xbb; 12]);
        assert_eq!(data::bytes(nb)[12..], bytes()[16..]);
        assert_eq!(
            data::bytes(frame.nb()),
            bytes(),
            "the original is untouched"
        );
        // SAFETY: the fragment is in no hand.
        unsafe { NdisFreeFragmentNetBufferList(fragment, 12, 0) };
    }
}

#[test]
fn long_data_becomes_several_fragments() {
    let frame = Frame::new(&bytes(), &Shape::WHOLE);
    let original = frame.nbl.raw();
    // SAFETY: the original is alive.
    let fragment = unsafe {
        NdisAllocateFragmentNetBufferList(original, frame.pool, ptr::null_mut(), 0, 25, 0, 0, 0)
    };
    // SAFETY: it was just allocated.
    let view = unsafe { Nbl::from_raw(fragment) }.unwrap();
    let lengths: Vec<u32> = view.buffers().map(|nb| nb.length()).collect();
    assert_eq!(lengths, [25, 25, 10]);
    // SAFETY: the fragment is in no hand.
    unsafe { NdisFreeFragmentNetBufferList(fragment, 0, 0) };
}

#[test]
fn fragments_are_reassembled_into_one_buffer() {
    let frame = Frame::new(&bytes(), &Shape::WHOLE);
    let original = frame.nbl.raw();
    // SAFETY: the original is alive.
    let fragment = unsafe {
        NdisAllocateFragmentNetBufferList(original, frame.pool, ptr::null_mut(), 0, 25, 0, 0, 0)
    };
    // SAFETY: the fragment is alive.
    let whole = unsafe { NdisAllocateReassembledNetBufferList(fragment, frame.pool, 3, 12, 4, 0) };
    // SAFETY: it was just allocated.
    let view = unsafe { Nbl::from_raw(whole) }.unwrap();
    let nb = view.first().unwrap();
    assert_eq!((view.buffers().count(), data::check(nb)), (1, Ok(())));
    assert_eq!((nb.length(), nb.offset()), (12 + 22 + 22 + 7, 4));
    let all = bytes();
    let expected = [&all[3..25], &all[28..50], &all[53..]].concat();
    assert_eq!(data::bytes(nb)[12..], expected);
    // SAFETY: the NBL is in no hand.
    unsafe { NdisFreeReassembledNetBufferList(whole, 12, 0) };
    // SAFETY: as above.
    unsafe { NdisFreeFragmentNetBufferList(fragment, 0, 0) };
}

#[test]
fn freeing_a_reassembled_nbl_with_another_delta_breaks_nbl_ownership() {
    assert_broken(&rules::NBL_OWNERSHIP, &["DataOffsetDelta 8"], || {
        let frame = Frame::new(&bytes(), &Shape::WHOLE);
        let original = frame.nbl.raw();
        // SAFETY: the original is alive.
        let whole =
            unsafe { NdisAllocateReassembledNetBufferList(original, frame.pool, 0, 12, 0, 0) };
        // SAFETY: the wrong delta is found first.
        unsafe { NdisFreeReassembledNetBufferList(whole, 8, 0) };
    });
}

#[test]
fn context_space_is_a_stack_with_back_fill() {
    let frame = Frame::new(&bytes(), &Shape::WHOLE);
    let nbl = frame.nbl;
    let first = nbl.context();
    // SAFETY: the NBL is alive.
    let status = unsafe { NdisAllocateNetBufferListContext(nbl.raw(), 32, 16, TAG) };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    let second = nbl.context();
    assert_ne!(first, second);
    // SAFETY: as above.
    let status = unsafe { NdisAllocateNetBufferListContext(nbl.raw(), 16, 0, TAG) };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    assert_eq!(nbl.context(), second, "the back-fill is used");
    // SAFETY: as above.
    unsafe { NdisFreeNetBufferListContext(nbl.raw(), 16) };
    // SAFETY: as above.
    unsafe { NdisFreeNetBufferListContext(nbl.raw(), 32) };
    assert_eq!(nbl.context(), first);
}

#[test]
fn a_data_buffer_is_in_place_or_copied_or_none() {
    let shape = Shape {
        head: 1,
        pieces: &[14],
    };
    let frame = Frame::new(&bytes(), &shape);
    let nb = frame.nb();
    let get = |length: u32, storage: *mut u8, align: u32| {
        // SAFETY: the NB is alive, and the storage long enough.
        unsafe { NdisGetDataBuffer(nb.raw(), length, storage.cast(), align, 0) }.cast::<u8>()
    };
    let mut storage = [0; 60];
    let start = data::pieces(nb, 0, 1)[0].0;
    assert_eq!(get(14, ptr::null_mut(), 1), start);
    assert!(get(15, ptr::null_mut(), 1).is_null());
    assert_eq!(get(15, storage.as_mut_ptr(), 1), storage.as_mut_ptr());
    assert_eq!(storage[..15], bytes()[..15]);
    assert!(get(61, storage.as_mut_ptr(), 1).is_null());
    let misaligned = u32::try_from(start as usize % 64).unwrap() != 0;
    assert_eq!(get(4, ptr::null_mut(), 64).is_null(), misaligned);
}

#[test]
fn bytes_are_copied_between_shapes() {
    let source = Frame::new(
        &bytes(),
        &Shape {
            head: 3,
            pieces: &[7, 9],
        },
    );
    let target = Frame::new(
        &[0; 60],
        &Shape {
            head: 0,
            pieces: &[11],
        },
    );
    let mut copied = 0;
    let (to, from) = (target.nb().raw(), source.nb().raw());
    // SAFETY: both NBs are alive.
    let status = unsafe { NdisCopyFromNetBufferToNetBuffer(to, 5, 40, from, 10, &raw mut copied) };
    assert_eq!((status, copied), (NDIS_STATUS_SUCCESS, 40));
    assert_eq!(data::bytes(target.nb())[5..45], bytes()[10..50]);
}

#[test]
fn freeing_context_in_the_wrong_order_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFreeNetBufferListContext", "16"],
        || {
            let frame = Frame::new(&bytes(), &Shape::WHOLE);
            let nbl = frame.nbl.raw();
            for size in [16, 32] {
                // SAFETY: the NBL is alive.
                unsafe { NdisAllocateNetBufferListContext(nbl, size, 0, TAG) };
            }
            // SAFETY: as above.
            unsafe { NdisFreeNetBufferListContext(nbl, 16) };
        },
    );
}

#[test]
fn freeing_the_original_of_a_clone_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFreeNetBufferList", "still exist"],
        || {
            let frame = Frame::new(&bytes(), &Shape::WHOLE);
            let original = frame.nbl.raw();
            // SAFETY: the original is alive.
            unsafe { NdisAllocateCloneNetBufferList(original, frame.pool, ptr::null_mut(), 0) };
            drop(frame);
        },
    );
}

#[test]
fn freeing_an_nbl_twice_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFreeNetBufferList", "freed"],
        || {
            let frame = Frame::new(&bytes(), &Shape::WHOLE);
            // SAFETY: the NBL is in no hand.
            unsafe { NdisFreeNetBufferList(frame.nbl.raw()) };
            drop(frame);
        },
    );
}

#[test]
fn freeing_a_pool_with_nbls_left_is_broken() {
    assert_broken(&rules::NDIS_BUGCHECK_LEAKED_NBL, &["1 NBLs"], || {
        let frame = Frame::new(&bytes(), &Shape::WHOLE);
        // SAFETY: the pool is alive.
        unsafe { NdisFreeNetBufferListPool(frame.pool) };
    });
}

#[test]
fn a_fragment_freed_with_another_delta_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFreeFragmentNetBufferList"],
        || {
            let frame = Frame::new(&bytes(), &Shape::WHOLE);
            let (original, none) = (frame.nbl.raw(), ptr::null_mut());
            // SAFETY: the original is alive.
            let fragment = unsafe {
                NdisAllocateFragmentNetBufferList(
                    original,
                    frame.pool,
                    none,
                    16,
                    u32::MAX,
                    12,
                    0,
                    0,
                )
            };
            // SAFETY: the fragment is in no hand.
            unsafe { NdisFreeFragmentNetBufferList(fragment, 8, 0) };
        },
    );
}

const TAG: u32 = u32::from_le_bytes(*b"test");
