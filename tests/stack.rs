//! A stack of images alone, as `labs/stack.toml` has it: a software miniport, ndismux, and a protocol
//! that makes traffic, all under all rules. With the filter of the lab file and without it.

use std::{cell::Cell, path::PathBuf, thread, time::Duration};

use ndis_host::{
    lab::{
        Lab,
        file::{LabFile, Running},
    },
    ndis::{AdapterState, BindingState, config},
    nt::registry::{self, Value},
};
use ndismux_tests::{SOON, image, image_tests, test_image, wait_until};

image_tests! {
    with test_drivers;

    fn frames_cross_three_images_in_both_directions_and_each_vlan() {
        let mut running = up(Filters::Without);
        for name in UPPER {
            wait_traffic(running.lab(), name);
        }
        down(&mut running);
    }

    fn pauses_of_each_layer_under_traffic_lose_nothing_but_frames() {
        let mut running = up(Filters::Without);
        let lab = running.lab();
        for _round in 0..4 {
            // Each one that comes or goes pauses what it stands on.
            for device in ["a", "a10", "b", "b20"] {
                let other = lab.add_client("other", device).expect("a device");
                assert!(other.wait_state(BindingState::Running, SOON), "{device}");
                lab.remove_client("other").expect("the client was there");
            }
        }
        for name in UPPER {
            wait_traffic(lab, name);
        }
        down(&mut running);
    }

    fn an_adapter_that_is_unplugged_under_traffic_can_be_plugged_again() {
        let mut running = up(Filters::Without);
        let lab = running.lab();
        lab.unplug_adapter("b").expect("it is plugged in");
        assert_eq!(lab.adapter_state("b10"), AdapterState::Halted);
        assert_eq!(lab.adapter_state("a10"), AdapterState::Running);
        lab.plug_adapter("b").expect("it is unplugged");
        lab.pull_adapter("a").expect("it is plugged in");
        lab.plug_adapter("a").expect("it is unplugged");
        for name in UPPER {
            wait_traffic(lab, name);
        }
        down(&mut running);
    }

    fn a_protocol_that_is_unloaded_under_traffic_leaves_the_others_running() {
        let mut running = up(Filters::Without);
        let lab = running.lab();
        lab.uninstall(PROTOCOL).expect("it is loaded");
        lab.unload(PROTOCOL).expect("it is loaded");
        for name in UPPER {
            assert_eq!(lab.adapter_state(name), AdapterState::Running, "{name}");
        }
        lab.load_driver(PROTOCOL).expect("it is unloaded");
        for name in UPPER {
            wait_traffic(lab, name);
        }
        down(&mut running);
    }

    fn filters_between_the_images_pass_everything_on() {
        let mut running = up(Filters::With);
        for name in UPPER {
            wait_traffic(running.lab(), name);
        }
        down(&mut running);
        for device in [r"\Device\a", r"\Device\b", DEVICES[0].1] {
            for counter in ["Sent", "Received", "Requests"] {
                assert_ne!(value(FILTER, device, counter), 0, "{counter} of {device}");
            }
        }
    }

    fn a_filter_that_is_unloaded_and_loaded_under_traffic_leaves_the_others_running() {
        let mut running = up(Filters::With);
        let lab = running.lab();
        lab.unload(FILTER).expect("it is loaded");
        for name in UPPER {
            wait_traffic(lab, name);
        }
        lab.load_driver(FILTER).expect("it is unloaded");
        for name in UPPER {
            wait_traffic(lab, name);
        }
        down(&mut running);
    }

    fn pauses_and_unplugs_with_filters_lose_nothing_but_frames() {
        let mut running = up(Filters::With);
        let lab = running.lab();
        for device in ["a", "a10", "b", "b20"] {
            let other = lab.add_client("other", device).expect("a device");
            assert!(other.wait_state(BindingState::Running, SOON), "{device}");
            lab.remove_client("other").expect("the client was there");
        }
        lab.pull_adapter("a").expect("it is plugged in");
        lab.plug_adapter("a").expect("it is unplugged");
        for name in UPPER {
            wait_traffic(lab, name);
        }
        down(&mut running);
    }
}

/// Whether the filters of the lab file are there.
#[derive(Clone, Copy, PartialEq)]
enum Filters {
    Without,
    With,
}

/// The whole stack, with traffic.
fn up(filters: Filters) -> Running {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../labs/stack.toml"));
    let mut file = LabFile::load(&file).expect("the lab file is right");
    if filters == Filters::Without {
        file.filters.clear();
        file.images.retain(|image| image.service != FILTER);
    }
    for section in &mut file.images {
        section.file = if section.service == "ndismux" {
            image()
        } else {
            test_image(&section.service)
        };
    }
    let mut running = Running::prepare(&file, None).expect("the lab can be made");
    running.load(&file).expect("the images load");
    running.plug(&file).expect("the adapters come up");
    for name in UPPER {
        wait_until(name, || {
            running.lab().binding_state(PROTOCOL, name) == BindingState::Running
        });
    }
    running
}

/// All of it taken down, with nothing left and no frame damaged.
fn down(running: &mut Running) {
    running.take_down().expect("everything comes down");
    for name in UPPER {
        assert_eq!(counter(name, "Damaged"), 0, "{name}");
    }
    let left = running.lab().outstanding();
    assert!(left.is_nothing(), "{left}");
}

/// Waits until frames go from here to there and from there to here.
fn wait_traffic(lab: &Lab, name: &str) {
    let counted = || {
        lab.reconfigure(PROTOCOL).expect("it is loaded");
        [counter(name, "Sent"), counter(name, "Received")]
    };
    wait_until(&format!("{name} runs"), || {
        lab.binding_state(PROTOCOL, name) == BindingState::Running
    });
    let before = Cell::new(counted());
    wait_until(&format!("traffic of {name}, which has {before:?}"), || {
        thread::sleep(LOOK);
        let now = counted();
        let [sent, received] = before.get();
        // A binding that is made anew counts from zero.
        if now[0] < sent || now[1] < received {
            before.set(now);
        }
        now[0] > sent + ENOUGH && now[1] > received + ENOUGH
    });
}

fn counter(name: &str, counter: &str) -> u32 {
    let device = DEVICES.iter().find(|(other, _)| *other == name);
    let (_, device) = device.expect("a virtual miniport of the lab file");
    value(PROTOCOL, device, counter)
}

/// A number that a driver wrote where it stands above a device.
fn value(service: &str, device: &str, name: &str) -> u32 {
    match registry::get(&config::binding_key(service, device), name) {
        Some(Value::Dword(number)) => number,
        _ => 0,
    }
}

const PROTOCOL: &str = "test-protocol";
const FILTER: &str = "test-filter";

/// What test-protocol binds to.
const UPPER: [&str; 4] = ["a10", "a20", "b10", "b20"];

const DEVICES: [(&str, &str); 4] = [
    ("a10", r"\Device\{4D757801-0000-4000-8000-0000000000A1}"),
    ("a20", r"\Device\{4D757801-0000-4000-8000-0000000000A2}"),
    ("b10", r"\Device\{4D757801-0000-4000-8000-0000000000B1}"),
    ("b20", r"\Device\{4D757801-0000-4000-8000-0000000000B2}"),
];

const LOOK: Duration = Duration::from_millis(20);

/// How many frames show that a way is open.
const ENOUGH: u32 = 4;
