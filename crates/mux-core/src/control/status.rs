//! The NTSTATUS values that requests end with, as `ntstatus.h` has them.

/// Done.
pub const SUCCESS: u32 = 0;
/// A warning: the answer was cut short.
pub const BUFFER_OVERFLOW: u32 = 0x8000_0005;
/// Something in the request is wrong.
pub const INVALID_PARAMETER: u32 = 0xc000_000d;
/// No such NIC.
pub const NO_SUCH_DEVICE: u32 = 0xc000_000e;
/// No such request.
pub const INVALID_DEVICE_REQUEST: u32 = 0xc000_0010;
/// The buffer for the answer is too short.
pub const BUFFER_TOO_SMALL: u32 = 0xc000_0023;
/// No such virtual miniport.
pub const OBJECT_NAME_NOT_FOUND: u32 = 0xc000_0034;
/// The virtual miniport is there already.
pub const OBJECT_NAME_COLLISION: u32 = 0xc000_0035;
/// The version is not known.
pub const REVISION_MISMATCH: u32 = 0xc000_0059;
/// The VLAN is another virtual miniport's.
pub const ADDRESS_ALREADY_EXISTS: u32 = 0xc000_020a;
/// No memory, or too many.
pub const INSUFFICIENT_RESOURCES: u32 = 0xc000_009a;
