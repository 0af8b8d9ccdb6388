//! An unbind meets what begins or goes on above and below the binding.

use super::sides::{Sides, wait_received};
use super::{Race, Stage};
use crate::nt::sched;

pub(super) const AGAINST_INITIALIZE: Race = Race {
    name: "unbind-initialize",
    about: "a NIC goes while the virtual miniports above it are still being initialized",
    run: |stage| {
        stage.load();
        let clients = stage.add_clients();
        for _ in 0..2 {
            stage.plug();
            sched::linger();
            stage.unplug();
        }
        stage.remove_clients(&clients);
        stage.unload();
    },
};

pub(super) const AGAINST_RESTART: Race = Race {
    name: "unbind-restart",
    about: "a NIC goes while clients come and go above, each of which pauses and restarts",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        come_and_go(&mut sides, stage);
        sched::linger();
        stage.unplug();
        sides.stop();
        stage.remove_clients(&clients);
        stage.unload();
    },
};

pub(super) const AGAINST_REQUESTS_AND_SENDS: Race = Race {
    name: "unbind-requests-sends",
    about: "a NIC goes while OID requests and sends are on their way to it",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.requests(&clients);
        sides.sends(&clients);
        sched::linger();
        stage.unplug();
        sides.stop();
        stage.remove_clients(&clients);
        stage.unload();
    },
};

pub(super) const AGAINST_STATUS: Race = Race {
    name: "unbind-status",
    about: "a NIC goes while it indicates that its cable goes out and in",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.links(stage);
        sched::linger();
        stage.unplug();
        stage.plug();
        wait_received(clients[0]);
        stage.unplug();
        sides.stop();
        stage.remove_clients(&clients);
        stage.unload();
    },
};

pub(super) const SURPRISE: Race = Race {
    name: "pull-everything",
    about: "a NIC is pulled out while frames, sends, requests, pauses and status are on their way",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        sides.sends(&clients);
        sides.requests(&clients);
        sides.links(stage);
        come_and_go(&mut sides, stage);
        for _ in 0..2 {
            sched::linger();
            stage.pull();
            sched::linger();
            stage.plug();
        }
        sides.stop();
        stage.wait_running(&clients);
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};

/// A second client comes and goes above each place.
pub(super) fn come_and_go(sides: &mut Sides, stage: &Stage) {
    for above in &stage.above {
        let (stage, above) = (stage.clone(), above.clone());
        sides.repeat(&format!("a second client above {above}"), move |_| {
            let name = format!("second of {above}");
            let added = stage.lab.add_client(&name, &above);
            added.unwrap_or_else(|error| panic!("{error}"));
            sched::linger();
            let removed = stage.lab.remove_client(&name);
            removed.unwrap_or_else(|error| panic!("{error}"));
        });
    }
}
