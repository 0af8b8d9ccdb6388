//! Sleep and wake meet what is on its way.

use super::Race;
use super::bind::come_and_go;
use super::sides::Sides;
use crate::lab::Order;
use crate::nt::sched;

pub(super) const AGAINST_REQUESTS: Race = Race {
    name: "power-requests",
    about: "the system sleeps and wakes while OID requests, sends and frames are on their way",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        sides.requests(&clients);
        sides.sends(&clients);
        sides.frames(stage);
        for order in [Order::UpperFirst, Order::LowerFirst] {
            sched::linger();
            stage.lab.sleep_system(order);
            sched::linger();
            let gone = stage.lab.wake_system(order);
            assert!(gone.is_empty(), "these do not wake: {gone:?}");
        }
        sides.stop();
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};

pub(super) const REQUEST_STORM: Race = Race {
    name: "request-storm",
    about: "OID requests of several threads above each place meet pauses, a sleep, and a NIC that goes",
    run: |stage| {
        let clients = stage.up();
        let mut sides = Sides::default();
        for _ in 0..3 {
            sides.requests(&clients);
        }
        come_and_go(&mut sides, stage);
        sched::linger();
        stage.lab.sleep_system(Order::UpperFirst);
        sched::linger();
        let gone = stage.lab.wake_system(Order::LowerFirst);
        assert!(gone.is_empty(), "these do not wake: {gone:?}");
        sched::linger();
        stage.unplug();
        stage.plug();
        sides.stop();
        stage.wait_running(&clients);
        stage.remove_clients(&clients);
        stage.unplug();
        stage.unload();
    },
};
