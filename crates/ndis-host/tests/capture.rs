//! The capture of a stack of built-in parts, read back: an interface for each edge, both directions,
//! tags put in, failed sends with their reason.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ndis_host::client::SendShape;
use ndis_host::lab::Lab;
use ndis_host::nic::NicConfig;
use ndis_host::wire::{Capture, CaptureWire, MemoryWire, Wire};
use ndis_sys::NDIS_STATUS_SUCCESS;
use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};

const LONG: Duration = Duration::from_secs(10);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Interface, direction by `epb_flags`, comments, bytes.
type Packet = (String, u32, Vec<String>, Vec<u8>);

#[test]
fn each_edge_is_an_interface_with_its_frames_tags_and_failures() {
    let path = std::env::temp_dir().join(format!("ndis-host-edges-{}.pcapng", std::process::id()));
    let begun = SystemTime::now();
    let capture = Capture::start(&path).unwrap();
    let lab = Lab::new();
    let (near, far) = MemoryWire::pair();
    let wire = CaptureWire::wrap(Box::new(near), Arc::clone(&capture), "wire nic0".to_owned());
    let config = NicConfig::new("nic0", MAC).handling_tags();
    lab.add_nic_on(config, Arc::new(wire));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();

    let frame = |length: usize| {
        let mut frame = vec![0xff; 12];
        frame.extend([0x08, 0x00]);
        frame.resize(length, 0x55);
        frame
    };
    let tagged = |frame: &[u8]| {
        let mut tagged = frame.to_vec();
        tagged.splice(12..12, [0x81, 0x00, 0x60, 0x0a]);
        tagged
    };
    let sent = frame(60);
    let shape = SendShape {
        tag: 3 | 10 << 4,
        ..SendShape::PLAIN
    };
    let ticket = client.send_shaped(std::slice::from_ref(&sent), &shape);
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
    let received = frame(61);
    far.send(&received).unwrap();
    assert_eq!(client.recv(LONG).unwrap().frame, received);
    let long = frame(1515);
    client.send(std::slice::from_ref(&long)).wait(LONG).unwrap();
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    capture.finish().unwrap();

    let packets = read(&path, begun);
    std::fs::remove_file(&path).unwrap();
    let at = |edge: &str| -> Vec<(u32, Vec<String>, Vec<u8>)> {
        let of_edge = packets.iter().filter(|packet| packet.0 == edge);
        of_edge
            .map(|(_, direction, comments, bytes)| (*direction, comments.clone(), bytes.clone()))
            .collect()
    };
    let beside = "the tag (VLAN 10, priority 3) is beside the frame".to_owned();
    let failed = "not sent: completed with NDIS_STATUS_INVALID_LENGTH".to_owned();
    let at_binding = [
        (2, vec![beside], tagged(&sent)),
        (1, vec![], received.clone()),
        (2, vec![], long.clone()),
        (2, vec![failed], long),
    ];
    assert_eq!(at("binding stack on nic0"), at_binding);
    let at_wire = [(2, vec![], tagged(&sent)), (1, vec![], received)];
    assert_eq!(at("wire nic0"), at_wire);
    assert_eq!(packets.len(), 6);
}

/// The packets of a file, all of which were written since `begun`.
fn read(path: &std::path::Path, begun: SystemTime) -> Vec<Packet> {
    let mut reader = PcapNgReader::new(File::open(path).unwrap()).unwrap();
    let mut names = Vec::new();
    let mut packets = Vec::new();
    let begun = begun.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    while let Some(block) = reader.next_block() {
        match block.unwrap() {
            Block::InterfaceDescription(interface) => {
                assert_eq!(interface.linktype, DataLink::ETHERNET);
                let name = interface.options.iter().find_map(|option| match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                });
                assert!(
                    interface
                        .options
                        .contains(&InterfaceDescriptionOption::IfTsResol(9))
                );
                names.push(name.unwrap());
            }
            Block::EnhancedPacket(packet) => {
                let mut direction = 0;
                let mut comments = Vec::new();
                for option in &packet.options {
                    match option {
                        EnhancedPacketOption::Flags(flags) => direction = *flags,
                        EnhancedPacketOption::Comment(comment) => {
                            comments.push(comment.to_string())
                        }
                        other => panic!("unexpected option {other:?}"),
                    }
                }
                assert_eq!(packet.original_len as usize, packet.data.len());
                // The clocks may differ by what the start of the capture took.
                assert!(packet.timestamp + Duration::from_secs(1) > begun);
                assert!(packet.timestamp < begun + 6 * LONG);
                let name = names[packet.interface_id as usize].clone();
                packets.push((name, direction, comments, packet.data.into_owned()));
            }
            other => panic!("unexpected block {other:?}"),
        }
    }
    packets
}
