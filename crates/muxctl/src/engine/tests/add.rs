//! Adding: what there is in the end, and that whatever fails on the way is undone.

use std::time::Duration;

use mux_core::control::status;
use mux_core::lifecycle::instance;

use super::machine::{Failure, Handle};
use super::vlan;
use crate::engine::{Engine, NewVlan, Which};
use crate::error::Error;

#[test]
fn an_added_adapter_is_a_device_and_a_virtual_miniport() {
    let machine = Handle::new();
    let shown = machine.engine().add(&vlan(30)).unwrap();
    assert_eq!(
        (shown.name.as_str(), shown.vlan, shown.nic.as_str()),
        ("vlan30", 30, "Ethernet")
    );
    assert_eq!(shown.address, "02-00-00-00-00-1E");
    assert!(shown.is_up());
    assert_eq!(machine.state().driver.unwrap().device(0), shown.device);
    assert_eq!(machine.state().adapters[2].name, "vlan30");

    machine
        .engine()
        .add(&NewVlan {
            address: None,
            ..vlan(31)
        })
        .unwrap();
    let derived = &machine.state().driver.unwrap().0[1].address;
    assert_eq!(*derived, None, "the driver makes one");
    let nics = machine.engine().nics().unwrap();
    assert_eq!(nics.len(), 1, "the driver is bound to one");
    assert_eq!(nics[0].vlans.len(), 2);
}

#[test]
fn an_add_that_fails_at_any_step_is_undone() {
    for failure in [Failure::Before as fn(usize) -> Failure, Failure::After] {
        let mut step = 0;
        loop {
            let machine = Handle::new();
            machine.engine().add(&vlan(10)).unwrap();
            let before = machine.state();
            machine.fail(|calls| failure(calls + step));
            match machine.engine().add(&vlan(30)) {
                Ok(_) => break,
                Err(Error::NotUndone { error, left }) => panic!("step {step}: {error}: {left:?}"),
                Err(_) => assert_eq!(machine.state(), before, "step {step}"),
            }
            step += 1;
        }
        assert!(step >= 4, "{step} steps were tried");
    }
}

#[test]
fn an_add_that_is_interrupted_at_any_step_is_undone() {
    let mut step = 0;
    loop {
        let machine = Handle::new();
        let before = machine.state();
        let watched = machine.clone();
        let mut engine = Engine::new(machine.clone(), move || watched.calls() > step);
        match engine.add(&vlan(30)) {
            Ok(_) => break,
            Err(error) => {
                assert!(matches!(error, Error::Interrupted), "step {step}: {error}");
                assert_eq!(machine.state(), before, "step {step}");
            }
        }
        step += 1;
    }
    assert!(step >= 4, "{step} steps were tried");
}

#[test]
fn what_cannot_be_undone_is_said() {
    let machine = Handle::new();
    let calls = {
        let counted = Handle::new();
        counted.engine().add(&vlan(30)).unwrap();
        counted.calls()
    };
    // The last call of an add names it; from there on nothing works any more.
    machine.fail(|_| Failure::From(calls - 1));
    let error = machine.engine().add(&vlan(30)).unwrap_err();
    let Error::NotUndone { left, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(left.len(), 2, "the driver, the device: {left:?}");
    assert_eq!(error.exit_code(), crate::error::exit::NOT_UNDONE);
}

#[test]
fn an_adapter_that_does_not_come_up_is_taken_away_again() {
    let machine = Handle::new();
    machine.0.borrow_mut().state_of_all = instance::State::Requested;
    let before = machine.state();
    let error = machine.engine().add(&vlan(30)).unwrap_err();
    assert!(
        matches!(&error, Error::NotUp { state, .. } if state == "requested"),
        "{error}"
    );
    assert_eq!(machine.state(), before);
}

#[test]
fn wrong_arguments_do_nothing_and_say_what_there_is() {
    let machine = Handle::new();
    machine.engine().add(&vlan(10)).unwrap();
    let before = machine.state();
    let error = |new: NewVlan| {
        let error = machine.engine().add(&new).unwrap_err();
        assert_eq!(error.exit_code(), crate::error::exit::WRONG);
        assert_eq!(machine.state(), before);
        error.to_string()
    };
    let nic = |name: &str| NewVlan {
        nic: name.to_owned(),
        ..vlan(30)
    };
    assert!(error(nic("Bluetooth")).contains("there are: Ethernet, Wi-Fi, vlan10"));
    assert!(error(nic("Wi-Fi")).contains("bound to: Ethernet"));
    assert!(error(vlan(10)).contains("choose another --name"));
    let second = NewVlan {
        name: Some("second".to_owned()),
        ..vlan(10)
    };
    assert!(error(second).contains("in VLAN 10 already: vlan10"));
}

#[test]
fn the_first_adapter_loads_the_driver() {
    let machine = Handle::new();
    machine.0.borrow_mut().state.driver = None;
    let error = machine.engine().nics().unwrap_err();
    assert_eq!(error.exit_code(), crate::error::exit::NOT_THERE);
    // If it does not, the add fails and leaves nothing.
    let before = machine.state();
    let error = machine.engine().add(&vlan(30)).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("the driver is not loaded"), "{said}");
    assert_eq!(machine.state(), before);

    machine.0.borrow_mut().loads = true;
    assert_eq!(machine.engine().add(&vlan(30)).unwrap().name, "vlan30");
}

#[test]
fn the_first_adapter_waits_until_its_driver_is_there_and_bound() {
    let machine = Handle::new();
    let wait = |late, patience| {
        machine.0.borrow_mut().state.driver = None;
        machine.0.borrow_mut().loads = true;
        machine.0.borrow_mut().late = late;
        let mut engine = machine
            .engine()
            .with_patience(Duration::from_secs(patience));
        engine.add(&vlan(30))
    };
    assert_eq!(wait((2, 3), 60).unwrap().name, "vlan30");
    machine
        .engine()
        .remove(&Which::Name("vlan30".to_owned()))
        .unwrap();
    let adapters = machine.state().adapters;
    // Without patience it is given up, and undone.
    let error = wait((0, 100), 0).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Refused {
                status: status::NO_SUCH_DEVICE,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(machine.state().adapters, adapters);
}
