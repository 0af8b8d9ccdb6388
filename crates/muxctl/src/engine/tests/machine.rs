//! The machine: two NICs, the driver bound to one of them, and calls that fail when they are told to.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mux_core::lifecycle::instance;

use super::driver::Driver;
use crate::engine::Engine;
use crate::machine::{Adapter, Machine, MachineError, Reply};

/// The NIC that the driver is bound to.
pub(super) const TRUNK: &str = r"\Device\{AAAAAAAA-0000-4000-8000-000000000001}";
const SPARE: &str = r"\Device\{AAAAAAAA-0000-4000-8000-000000000002}";

/// What there is, to be compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) adapters: Vec<Adapter>,
    /// None: the driver is not loaded.
    pub(super) driver: Option<Driver>,
}

/// When a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Failure {
    Never,
    /// The call of that number, before it does anything.
    Before(usize),
    /// The same, after the driver has done it.
    After(usize),
    /// That call and all later ones.
    From(usize),
}

/// What the machine is made of.
pub(super) struct Fake {
    pub(super) state: State,
    bound: Vec<&'static str>,
    calls: usize,
    failure: Failure,
    /// What the driver's virtual miniports are.
    pub(super) state_of_all: instance::State,
    made: u32,
    /// Whether a new device loads the driver.
    pub(super) loads: bool,
    /// How many requests find no driver after that, and how many more find it bound to nothing yet.
    pub(super) late: (usize, usize),
}

/// The machine, as the engine and the test that looks at it share it.
#[derive(Clone)]
pub(super) struct Handle(pub(super) Rc<RefCell<Fake>>);

impl Handle {
    pub(super) fn new() -> Self {
        let adapter = |device: &str, name: &str| Adapter {
            device: device.to_owned(),
            name: name.to_owned(),
            is_virtual: false,
        };
        Self(Rc::new(RefCell::new(Fake {
            state: State {
                adapters: vec![adapter(TRUNK, "Ethernet"), adapter(SPARE, "Wi-Fi")],
                driver: Some(Driver::default()),
            },
            bound: vec![TRUNK],
            calls: 0,
            failure: Failure::Never,
            state_of_all: instance::State::Running,
            made: 0,
            loads: false,
            late: (0, 0),
        })))
    }

    pub(super) fn engine(&self) -> Engine<Handle> {
        Engine::new(self.clone(), || false).with_patience(Duration::ZERO)
    }

    pub(super) fn state(&self) -> State {
        self.0.borrow().state.clone()
    }

    pub(super) fn calls(&self) -> usize {
        self.0.borrow().calls
    }

    /// From the next call on.
    pub(super) fn fail(&self, failure: impl FnOnce(usize) -> Failure) {
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
        let fake = &mut *self.0.borrow_mut();
        let driver = fake.state.driver.as_mut().ok_or(MachineError::NoDriver)?;
        let bound: &[&str] = match &mut fake.late {
            (0, 0) => &fake.bound,
            (0, unbound) => {
                *unbound -= 1;
                &[]
            }
            (unloaded, _) => {
                *unloaded -= 1;
                return Err(MachineError::NoDriver);
            }
        };
        let reply = driver.answer(bound, fake.state_of_all, (code, input), room);
        if fails { failed } else { Ok(reply) }
    }

    fn create_device(&mut self, _name: &str) -> Result<String, MachineError> {
        self.step(|fake| {
            fake.made += 1;
            if fake.loads && fake.state.driver.is_none() {
                fake.state.driver = Some(Driver::default());
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
