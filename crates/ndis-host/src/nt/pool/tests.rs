//! Each thing that the pool finds, and that what is right passes.

use super::*;
use crate::rules::testing::assert_broken;

const TAG: Tag = Tag(u32::from_le_bytes(*b"tseT"));

fn block(size: usize) -> *mut u8 {
    allocate(size, TAG, Kind::NonPaged)
}

fn write(pointer: *mut u8, offset: isize) {
    // SAFETY: the tests that write where they must not do so in a process of their own, which is
    // expected to end over it.
    unsafe { pointer.wrapping_offset(offset).write_volatile(1) };
}

#[test]
fn blocks_are_zeroed_aligned_known_and_gone_when_freed() {
    for size in [1, 16, 100, 4095, 4096, 10_000] {
        let pointer = block(size);
        let align = if size >= 4096 { 4096 } else { 16 };
        assert_eq!(pointer as usize % align, 0, "size {size}");
        // SAFETY: the block has that size and is initialized.
        let bytes = unsafe { std::slice::from_raw_parts_mut(pointer, size) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        bytes.fill(0xff);
        let known = outstanding();
        let found = known.iter().find(|b| b.address == pointer as usize);
        assert_eq!(found.map(|b| (b.size, b.tag)), Some((size, TAG)));
        free(pointer, Some(TAG));
        assert!(outstanding().iter().all(|b| b.address != pointer as usize));
    }
}

#[test]
fn red_zoned_blocks_pass_when_used_rightly() {
    let mut heap = red_zone::Heap::new();
    let (address, piece) = heap.allocate(24, 16, Fill::Uninitialized).unwrap();
    assert_eq!(address % 16, 0);
    assert_eq!(piece.spoiled(), None);
    let freed = Freed {
        block: Block {
            address,
            size: 24,
            tag: TAG,
            kind: Kind::NonPaged,
            caller: 0,
            thread: 1,
        },
        caller: 0,
    };
    heap.free(piece, freed);
    assert!(heap.check_freed().is_none());
    assert!(heap.freed_at(address).is_some());
}

#[test]
fn tags_read_as_their_characters() {
    assert_eq!(Tag::from(*b"Nmux").to_string(), "'Nmux'");
    assert_eq!(Tag(1).to_string(), "0x00000001");
}

#[test]
fn freeing_twice_breaks_the_double_free_rule() {
    assert_broken(
        &rules::POOL_DOUBLE_FREE,
        &["40 bytes", "'tseT'", "freed again"],
        || {
            let pointer = block(40);
            free(pointer, None);
            free(pointer, None);
        },
    );
}

#[test]
fn freeing_twice_is_found_in_red_zoned_blocks_too() {
    assert_broken(&rules::POOL_DOUBLE_FREE, &["freed again"], || {
        set_mode(Mode::RedZones);
        let pointer = block(40);
        free(pointer, None);
        free(pointer, None);
    });
}

#[test]
fn freeing_with_another_tag_breaks_bad_pool_caller() {
    assert_broken(
        &rules::BAD_POOL_CALLER,
        &["'tseT'", "with tag 'rehO'"],
        || {
            free(block(40), Some(Tag::from(*b"rehO")));
        },
    );
}

#[test]
fn freeing_the_middle_of_a_block_names_the_block() {
    assert_broken(
        &rules::POOL_FREE_UNKNOWN,
        &["lies inside", "40 bytes"],
        || {
            free(block(40).wrapping_add(16), None);
        },
    );
}

#[test]
fn freeing_paged_pool_at_dispatch_level_breaks_irql_ex_free() {
    assert_broken(&rules::IRQL_EX_FREE, &["DISPATCH_LEVEL"], || {
        let pointer = allocate(40, TAG, Kind::Paged);
        irql::set(Irql::DISPATCH);
        free(pointer, None);
    });
}

#[test]
fn a_write_just_past_the_end_is_found_when_the_block_is_freed() {
    assert_broken(&rules::SPECIAL_POOL_CORRUPTION, &["0 past its end"], || {
        let pointer = block(41);
        write(pointer, 41);
        free(pointer, None);
    });
}

#[test]
fn a_write_just_before_the_start_is_found_when_the_block_is_freed() {
    assert_broken(
        &rules::SPECIAL_POOL_CORRUPTION,
        &["1 before its start"],
        || {
            let pointer = block(48);
            write(pointer, -1);
            free(pointer, None);
        },
    );
}

#[test]
fn a_write_past_the_end_is_found_in_red_zoned_blocks() {
    assert_broken(&rules::SPECIAL_POOL_CORRUPTION, &["3 past its end"], || {
        set_mode(Mode::RedZones);
        let pointer = block(40);
        write(pointer, 43);
        free(pointer, None);
    });
}

#[test]
fn a_write_after_the_free_is_found_in_red_zoned_blocks() {
    assert_broken(
        &rules::SPECIAL_POOL_CORRUPTION,
        &["byte 7 was written after"],
        || {
            set_mode(Mode::RedZones);
            let pointer = block(40);
            free(pointer, None);
            write(pointer, 7);
            check_freed();
        },
    );
}

#[test]
fn touching_the_page_behind_a_block_faults_and_is_explained() {
    assert_broken(
        &rules::PAGE_FAULT_BEYOND_END,
        &["write", "0 bytes past the end of", "48 bytes", "'tseT'"],
        || {
            sched::prepare_thread();
            write(block(48), 48);
        },
    );
}

#[test]
fn executable_pool_runs_code_whatever_the_mode_and_other_pool_does_not() {
    let return_from = |kind: Kind| {
        let pointer = allocate(16, *b"Test", kind);
        // SAFETY: the block was just allocated with 16 bytes.
        unsafe { pointer.write(0xc3) };
        // SAFETY: the block holds a `ret`, which any function may be.
        let code = unsafe { std::mem::transmute::<*mut u8, extern "C" fn()>(pointer) };
        code();
        free(pointer, None);
    };
    return_from(Kind::NonPagedExecute);
    assert_broken(
        &rules::EXECUTE_OF_NOEXECUTE,
        &["an instruction fetch", "byte 0 of the nonpaged pool block"],
        || {
            sched::prepare_thread();
            set_mode(Mode::RedZones);
            return_from(Kind::NonPagedExecute);
            set_mode(Mode::Special);
            return_from(Kind::NonPaged);
        },
    );
}

#[test]
fn touching_a_freed_block_faults_and_is_explained() {
    assert_broken(
        &rules::PAGE_FAULT_IN_FREED_POOL,
        &["write", "byte 5 of", "'tseT'", "it was freed by"],
        || {
            sched::prepare_thread();
            let pointer = block(48);
            free(pointer, None);
            write(pointer, 5);
        },
    );
}

#[test]
fn freeing_a_block_with_a_set_timer_in_it_names_the_timer() {
    assert_broken(&rules::POOL_CONTAINS_LIVE_OBJECT, &["the timer at"], || {
        let pointer = block(64);
        let timer = pointer.cast();
        // SAFETY: the block has the size of a timer.
        unsafe { timer::KeInitializeTimer(timer) };
        // SAFETY: the timer was just initialized, and the process ends before it is due.
        unsafe { timer::KeSetTimer(timer, -100_000_000, std::ptr::null_mut()) };
        free(pointer, None);
    });
}

#[test]
fn a_write_before_a_block_that_begins_at_a_guard_faults() {
    assert_broken(
        &rules::PAGE_FAULT_BEYOND_END,
        &["write", "1 bytes before", "48 bytes", "'tseT'"],
        || {
            sched::prepare_thread();
            set_guard(Guard::Start);
            let pointer = block(48);
            write(pointer.wrapping_sub(1), 0);
        },
    );
}

#[test]
fn alternating_guards_are_on_both_sides() {
    assert_broken(&rules::PAGE_FAULT_BEYOND_END, &["1 bytes before"], || {
        sched::prepare_thread();
        set_guard(Guard::Alternate);
        let ends = block(48);
        let begins = block(48);
        // One of the two begins at its page, the other ends at one.
        let first = [ends, begins]
            .into_iter()
            .find(|block| (*block as usize).is_multiple_of(4096));
        write(first.expect("one begins at a page").wrapping_sub(1), 0);
    });
}
