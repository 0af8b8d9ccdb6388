//! The sides of races: what goes on in a thread of its own until it is told to stop, or for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ndis_sys::{
    NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED, NDIS_PACKET_TYPE_PROMISCUOUS,
    OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_LINK_STATE, OID_GEN_STATISTICS, OID_GEN_VENDOR_ID,
};

use super::Stage;
use crate::client::{Client, SendShape};
use crate::lab::NicPort;
use crate::ndis::BindingState;
use crate::nt::sched::{self, Thread};

/// Threads that go on until they are stopped.
#[derive(Default)]
pub(super) struct Sides {
    stop: Arc<AtomicBool>,
    threads: Vec<Thread>,
}

impl Sides {
    /// Repeats `step` until [`stop`](Self::stop).
    pub(super) fn repeat(&mut self, name: &str, mut step: impl FnMut(u8) + Send + 'static) {
        let stop = self.stop.clone();
        self.threads.push(sched::spawn(name, move || {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                step(number);
                sched::linger();
                if number > MANY {
                    // Whoever stops this is waiting, or the step does nothing any more.
                    sched::sleep(LATER);
                }
                number = number.wrapping_add(1);
            }
        }));
    }

    /// Ends the sides, and waits until they have ended.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in &self.threads {
            thread.join();
        }
    }

    /// Each client sends, whenever it may.
    pub(super) fn sends(&mut self, clients: &[&'static Client]) {
        for &client in clients {
            self.repeat(&format!("sends of {}", client.name()), move |number| {
                client.send_shaped(&[frame(ALL, number), frame(PEER, number)], &SHAPE);
                if number % 4 == 3 {
                    client.cancel_sends(SHAPE.cancel_id);
                }
            });
        }
    }

    /// Each client asks and sets.
    pub(super) fn requests(&mut self, clients: &[&'static Client]) {
        for &client in clients {
            self.repeat(
                &format!("requests of {}", client.name()),
                move |number| match number % 5 {
                    0 => drop(client.query(OID_GEN_LINK_STATE, 64)),
                    1 => drop(client.query(OID_GEN_STATISTICS, 256)),
                    2 => drop(client.query(OID_GEN_VENDOR_ID, 4)),
                    _ => {
                        let more = [0, NDIS_PACKET_TYPE_PROMISCUOUS][usize::from(number & 1)];
                        let types = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST | more;
                        client.set(OID_GEN_CURRENT_PACKET_FILTER, &types.to_le_bytes());
                    }
                },
            );
        }
    }

    /// Frames come in at each NIC, tagged with the VLANs from 1 to 30 and untagged.
    pub(super) fn frames(&mut self, stage: &Stage) {
        for nic in ports(stage) {
            self.repeat("frames from the wire", move |number| {
                nic.inject(&frame(ALL, number));
                for vlan in [10, 20, number] {
                    nic.inject(&tagged(ALL, vlan, number));
                }
            });
        }
    }

    /// The cable of each NIC goes out and in.
    pub(super) fn links(&mut self, stage: &Stage) {
        for nic in ports(stage) {
            self.repeat("the cable", move |number| nic.set_link(number % 2 == 1));
        }
    }
}

/// Waits until a client got that many frames, or a while.
pub(super) fn wait_received(client: &Client) {
    let _in_time = client.recv(Duration::from_millis(500));
}

/// Whether a client's binding runs.
pub(super) fn runs(client: &Client) -> bool {
    client.binding_state() == BindingState::Running
}

fn ports(stage: &Stage) -> Vec<NicPort> {
    let port = |nic: &String| stage.lab.nic(nic).unwrap_or_else(|error| panic!("{error}"));
    stage.nics.iter().map(port).collect()
}

fn frame(destination: [u8; 6], number: u8) -> Vec<u8> {
    let mut frame = [destination, PEER, [8, 0, number, 0, 0, 0]].concat();
    frame.resize(60, number);
    frame
}

fn tagged(destination: [u8; 6], vlan: u8, number: u8) -> Vec<u8> {
    let mut frame = frame(destination, number);
    frame.splice(12..12, [0x81, 0, 0, vlan]);
    frame
}

const ALL: [u8; 6] = [0xff; 6];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// Steps of a side after which it becomes slow.
const MANY: u8 = 24;
const LATER: Duration = Duration::from_millis(200);

const SHAPE: SendShape = SendShape {
    cancel_id: 0x7ace,
    ..SendShape::PLAIN
};
