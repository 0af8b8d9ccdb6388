//! An unload meets everything.

use super::Race;
use super::sides::Sides;
use crate::nt::sched;

pub(super) const AGAINST_EVERYTHING: Race = Race {
    name: "unload-everything",
    about: "drivers are unloaded while frames, sends, requests and status are on their way",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        sides.sends(&clients);
        sides.requests(&clients);
        sides.links(stage);
        sched::linger();
        stage.unload();
        sides.stop();
        stage.remove_clients(&clients);
        stage.unplug();
    },
};
