//! The configuration of an intermediate driver changes, and meets what goes on.

use super::bind::come_and_go;
use super::sides::Sides;
use super::{Race, Stage};
use crate::nt::sched;

pub(super) const AGAINST_TRAFFIC: Race = Race {
    name: "reconfigure-traffic",
    about: "virtual miniports go and come, one after the other, while frames, sends, requests and \
            pauses are on their way",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        sides.sends(&clients);
        sides.requests(&clients);
        come_and_go(&mut sides, stage);
        change_each(stage);
        sides.stop();
        stage.wait_running(&clients);
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};

pub(super) const AGAINST_UNBIND: Race = Race {
    name: "reconfigure-unbind",
    about: "a NIC is unplugged, and another time pulled out, while virtual miniports go and come",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.frames(stage);
        let changing = stage.clone();
        sides.repeat("the configuration", move |_| change_each(&changing));
        for remove in [Stage::unplug, Stage::pull] {
            sched::linger();
            remove(stage);
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

/// Takes each virtual miniport out of its binding's list and puts it back. The driver is told of the one
/// by its binding, of the other as a whole.
fn change_each(stage: &Stage) {
    for list in &stage.lists {
        for index in 0..list.len() {
            list.leave_out(index);
            // While the NIC is out there is no binding to tell.
            let _told = stage.lab.reconfigure_binding(&list.service, &list.nic);
            sched::linger();
            list.restore();
            let told = stage.lab.reconfigure(&list.service);
            told.unwrap_or_else(|error| panic!("{error}"));
            sched::linger();
        }
    }
}
