//! NDIS 6 as it is in memory: types, constants and functions in Microsoft's spelling.
//!
//! One module per concern of the `ndis` header and the headers it is split into; all names are also
//! at the root. Structures have the newest published layout (Windows 11), which only ever grew at
//! the end: `Header.Size` and `Header.Revision` say how much of it counts, by the `NDIS_SIZEOF_*`
//! constants. Enumerations are integers, callbacks are nullable function pointers, and nothing here
//! runs but a few inline helpers.
//!
//! The ABI of every function and callback is spelled `efiapi`: Microsoft's x64 convention on any
//! x86-64 system, and the C convention on ARM64. So a driver for Windows and a host on another
//! system share each declaration.
//!
//! CoNDIS, WMI, packet direct, IPsec's own requests and the virtual switch are not covered.
#![no_std]
#![expect(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "names are spelled as in Microsoft's headers"
)]
#![expect(
    missing_docs,
    reason = "fields and constants carry the names that Microsoft's reference documents; what is not plain from those has a comment"
)]

pub mod attributes;
pub mod configuration;
pub mod declare;
pub mod device;
pub mod dma;
pub mod filter;
pub mod functions;
pub mod handle;
pub mod hardware;
pub mod inline;
pub mod interface;
pub mod interrupt;
pub mod io;
pub mod media;
pub mod miniport;
pub mod nbl;
pub mod nbl_info;
pub mod nt;
pub mod object;
pub mod offload;
pub mod oid;
pub mod pnp;
pub mod port;
pub mod power;
pub mod protocol;
pub mod rss;
pub mod statistics;
pub mod status;
pub mod sync;

pub use attributes::*;
pub use configuration::*;
pub use device::*;
pub use dma::*;
pub use filter::*;
pub use functions::*;
pub use handle::*;
pub use hardware::*;
pub use inline::*;
pub use interface::*;
pub use interrupt::*;
pub use io::*;
pub use media::*;
pub use miniport::*;
pub use nbl::*;
pub use nbl_info::*;
pub use nt::*;
pub use object::*;
pub use offload::*;
pub use oid::*;
pub use pnp::*;
pub use port::*;
pub use power::*;
pub use protocol::*;
pub use rss::*;
pub use statistics::*;
pub use status::*;
pub use sync::*;

/// Every structure's layout, by module.
pub const LAYOUTS: &[&[declare::Layout]] = &[
    attributes::LAYOUTS,
    configuration::LAYOUTS,
    device::LAYOUTS,
    dma::LAYOUTS,
    filter::LAYOUTS,
    hardware::LAYOUTS,
    interface::LAYOUTS,
    interrupt::LAYOUTS,
    io::LAYOUTS,
    miniport::LAYOUTS,
    nbl::LAYOUTS,
    nbl_info::LAYOUTS,
    nt::LAYOUTS,
    object::LAYOUTS,
    offload::LAYOUTS,
    oid::LAYOUTS,
    pnp::LAYOUTS,
    port::LAYOUTS,
    power::LAYOUTS,
    protocol::LAYOUTS,
    rss::LAYOUTS,
    statistics::LAYOUTS,
    status::LAYOUTS,
    sync::LAYOUTS,
];

/// Every bit field, by module.
pub const BITS: &[&[declare::Bits]] = &[interface::BITS, nbl_info::BITS, nt::BITS, offload::BITS];

/// Every callback type with the IRQL that NDIS calls it at, by module.
pub const CALLBACKS: &[&[declare::Callback]] = &[
    dma::CALLBACKS,
    filter::CALLBACKS,
    interface::CALLBACKS,
    interrupt::CALLBACKS,
    miniport::CALLBACKS,
    nbl::CALLBACKS,
    protocol::CALLBACKS,
    sync::CALLBACKS,
];

/// Every constant, by module.
pub const CONSTANTS: &[&[declare::Constant]] = &[
    attributes::CONSTANTS,
    configuration::CONSTANTS,
    device::CONSTANTS,
    dma::CONSTANTS,
    filter::CONSTANTS,
    hardware::CONSTANTS,
    interface::CONSTANTS,
    interrupt::CONSTANTS,
    io::CONSTANTS,
    media::CONSTANTS,
    miniport::CONSTANTS,
    nbl::CONSTANTS,
    nbl_info::CONSTANTS,
    nt::CONSTANTS,
    object::CONSTANTS,
    offload::codes::CONSTANTS,
    oid::CONSTANTS,
    oid::codes::CONSTANTS,
    pnp::CONSTANTS,
    port::CONSTANTS,
    power::CONSTANTS,
    protocol::CONSTANTS,
    rss::CONSTANTS,
    statistics::CONSTANTS,
    status::CONSTANTS,
    status::codes::CONSTANTS,
    sync::CONSTANTS,
];
