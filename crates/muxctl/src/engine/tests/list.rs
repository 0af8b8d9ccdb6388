//! What is shown: lists, statistics, and what the driver refuses.

use mux_core::control::Request;

use super::driver::SENT;
use super::machine::{Handle, TRUNK};
use super::{called, vlan};
use crate::engine::{name, wide};

#[test]
fn what_the_driver_refuses_is_said_in_words() {
    let machine = Handle::new();
    machine.engine().add(&vlan(30)).unwrap();
    let error = machine.engine().forget(TRUNK);
    assert!(error.is_ok(), "that there is none is as good");
    let units = wide(TRUNK);
    let request = Request::Statistics {
        device: name(&units).unwrap(),
    };
    let error = machine
        .engine()
        .order(&request, "tell the statistics")
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("no such VLAN adapter (status 0xc0000034)"),
        "{said}"
    );
}

#[test]
fn a_list_that_is_longer_than_the_first_room_is_shown_whole() {
    let machine = Handle::new();
    for id in 1..=40 {
        machine.engine().add(&vlan(id)).unwrap();
    }
    let nics = machine.engine().nics().unwrap();
    assert_eq!(nics[0].vlans.len(), 40);
}

#[test]
fn statistics_are_those_of_the_adapter_or_of_all() {
    let machine = Handle::new();
    machine.engine().add(&vlan(10)).unwrap();
    machine.engine().add(&vlan(20)).unwrap();
    let all = machine.engine().statistics(None).unwrap();
    let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["vlan10", "vlan20"]);
    let one = machine
        .engine()
        .statistics(Some(&called("vlan20")))
        .unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(
        (one[0].sent.directed_frames, one[0].sent.directed_bytes),
        (SENT.frames, SENT.bytes)
    );
    assert!(machine.engine().statistics(Some(&called("x"))).is_err());
}
