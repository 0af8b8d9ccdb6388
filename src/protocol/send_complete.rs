//! Sends that come back from the adapter below.

use mux_core::{MacAddress, statistics::Tally};
use ndis::{
    Bulk, Shared,
    nbl::{Chain, Forwarded, Nbl, OffloadWords, Outgoing},
};

use super::Changed;
use crate::{batch::Batches, binding::Binding, in_band, virtual_miniport::VirtualMiniport};

/// Takes each frame's tag away again, and completes to each virtual miniport what is its.
pub(super) fn send_complete(
    binding: &Binding,
    mut sends: Chain<Forwarded<Binding>>,
    at_dispatch: bool,
) {
    let number = sends.len();
    let mut batches = Batches::<Batch, BATCHES>::new();
    while let Some(send) = sends.pop() {
        let (send, miniport) = undo(send);
        let batch = batches.batch(
            |batch| batch.miniport.refers_to(&miniport),
            || Batch::new(&miniport),
            |full| full.complete(at_dispatch),
        );
        batch.add(send, miniport);
    }
    batches.deliver(|batch| batch.complete(at_dispatch));
    binding.leave_sends(number);
}

/// Makes an NBL what it was when the virtual miniport got it.
fn undo(send: Nbl<Forwarded<Binding>>) -> (Nbl<Outgoing>, Shared<VirtualMiniport>) {
    let (mut send, sent) = send.take_back();
    match sent.changed {
        Changed::Nothing => {}
        Changed::InBand(before, words) => {
            in_band::remove(&mut send);
            send.restore_send_info(before);
            if words != OffloadWords::default() {
                send.restore_offload_words(words);
            }
        }
        Changed::OutOfBand(before) => send.restore_send_info(before),
    }
    (send, sent.miniport)
}

/// Sends of one virtual miniport.
struct Batch {
    miniport: Bulk<VirtualMiniport>,
    sends: Chain<Outgoing>,
    tally: Tally,
    errors: u64,
}

impl Batch {
    fn new(miniport: &Shared<VirtualMiniport>) -> Self {
        Self {
            miniport: miniport.bulk(0),
            sends: Chain::new(),
            tally: Tally::new(),
            errors: 0,
        }
    }

    fn add(&mut self, send: Nbl<Outgoing>, miniport: Shared<VirtualMiniport>) {
        for frame in send.buffers() {
            let mut destination = [0; 6];
            if send.status().ok().is_ok() && frame.read_front(&mut destination) == 6 {
                self.tally
                    .frame(MacAddress(destination), frame.data_length());
            } else {
                self.errors += 1;
            }
        }
        self.sends.push(send);
        let same = self.miniport.put(miniport);
        debug_assert!(same.is_ok(), "a batch has one virtual miniport");
    }

    fn complete(self, at_dispatch: bool) {
        let miniport = &self.miniport;
        let number = self.sends.len();
        miniport.statistics.add_send(&self.tally);
        miniport.statistics.add_send_errors(self.errors);
        miniport.handle.complete_sends(self.sends, at_dispatch);
        miniport.leave(number);
    }
}

/// How many virtual miniports' sends are collected at once.
const BATCHES: usize = 8;
