//! The end of traffic meets traffic.

use std::time::Duration;

use super::bind::come_and_go;
use super::sides::{Sides, runs};
use super::{Race, Stage};
use crate::client::Client;
use crate::nt::sched;

pub(super) const HALT_AGAINST_RETURNS: Race = Race {
    name: "halt-returns",
    about: "virtual miniports are disabled while clients return what they received",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        for &client in &clients {
            client.hold_receives(true);
            sides.repeat(&format!("returns of {}", client.name()), move |_| {
                client.return_held();
            });
        }
        sched::sleep(Duration::from_millis(1));
        disable_all(stage);
        release(&clients, sides);
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};

pub(super) const PAUSE_AGAINST_INDICATIONS: Race = Race {
    name: "pause-indication",
    about: "adapters pause and restart, as clients come and go, while frames come in",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        come_and_go(&mut sides, stage);
        for _ in 0..4 {
            sched::linger();
            let nic = &stage.nics[0];
            let added = stage.lab.add_client("second of the NIC", nic);
            added.unwrap_or_else(|error| panic!("{error}"));
            let removed = stage.lab.remove_client("second of the NIC");
            removed.unwrap_or_else(|error| panic!("{error}"));
        }
        sides.stop();
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};

/// Disables what is above, on a thread for each: a halt waits for what a client holds.
fn disable_all(stage: &Stage) {
    let threads: Vec<_> = stage
        .above
        .iter()
        .filter(|above| !stage.nics.contains(above))
        .map(|above| {
            let (lab, above) = (stage.lab, above.clone());
            sched::spawn(format!("disable {above}"), move || {
                lab.disable(&above)
                    .unwrap_or_else(|error| panic!("{error}"));
            })
        })
        .collect();
    threads.iter().for_each(sched::Thread::join);
}

fn release(clients: &[&'static Client], sides: Sides) {
    for client in clients {
        client.hold_receives(false);
        client.return_held();
        debug_assert!(!runs(client) || client.receives_held() == 0);
    }
    sides.stop();
}
