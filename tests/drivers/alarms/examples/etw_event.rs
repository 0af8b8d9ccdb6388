//! An event of TraceLogging whose data is shorter than its metadata says.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, kernel::EventData, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let mut handle = 0;
        let null = ptr::null_mut();
        call!(kernel::EtwRegister(
            &raw const PROVIDER,
            null,
            null,
            &raw mut handle
        ));
        write(handle);
        call!(kernel::EtwUnregister(handle));
        request.answer()
    }
}

fn write(handle: u64) {
    let value = if WRONG { &VALUE[..2] } else { &VALUE[..] };
    let pieces = [
        EventData::new(&METADATA, EventData::EVENT_METADATA),
        EventData::new(value, EventData::DATA),
    ];
    let event = (&raw const EVENT).cast();
    call!(kernel::EtwWrite(
        handle,
        event,
        ptr::null(),
        pieces.len() as u32,
        pieces.as_ptr()
    ));
}

static PROVIDER: [u8; 16] = *b"a provider of it";

/// An EVENT_DESCRIPTOR of no level and no keyword.
static EVENT: [u64; 2] = [0; 2];

/// Size, no tags, the event's name, and a field `V` of type UINT32.
static METADATA: [u8; 8] = [8, 0, 0, b'E', 0, b'V', 0, 8];

static VALUE: [u8; 4] = [1, 0, 0, 0];
