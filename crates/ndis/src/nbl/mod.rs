//! NET_BUFFER_LISTs (NBLs) and who owns them.
//!
//! An NBL is lent, entrusted or one's own, and the documents tell what each owner may do with it.
//! Here the kind is in the type:
//!
//! | type | whose | ends in |
//! |---|---|---|
//! | [`Nbl<Outgoing>`] | an upper driver's, entrusted in `MiniportSendNetBufferLists` | [`forward`](Nbl::forward) or [`complete_sends`](crate::miniport::MiniportHandle::complete_sends) |
//! | [`Nbl<Forwarded<C>>`] | the same NBL with our record `C` on its context stack | [`send`](crate::protocol::BindingHandle::send) or [`take_back`](Nbl::take_back) |
//! | [`Nbl<Incoming>`] | a lower driver's, entrusted in `ProtocolReceiveNetBufferLists` | [`return_received`](crate::protocol::BindingHandle::return_received) or [`into_parent`](Nbl::into_parent) |
//! | [`Nbl<Derived>`] | our own, describing the frame of a [`Parent`] | [`indicate`](crate::miniport::MiniportHandle::indicate) or [`DerivedPool::free`] |
//!
//! A [`Chain`] is a list of NBLs of one kind. Dropping an NBL or a chain that is not empty is a bug
//! of the driver's that would leak somebody else's memory and hang the next pause, so it stops the
//! machine at once.

mod buffer;
mod chain;
mod derived;
mod forward;
mod list;

pub use buffer::NetBuffer;
pub use chain::{Chain, Nbl};
pub use derived::{Derived, DerivedPool, Incoming, Lent, LentParents, Parent};
pub use forward::{Forwarded, Outgoing};
pub use list::{NetBufferList, OffloadWords, OutOfBandTag, SendInfo};
