//! The interrupt request level.

pub use crate::sys::{APC_LEVEL as APC, DISPATCH_LEVEL as DISPATCH, PASSIVE_LEVEL as PASSIVE};
use crate::{call, sys};

/// The level of a device's interrupts: above all that NDIS may be called at.
pub const DEVICE: sys::KIRQL = 3;

/// Does something at `level`, which is not below the current one, and goes back.
pub fn at<R>(level: sys::KIRQL, what: impl FnOnce() -> R) -> R {
    let before = call!(KfRaiseIrql(level));
    let result = what();
    call!(KeLowerIrql(before));
    result
}
