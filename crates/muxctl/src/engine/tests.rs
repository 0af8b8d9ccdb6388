//! The engine over a machine that is made of memory and fails at any step.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mux_core::control::{self, Entry, Link, ListWriter, Name, list};
use mux_core::lifecycle::{binding, instance};
use mux_core::statistics::{Count, Tally};

use super::*;
use crate::machine::{Adapter, Reply};

const TRUNK: &str = r"\Device\{AAAAAAAA-0000-4000-8000-000000000001}";
const SPARE: &str = r"\Device\{AAAAAAAA-0000-4000-8000-000000000002}";

/// What there is, to be compared.
#[derive(Clone, Debug, PartialEq)]
struct State {
    adapters: Vec<Adapter>,
    /// None: the driver is not loaded. Else its virtual miniports.
    driver: Option<Vec<Present>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Present {
    nic: String,
    device: String,
    vlan: VlanId,
    address: Option<MacAddress>,
}

/// When a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    Never,
    /// The call of that number, before it does anything.
    Before(usize),
    /// The same, after the driver has done it.
    After(usize),
    /// That call and all later ones.
    From(usize),
}

struct Fake {
    state: State,
    bound: Vec<&'static str>,
    calls: usize,
    failure: Failure,
    /// What the driver's virtual miniports are.
    state_of_all: instance::State,
    made: u32,
    /// Whether a new device loads the driver.
    loads: bool,
}

#[derive(Clone)]
struct Handle(Rc<RefCell<Fake>>);

impl Handle {
    fn new() -> Self {
        let adapter = |device: &str, name: &str| Adapter {
            device: device.to_owned(),
            name: name.to_owned(),
            is_virtual: false,
        };
        Self(Rc::new(RefCell::new(Fake {
            state: State {
                adapters: vec![adapter(TRUNK, "Ethernet"), adapter(SPARE, "Wi-Fi")],
                driver: Some(Vec::new()),
            },
            bound: vec![TRUNK],
            calls: 0,
            failure: Failure::Never,
            state_of_all: instance::State::Running,
            made: 0,
            loads: false,
        })))
    }

    fn engine(&self) -> Engine<Handle> {
        Engine::new(self.clone(), || false).with_patience(Duration::ZERO)
    }

    fn state(&self) -> State {
        self.0.borrow().state.clone()
    }

    fn calls(&self) -> usize {
        self.0.borrow().calls
    }

    /// From the next call on.
    fn fail(&self, failure: impl FnOnce(usize) -> Failure) {
        let calls = self.calls();
        self.0.borrow_mut().failure = failure(calls);
    }

    /// Counts a call; answers whether it does its work, and whether it then says that it failed.
    fn call(&self) -> (bool, bool) {
        let mut fake = self.0.borrow_mut();
        let number = fake.calls;
        fake.calls += 1;
        match fake.failure {
            Failure::Before(at) if at == number => (false, true),
            Failure::After(at) if at == number => (true, true),
            Failure::From(at) if at <= number => (false, true),
            _ => (true, false),
        }
    }

    fn step<R>(&self, work: impl FnOnce(&mut Fake) -> R) -> Result<R, MachineError> {
        // Only what is done in the driver can be done and fail all the same.
        match self.call() {
            (_, true) => Err(MachineError::Failed("made to fail".to_owned())),
            _ => Ok(work(&mut self.0.borrow_mut())),
        }
    }
}

impl Fake {
    fn answer(&mut self, code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError> {
        let bound = self.bound.clone();
        let state_of_all = self.state_of_all;
        let driver = self.state.driver.as_mut().ok_or(MachineError::NoDriver)?;
        let mut output = vec![0; room];
        let operation = Operation::of_code(code).expect("a code of the driver's");
        let request = Request::decode(operation, input).expect("a request that is right");
        let is = |name: &Name<'_>, text: &str| super::list::same(&name.to_string(), text);
        let (status, length) = match request {
            Request::List => {
                let mut writer = ListWriter::new(&mut output).expect("room for the fixed part");
                for nic in bound {
                    let units = wide(nic);
                    writer.push(&Entry::Binding(control::Binding {
                        nic: Name::new(&units).unwrap(),
                        state: binding::State::Running,
                        link: Link::Up,
                        speed: 1_000_000_000,
                        mtu: 1500,
                        address: MacAddress([2, 0, 0, 0, 0, 1]),
                    }));
                    for Present {
                        device,
                        vlan,
                        address,
                        ..
                    } in driver.iter().filter(|it| it.nic == nic)
                    {
                        let units = wide(device);
                        writer.push(&Entry::VirtualMiniport(control::VirtualMiniport {
                            device: Name::new(&units).unwrap(),
                            state: state_of_all,
                            vlan: *vlan,
                            link: Link::Up,
                            speed: list::SPEED_UNKNOWN,
                            mtu: 1496,
                            address: address.unwrap_or(MacAddress([2, 0, 0, 0, 0, 9])),
                        }));
                    }
                }
                match writer.finish() {
                    list::Written::All(length) => (status::SUCCESS, length),
                    list::Written::CutShort(length) => (status::BUFFER_OVERFLOW, length),
                }
            }
            Request::Add {
                nic,
                device,
                vlan,
                address,
            } => {
                let nic = bound.iter().find(|it| is(&nic, it));
                match nic {
                    None => (status::NO_SUCH_DEVICE, 0),
                    Some(_) if driver.iter().any(|it| is(&device, &it.device)) => {
                        (status::OBJECT_NAME_COLLISION, 0)
                    }
                    Some(nic) => {
                        let nic = (*nic).to_owned();
                        driver.push(Present {
                            nic,
                            device: device.to_string(),
                            vlan,
                            address,
                        });
                        (
                            status::SUCCESS,
                            Acknowledgement.encode(&mut output).unwrap(),
                        )
                    }
                }
            }
            Request::Remove { device }
            | Request::Set { device, .. }
            | Request::Statistics { device }
                if !driver.iter().any(|it| is(&device, &it.device)) =>
            {
                (status::OBJECT_NAME_NOT_FOUND, 0)
            }
            Request::Remove { device } => {
                driver.retain(|it| !is(&device, &it.device));
                (
                    status::SUCCESS,
                    Acknowledgement.encode(&mut output).unwrap(),
                )
            }
            Request::Set {
                device,
                vlan,
                address,
            } => {
                let it = driver
                    .iter_mut()
                    .find(|it| is(&device, &it.device))
                    .unwrap();
                it.vlan = vlan.unwrap_or(it.vlan);
                it.address = address.or(it.address);
                (
                    status::SUCCESS,
                    Acknowledgement.encode(&mut output).unwrap(),
                )
            }
            Request::Statistics { .. } => {
                let snapshot = mux_core::statistics::Snapshot {
                    send: Tally {
                        directed: Count {
                            frames: 3,
                            bytes: 180,
                        },
                        ..Tally::new()
                    },
                    ..Default::default()
                };
                let answer = StatisticsAnswer(snapshot);
                (status::SUCCESS, answer.encode(&mut output).unwrap())
            }
        };
        output.truncate(length);
        Ok(Reply { status, output })
    }
}

impl Machine for Handle {
    fn adapters(&mut self) -> Result<Vec<Adapter>, MachineError> {
        self.step(|fake| fake.state.adapters.clone())
    }

    fn control(&mut self, code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError> {
        let (works, fails) = self.call();
        let failed = Err(MachineError::Failed("made to fail".to_owned()));
        if !works {
            return failed;
        }
        let reply = self.0.borrow_mut().answer(code, input, room);
        if fails { failed } else { reply }
    }

    fn create_device(&mut self, _name: &str) -> Result<String, MachineError> {
        self.step(|fake| {
            fake.made += 1;
            if fake.loads && fake.state.driver.is_none() {
                fake.state.driver = Some(Vec::new());
            }
            let device = format!(r"\Device\{{BBBBBBBB-0000-4000-8000-{:012}}}", fake.made);
            fake.state.adapters.push(Adapter {
                device: device.clone(),
                name: format!("Ethernet {}", fake.made),
                is_virtual: true,
            });
            device
        })
    }

    fn name_device(&mut self, device: &str, name: &str) -> Result<(), MachineError> {
        self.step(|fake| {
            let mut adapters = fake.state.adapters.iter_mut();
            let adapter = adapters.find(|it| it.device == device);
            adapter.expect("it is there").name = name.to_owned();
        })
    }

    fn remove_device(&mut self, device: &str) -> Result<(), MachineError> {
        self.step(|fake| {
            fake.state.adapters.retain(|it| it.device != device);
        })
    }
}

fn vlan(id: u32) -> NewVlan {
    NewVlan {
        nic: "ethernet".to_owned(),
        vlan: VlanId::new(id).unwrap(),
        name: None,
        address: Some(MacAddress([2, 0, 0, 0, 0, id as u8])),
    }
}

fn called(name: &str) -> Which {
    Which::Name(name.to_owned())
}

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
    assert_eq!(machine.state().driver.unwrap()[0].device, shown.device);
    assert_eq!(machine.state().adapters[2].name, "vlan30");

    machine
        .engine()
        .add(&NewVlan {
            address: None,
            ..vlan(31)
        })
        .unwrap();
    let derived = &machine.state().driver.unwrap()[1].address;
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
    machine.0.borrow_mut().state.driver = Some(Vec::new());
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
fn a_change_is_there_or_not() {
    let change = Change {
        vlan: Some(VlanId::new(31).unwrap()),
        address: Some(MacAddress([2, 0, 0, 0, 0, 0x77])),
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
                assert_eq!(machine.state().driver.unwrap()[0].vlan.get(), 31);
            }
            Err(_) => assert_eq!(machine.state(), before, "step {step}"),
        }
        step += 1;
    }
    assert!(step >= 4, "{step} steps were tried");
}

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
        (3, 180)
    );
    assert!(machine.engine().statistics(Some(&called("x"))).is_err());
}
