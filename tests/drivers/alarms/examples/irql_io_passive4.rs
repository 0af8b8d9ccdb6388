//! A symbolic link is made at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, protocol, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let mut link = protocol::text(&LINK);
        let mut device = protocol::text(&DEVICE);
        let status = irql::at(LEVEL, || {
            call!(IoCreateSymbolicLink(&raw mut link, &raw mut device))
        });
        if status == SUCCESS {
            call!(IoDeleteSymbolicLink(&raw mut link));
        }
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };

/// `\DosDevices\alarm`
static LINK: [u16; 17] = protocol::wide(br"\DosDevices\alarm");

/// `\Device\alarm`
static DEVICE: [u16; 13] = protocol::wide(br"\Device\alarm");
