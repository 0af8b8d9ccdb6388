//! A packet socket on a network interface: the other end is whatever the interface is plugged into.
//!
//! Lives as long as the [`PacketWire`]; the interface is not changed, except that it is promiscuous
//! while the wire asks for that. The kernel keeps two things out of the bytes that it hands over,
//! and this wire puts them back:
//!
//! - the 802.1Q or 802.1ad tag it stripped on receive (`PACKET_AUXDATA`) goes back in band;
//! - a transport checksum that the sender left to its hardware (`PACKET_VNET_HDR`: a veth end whose
//!   peer has checksum offload on) is completed.
//!
//! Frames that segmentation or receive offload made longer than the wire carries cannot be handed
//! over; they are dropped and counted, with one line on standard error that says what to switch off.

use std::ffi::CString;
use std::io::{self, IoSlice};
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use socket2::{Domain, MaybeUninitSlice, MsgHdrMut, SockAddr, SockAddrStorage, Socket, Type};

use super::{Wire, poll};
use ancillary::{Ancillary, VnetHeader};

mod ancillary;

/// Two addresses: what precedes a tag.
const ADDRESSES: usize = 12;
/// A tag: protocol identifier and control information.
const TAG: usize = 4;
/// Two addresses and a type.
const SHORTEST: usize = 14;
/// What the kernel may hold for us between two looks: a few milliseconds of a fast link.
const RECEIVE_BUFFER: usize = 8 << 20;

/// A raw packet socket bound to one interface.
pub struct PacketWire {
    socket: Socket,
    interface: String,
    index: i32,
    mac: [u8; 6],
    dropped: AtomicU64,
    offload_reported: Once,
    promiscuous: Mutex<bool>,
}

impl PacketWire {
    /// Opens `interface`, which must be an Ethernet interface in the namespace of the calling thread.
    ///
    /// # Errors
    /// No such interface, not Ethernet, or no right to open a packet socket (root or `CAP_NET_RAW`).
    pub fn open(interface: &str) -> io::Result<Self> {
        super::require_free_run()?;
        let explain = |error: io::Error| {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied => "run as root or with CAP_NET_RAW",
                _ => "`ip link` lists the interfaces of this namespace",
            };
            io::Error::new(
                error.kind(),
                format!("cannot open a packet socket on {interface}: {error}; {hint}"),
            )
        };
        Self::open_raw(interface).map_err(explain)
    }

    fn open_raw(interface: &str) -> io::Result<Self> {
        let index = interface_index(interface)?;
        // Protocol zero: nothing is received until the bind below names the interface.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        set_option(&socket, libc::PACKET_AUXDATA, &1_i32)?;
        set_option(&socket, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
        set_option(&socket, libc::PACKET_VNET_HDR, &1_i32)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind(&link_address(index))?;
        let (hardware_type, mac) = hardware_address(&socket.local_addr()?);
        if hardware_type != libc::ARPHRD_ETHER {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("it is not an Ethernet interface (ARPHRD {hardware_type})"),
            ));
        }
        Ok(Self {
            socket,
            interface: interface.to_owned(),
            index,
            mac,
            dropped: AtomicU64::new(0),
            offload_reported: Once::new(),
            promiscuous: Mutex::new(false),
        })
    }

    /// One frame, if one is there. The addresses go to the front of `buf` and the rest after a gap
    /// for the tag, so that a tagged frame (the usual one on a trunk) needs no move.
    fn take(&self, buf: &mut [u8]) -> io::Result<Taken> {
        let (addresses, after) = buf.split_at_mut(ADDRESSES);
        let (_gap, rest) = after.split_at_mut(TAG);
        let mut header = [0_u8; VnetHeader::SIZE];
        let mut control = ancillary::Buffer::new();
        let mut parts = [
            MaybeUninitSlice::new(ancillary::as_uninit(&mut header)),
            MaybeUninitSlice::new(ancillary::as_uninit(addresses)),
            MaybeUninitSlice::new(ancillary::as_uninit(rest)),
        ];
        let mut message = MsgHdrMut::new()
            .with_buffers(&mut parts)
            .with_control(ancillary::as_uninit(control.bytes_mut()));
        let received = match self.socket.recvmsg(&mut message, libc::MSG_DONTWAIT) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Taken::Nothing),
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {
                return Ok(Taken::Nothing);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Taken::Again),
            Err(error) => return Err(error),
        };
        let cut = message.flags().is_truncated();
        let control_length = message.control_len();
        let length = received.saturating_sub(VnetHeader::SIZE);
        let vnet = VnetHeader::parse(&header);
        if vnet.is_segmented() {
            self.report_offload();
            return Ok(Taken::Again);
        }
        if cut || length < SHORTEST {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Ok(Taken::Again);
        }
        let tag = Ancillary::parse(control.filled(control_length)).tag();
        let shift = if let Some(tag) = tag {
            buf[ADDRESSES..ADDRESSES + TAG].copy_from_slice(&tag);
            TAG
        } else {
            buf.copy_within(ADDRESSES + TAG..length + TAG, ADDRESSES);
            0
        };
        vnet.complete_checksum(&mut buf[..length + shift], shift);
        Ok(Taken::Frame(length + shift))
    }

    fn report_offload(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        self.offload_reported.call_once(|| {
            eprintln!(
                "packet socket on {0}: dropped a frame that offload made longer than the wire carries. \
                 Switch that off here and at the sender: ethtool -K {0} gro off lro off tso off gso off",
                self.interface
            );
        });
    }
}

impl Wire for PacketWire {
    /// A frame may be one 802.1Q tag longer than the interface's MTU and Ethernet header allow, no more.
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        let header = [0_u8; VnetHeader::SIZE];
        match self
            .socket
            .send_vectored(&[IoSlice::new(&header), IoSlice::new(frame)])
        {
            Ok(_sent) => Ok(()),
            // Lost: the interface is down, or its queue is full.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENETDOWN | libc::ENOBUFS)) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// `buf` must have room for the two addresses and a tag; a frame needs four bytes more than its
    /// length without a tag.
    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        if buf.len() < ADDRESSES + TAG {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a buffer shorter than a header",
            ));
        }
        let deadline = Instant::now() + timeout;
        loop {
            match self.take(buf)? {
                Taken::Frame(length) => return Ok(Some(length)),
                Taken::Again => {}
                Taken::Nothing => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() || !poll::readable(self.socket.as_fd(), left)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn set_promiscuous(&self, on: bool) -> io::Result<()> {
        // The kernel counts memberships; this wire has one or none.
        let mut promiscuous = self
            .promiscuous
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *promiscuous == on {
            return Ok(());
        }
        let request = libc::packet_mreq {
            mr_ifindex: self.index,
            mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or(u16::MAX),
            mr_alen: 0,
            mr_address: [0; 8],
        };
        let option = if on {
            libc::PACKET_ADD_MEMBERSHIP
        } else {
            libc::PACKET_DROP_MEMBERSHIP
        };
        set_option(&self.socket, option, &request)?;
        *promiscuous = on;
        Ok(())
    }

    fn mac(&self) -> Option<[u8; 6]> {
        Some(self.mac)
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn describe(&self) -> String {
        format!("packet socket on {}", self.interface)
    }
}

/// What one look at the socket brought.
enum Taken {
    Frame(usize),
    Nothing,
    /// Something that is no frame for us; look again.
    Again,
}

fn interface_index(interface: &str) -> io::Result<i32> {
    let name = CString::new(interface)?;
    // SAFETY: `name` is a NUL-terminated string that lives through the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    match i32::try_from(index) {
        Ok(0) | Err(_) => Err(io::Error::last_os_error()),
        Ok(index) => Ok(index),
    }
}

/// The address that binds a packet socket to every protocol on one interface.
fn link_address(index: i32) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of the kinds of address that the storage is made for: it has the
    // family first, is no longer than the storage, and any bytes are a valid value of it.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    let length = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the storage was zeroed and then filled as a `sockaddr_ll`, whose size `length` is.
    unsafe { SockAddr::new(storage, length) }
}

/// ARPHRD type and hardware address that a bound packet socket's own address carries.
fn hardware_address(bound: &SockAddr) -> (u16, [u8; 6]) {
    let mut storage = bound.clone().as_storage();
    // SAFETY: the address is that of a packet socket, hence a `sockaddr_ll`; the storage is longer
    // than that and wholly initialised.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    let mut mac = [0; 6];
    mac.copy_from_slice(&address.sll_addr[..6]);
    (address.sll_hatype, mac)
}

/// Sets an option of level `SOL_PACKET` whose value is a `T`.
fn set_option<T: Copy>(socket: &Socket, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and the length name `value`, which lives through the call; the kernel
    // copies that many bytes and keeps no pointer.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            std::ptr::from_ref(value).cast(),
            mem::size_of::<T>() as libc::socklen_t,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
