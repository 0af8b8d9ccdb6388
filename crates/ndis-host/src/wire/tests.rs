//! TAP and packet socket against each other: what a TAP's wire sends, its interface receives.
//!
//! Each test has a network namespace of its own, which is its thread's and ends with it. Without root
//! that cannot be had; the tests then say so and check nothing (the demo goes the same ways).

use std::io;
use std::time::{Duration, Instant};

use super::{MAX_FRAME, PacketWire, TapOptions, TapWire, Wire};

const LONG: Duration = Duration::from_secs(10);
/// Local experimental EtherType 1: the kernel makes none of these itself.
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
const HERE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const THERE: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn frame(tag: Option<[u8; 4]>, length: usize) -> Vec<u8> {
    let mut frame = Vec::from(HERE);
    frame.extend(THERE);
    frame.extend(tag.iter().flatten());
    frame.extend(ETHERTYPE);
    frame.extend((frame.len()..length).map(|at| at as u8));
    frame
}

/// The next frame of ours; those that the kernel makes on its own pass by.
fn next(wire: &dyn Wire, limit: Duration) -> Option<Vec<u8>> {
    let mut buf = vec![0; MAX_FRAME];
    let end = Instant::now() + limit;
    while let Some(length) = wire
        .recv(&mut buf, end.saturating_duration_since(Instant::now()))
        .unwrap()
    {
        let ours = |at: usize| buf[at..at + 2] == ETHERTYPE;
        if ours(12) || ours(16) || ours(20) {
            return Some(buf[..length].to_vec());
        }
    }
    None
}

/// A TAP and a packet socket on its interface, in a namespace of the calling thread's own.
fn pair() -> Option<(TapWire, PacketWire)> {
    // SAFETY: moves the calling thread, which is this test's, into a new network namespace; it takes
    // and leaves no pointer.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        eprintln!(
            "NOT CHECKED: no network namespace ({}); run as root",
            io::Error::last_os_error()
        );
        return None;
    }
    let options = TapOptions {
        name: "t0".to_owned(),
        mac: Some(HERE),
        mtu: 1500,
        up: true,
    };
    let tap = TapWire::create(&options).unwrap();
    let socket = PacketWire::open("t0").unwrap();
    Some((tap, socket))
}

#[test]
fn frames_cross_both_ways_byte_for_byte() {
    let Some((tap, socket)) = pair() else { return };
    let (long, short) = (frame(None, 1514), frame(None, 60));
    tap.send(&long).unwrap();
    tap.send(&short).unwrap();
    assert_eq!(next(&socket, LONG).unwrap(), long);
    assert_eq!(next(&socket, LONG).unwrap(), short);
    socket.send(&long).unwrap();
    assert_eq!(next(&tap, LONG).unwrap(), long);
}

#[test]
fn tags_that_the_kernel_strips_are_put_back() {
    let Some((tap, socket)) = pair() else { return };
    // The kernel lets an 802.1Q tag go beyond the MTU, an 802.1ad one not.
    for (tag, length) in [
        ([0x81, 0, 0, 10], 1518),
        ([0x81, 0, 0xe0, 0], 1518),
        ([0x81, 0, 0, 0], 64),
        ([0x88, 0xa8, 0x0f, 0xff], 1514),
    ] {
        let tagged = frame(Some(tag), length);
        tap.send(&tagged).unwrap();
        assert_eq!(next(&socket, LONG).unwrap(), tagged, "received {tag:02x?}");
        socket.send(&tagged).unwrap();
        assert_eq!(next(&tap, LONG).unwrap(), tagged, "sent {tag:02x?}");
    }
}

#[test]
fn of_two_tags_none_is_lost() {
    let Some((tap, socket)) = pair() else { return };
    let mut double = frame(Some([0x88, 0xa8, 0, 7]), 14);
    double.truncate(16);
    double.extend([0x81, 0, 0, 10]);
    double.extend(ETHERTYPE);
    double.resize(100, 9);
    tap.send(&double).unwrap();
    assert_eq!(next(&socket, LONG).unwrap(), double);
}

#[test]
fn a_socket_does_not_receive_what_it_sends() {
    let Some((tap, socket)) = pair() else { return };
    socket.send(&frame(None, 60)).unwrap();
    assert!(next(&tap, LONG).is_some());
    assert_eq!(next(&socket, Duration::from_millis(50)), None);
}

#[test]
fn a_frame_that_the_buffer_cannot_hold_is_counted_and_the_next_comes() {
    let Some((tap, socket)) = pair() else { return };
    let mut buf = [0; 200];
    for wire in [&tap as &dyn Wire, &socket] {
        let other: &dyn Wire = if std::ptr::addr_eq(wire, &raw const tap) {
            &socket
        } else {
            &tap
        };
        other.send(&frame(None, 1000)).unwrap();
        other.send(&frame(None, 100)).unwrap();
        let end = Instant::now() + LONG;
        let length = loop {
            let length = wire.recv(&mut buf, end - Instant::now()).unwrap().unwrap();
            if buf[12..14] == ETHERTYPE {
                break length;
            }
        };
        assert_eq!(length, 100, "{}", wire.describe());
        assert_eq!(wire.dropped(), 1, "{}", wire.describe());
    }
}

#[test]
fn promiscuous_mode_is_on_while_asked_for() {
    let Some((_tap, socket)) = pair() else { return };
    let promiscuous = || {
        let link = std::process::Command::new("ip")
            .args(["-details", "link", "show", "t0"])
            .output();
        String::from_utf8(link.unwrap().stdout)
            .unwrap()
            .contains("promiscuity 1")
    };
    for on in [false, true, true, false, false] {
        socket.set_promiscuous(on).unwrap();
        assert_eq!(promiscuous(), on);
    }
}

#[test]
fn addresses_are_those_of_the_interface() {
    let Some((tap, socket)) = pair() else { return };
    assert_eq!((tap.mac(), socket.mac()), (Some(HERE), Some(HERE)));
}

#[test]
fn what_cannot_be_opened_is_named_with_a_cure() {
    let Some((_tap, _socket)) = pair() else {
        return;
    };
    let refused = |interface: &str| PacketWire::open(interface).err().unwrap().to_string();
    assert!(
        refused("none").contains("packet socket on none"),
        "{}",
        refused("none")
    );
    assert!(refused("none").contains("ip link"), "{}", refused("none"));
    assert!(
        refused("lo").contains("not an Ethernet interface"),
        "{}",
        refused("lo")
    );
    let taken = TapOptions {
        name: "t0".to_owned(),
        mac: None,
        mtu: 1500,
        up: false,
    };
    let error = TapWire::create(&taken).err().unwrap().to_string();
    assert!(
        error.contains("TAP device t0") && error.contains("another"),
        "{error}"
    );
}

/// A veth end leaves transport checksums to the hardware that it does not have; what the socket hands
/// over has them.
#[test]
fn a_checksum_left_to_hardware_arrives_filled_in() {
    let Some((_tap, _socket)) = pair() else {
        return;
    };
    for command in [
        "link add name v0 type veth peer name v1",
        "link set v0 up",
        "link set v1 up",
        "address add 10.0.0.1/24 broadcast 10.0.0.255 dev v0",
    ] {
        let status = std::process::Command::new("ip")
            .args(command.split(' '))
            .status()
            .unwrap();
        assert!(status.success(), "ip {command}");
    }
    let wire = PacketWire::open("v1").unwrap();
    let sender = std::net::UdpSocket::bind("10.0.0.1:7").unwrap();
    sender.set_broadcast(true).unwrap();
    sender.send_to(b"odd", "10.0.0.255:9").unwrap();

    let mut buf = [0; 2048];
    let length = loop {
        let length = wire
            .recv(&mut buf, LONG)
            .unwrap()
            .expect("the datagram arrives");
        if buf[12..14] == [8, 0] && buf[23] == 17 {
            break length;
        }
    };
    let ip = &buf[14..length];
    let udp_length = usize::from(u16::from_be_bytes([ip[24], ip[25]]));
    let udp = &ip[20..20 + udp_length];
    // Addresses, protocol and length of the pseudo-header; then the datagram, padded to be even.
    let mut covered = ip[12..20].to_vec();
    covered.extend([0, 17, ip[24], ip[25]]);
    covered.extend(udp);
    covered.push(0);
    let sum: u32 = covered
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    assert_eq!(
        (sum >> 16) + (sum & 0xffff),
        0xffff,
        "the checksum of {udp:02x?}"
    );
}
