//! A wire in the place of a test: what it brings is sent, what is received goes to it.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, SendShape};
use crate::ndis::BindingState;
use crate::nt::sched;
use crate::wire::{MAX_FRAME, Wire};

impl Client {
    /// Bridges the client to `wire` from now on.
    pub fn bridge(&'static self, wire: Arc<dyn Wire>) {
        {
            let mut state = self.state.lock();
            state.bridge = Some(wire.clone());
            state.stop = false;
            state.threads += 1;
        }
        sched::spawn_service(format!("{} bridge", self.name), move || {
            self.bridge_loop(&*wire);
            self.state.lock().threads -= 1;
            self.state.notify_all();
        });
    }

    /// Ends the bridge, and waits until its thread has ended.
    pub fn unbridge(&self) {
        {
            let mut state = self.state.lock();
            state.stop = true;
            state.bridge = None;
        }
        self.state
            .wait_until(None, |state| (state.threads == 0).then_some(()));
    }

    fn bridge_loop(&'static self, wire: &dyn Wire) {
        let mut buffer = vec![0; MAX_FRAME];
        while !self.state.lock().stop {
            let first = match wire.recv(&mut buffer, Duration::from_millis(50)) {
                Ok(Some(length)) => buffer[..length].to_vec(),
                Ok(None) => continue,
                Err(error) => {
                    eprintln!("ndis-host: {}: {error}", wire.describe());
                    return;
                }
            };
            let mut frames = vec![first];
            while frames.len() < MOST_IN_A_CHAIN
                && let Ok(Some(length)) = wire.recv(&mut buffer, Duration::ZERO)
            {
                frames.push(buffer[..length].to_vec());
            }
            if self.binding_state() == BindingState::Running
                && self.sends_outstanding() < MOST_OUTSTANDING
            {
                self.send_shaped(&frames, &SendShape::PLAIN);
            } else {
                self.state.lock().counters.dropped += frames.len() as u64;
            }
        }
    }
}

/// Frames that came together are sent together, up to this many.
const MOST_IN_A_CHAIN: usize = 64;

/// Sends out at which more frames are dropped, as a full queue does.
const MOST_OUTSTANDING: usize = 4096;
