//! Removing and setting: there or not, and nothing in between that is not said.

use mux_core::config::asked::Address;
use mux_core::{MacAddress, VlanId};

use super::driver::Driver;
use super::machine::{Failure, Handle};
use super::{called, vlan};
use crate::engine::{Change, NewVlan, Which};

#[test]
fn a_removed_adapter_leaves_nothing() {
    let machine = Handle::new();
    let before = machine.state();
    let ways: [fn(&str) -> Which; 4] = [
        |_| called("VLAN30"),
        |device| called(device),
        |device| called(&device.to_lowercase()[r"\Device\{".len()..device.len() - 1]),
        |_| Which::OnNic {
            nic: "Ethernet".to_owned(),
            vlan: 30,
        },
    ];
    for which in ways {
        let device = machine.engine().add(&vlan(30)).unwrap().device;
        assert_eq!(machine.engine().remove(&which(&device)).unwrap(), "vlan30");
        assert_eq!(machine.state(), before);
    }
    machine.engine().add(&vlan(30)).unwrap();
    let error = machine.engine().remove(&called("vlan31")).unwrap_err();
    assert!(error.to_string().contains("there are: vlan30"), "{error}");
}

#[test]
fn a_remove_that_fails_leaves_it_as_it_was_until_the_driver_let_go() {
    let mut step = 0;
    loop {
        let machine = Handle::new();
        let device = machine.engine().add(&vlan(30)).unwrap().device;
        let before = machine.state();
        machine.fail(|calls| Failure::Before(calls + step));
        match machine.engine().remove(&called("vlan30")) {
            Ok(_) => break,
            Err(_) if machine.state().driver == before.driver => {
                assert_eq!(machine.state(), before, "step {step}");
            }
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains("out of use now"), "step {step}: {said}");
                // It is a device only now, which asking again removes.
                assert!(
                    machine
                        .state()
                        .adapters
                        .iter()
                        .any(|it| it.device == device)
                );
                machine.engine().remove(&called("vlan30")).unwrap();
                assert_eq!(machine.state(), Handle::new().state());
            }
        }
        step += 1;
    }
    assert!(step >= 4, "{step} steps were tried");
}

#[test]
fn the_device_of_one_that_the_driver_does_not_know_is_removed() {
    let machine = Handle::new();
    let before = machine.state();
    machine.engine().add(&vlan(30)).unwrap();
    machine.0.borrow_mut().state.driver = Some(Driver::default());
    assert_eq!(
        machine.engine().remove(&called("vlan30")).unwrap(),
        "vlan30"
    );
    assert_eq!(machine.state(), before);

    machine.engine().add(&vlan(30)).unwrap();
    machine.0.borrow_mut().state.driver = None;
    assert_eq!(
        machine.engine().remove(&called("vlan30")).unwrap(),
        "vlan30"
    );
    assert_eq!(machine.state().adapters, before.adapters);
    assert!(
        machine.engine().remove(&called("Wi-Fi")).is_err(),
        "no virtual miniport"
    );
}

#[test]
fn an_address_that_was_set_is_taken_back() {
    let machine = Handle::new();
    let new = NewVlan {
        address: None,
        ..vlan(30)
    };
    let derived = machine.engine().add(&new).unwrap().address;
    let set = |address| {
        let change = Change {
            vlan: None,
            address: Some(address),
        };
        machine.engine().set(&called("vlan30"), change).unwrap()
    };
    let given = MacAddress([2, 0, 0, 0, 0, 0x77]);
    assert_eq!(set(Address::Set(given)).address, given.to_string());
    assert_eq!(set(Address::Derived).address, derived);
    // One that has it already keeps it.
    assert_eq!(set(Address::Derived).address, derived);
}

#[test]
fn a_change_is_there_or_not() {
    let change = Change {
        vlan: Some(VlanId::new(31).unwrap()),
        address: Some(Address::Set(MacAddress([2, 0, 0, 0, 0, 0x77]))),
    };
    let mut step = 0;
    loop {
        let machine = Handle::new();
        machine.engine().add(&vlan(30)).unwrap();
        let before = machine.state();
        machine.fail(|calls| Failure::Before(calls + step));
        match machine.engine().set(&called("vlan30"), change) {
            Ok(shown) => {
                assert_eq!(shown.vlan, 31);
                assert_eq!(shown.address, "02-00-00-00-00-77");
                break;
            }
            // What fails after the driver did it is only the look whether it runs.
            Err(_) if machine.state().driver != before.driver => {
                assert_eq!(machine.state().driver.unwrap().0[0].vlan.get(), 31);
            }
            Err(_) => assert_eq!(machine.state(), before, "step {step}"),
        }
        step += 1;
    }
    assert!(step >= 4, "{step} steps were tried");
}
