//! The runner, and the steps that bring up and take down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ndis_sys::NDIS_STATUS_SUCCESS;

use super::ground::{self, Ground};
use super::traffic::Ways;
use super::{Ended, Outcome, SleepOrder, Step, Storm};
use crate::client::Client;
use crate::lab::file::{BindingSection, LabFile, VirtualMiniportSection, borrowed, values};
use crate::lab::{Lab, LabError, NicPort};
use crate::ndis::{AdapterState, BindingState, policy};
use crate::nt::sched;

/// Does the steps of a script with a lab.
pub struct Runner<'a> {
    pub(super) lab: &'a Lab,
    /// How long what should come may take.
    pub(super) patience: Duration,
    /// How long NDIS may have had nothing to do until what has not come will not come.
    idle: Duration,
    pub(super) clients: BTreeMap<String, &'static Client>,
    /// What each client binds to.
    above: BTreeMap<String, String>,
    /// Clients whose frames leave a NIC, and are answered there.
    answered: BTreeSet<String>,
    /// NICs that some client stands on.
    below: BTreeSet<String>,
    nics: BTreeSet<String>,
    /// Adapters of images that are plugged in.
    adapters: BTreeSet<String>,
    services: Vec<String>,
    pub(super) ways: Ways,
    ended: Vec<Ended>,
    unloadable: Option<LabError>,
    refused: bool,
    shut_down: bool,
    hurried: bool,
}

/// A step that is over: what was counted, or why it failed or was skipped.
pub(super) type Result<T = String> = std::result::Result<T, (Outcome, String)>;

/// Takes something out of a lab, by its name.
type PlugOut = fn(&Lab, &str) -> std::result::Result<(), LabError>;

impl<'a> Runner<'a> {
    /// A runner for a lab that was prepared by `file`: its images, NICs and devices are there, and
    /// nothing is loaded or plugged.
    #[must_use]
    pub fn new(lab: &'a Lab, file: &LabFile) -> Self {
        let clients = || {
            let ground = |above| ground::below(file, above);
            file.clients.iter().map(move |it| (it, ground(&it.above)))
        };
        let answered = clients().filter(|(client, ground)| {
            client.answered && !matches!(ground, Some(Ground::Adapter(_)))
        });
        let below = clients().filter_map(|(_, ground)| match ground {
            Some(Ground::Nic(nic)) => Some(nic.to_owned()),
            _ => None,
        });
        let above = file.clients.iter();
        let above = above.map(|it| (it.name.clone(), it.above.clone()));
        Self {
            lab,
            patience: PATIENCE,
            idle: NOT_COMING,
            clients: BTreeMap::new(),
            above: above.collect(),
            answered: answered.map(|(client, _)| client.name.clone()).collect(),
            below: below.collect(),
            nics: BTreeSet::new(),
            adapters: BTreeSet::new(),
            services: Vec::new(),
            ways: Ways::default(),
            ended: Vec::new(),
            unloadable: None,
            refused: false,
            shut_down: false,
            hurried: false,
        }
    }

    /// Expects that things go wrong: does not wait long for what may never come.
    #[must_use]
    pub fn impatient(mut self) -> Self {
        self.patience = IMPATIENCE;
        self.idle = IDLE;
        self.hurried = true;
        self
    }

    /// Does the steps in order, then takes down what is still up.
    pub fn run(&mut self, steps: &[Step]) {
        self.begin(steps);
        if self.shut_down {
            return;
        }
        let clients: Vec<_> = self.clients.keys().cloned().collect();
        let plugs: Vec<_> = self.adapters.iter().chain(&self.nics).cloned().collect();
        let services: Vec<_> = self.services.iter().rev().cloned().collect();
        clients
            .into_iter()
            .for_each(|name| self.step(&Step::Detach(name)));
        plugs
            .into_iter()
            .for_each(|name| self.step(&Step::Unplug(name)));
        for service in services {
            self.step(&Step::Uninstall(service.clone()));
            self.step(&Step::Unload(service));
        }
        self.lab.settle(PATIENCE);
        if sched::is_seeded() {
            // For what calls into a driver that is gone.
            sched::sleep(AFTERWARDS);
        }
    }

    /// Does the steps in order, and leaves up what is.
    pub fn begin(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
            if self.shut_down {
                return;
            }
        }
    }

    /// What became of the steps so far.
    #[must_use]
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// Why an image could not be loaded, if that was so.
    #[must_use]
    pub fn unloadable(&self) -> Option<&LabError> {
        self.unloadable.as_ref()
    }

    /// Whether the system was shut down, with all that was up.
    #[must_use]
    pub fn was_shut_down(&self) -> bool {
        self.shut_down
    }

    /// Whether a `DriverEntry` failed.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.refused
    }

    fn step(&mut self, step: &Step) {
        tracing::debug!(%step, "begins");
        let (outcome, detail) = match self.act(step) {
            Ok(detail) => (Outcome::Done, detail),
            Err(failed) => failed,
        };
        tracing::info!(%step, ?outcome, detail);
        self.ended.push(Ended {
            step: step.to_string(),
            outcome,
            detail,
        });
    }

    fn act(&mut self, step: &Step) -> Result {
        match step {
            Step::Load(service) => self.load(service),
            Step::Plug(name) => self.plug(name),
            Step::Attach(client) => self.attach(client),
            Step::Running(client) => self.running(client),
            Step::Traffic(traffic) => self.traffic(traffic.frames),
            Step::Requests(client) => self.requests(client),
            Step::Devices(service) => self.devices(service),
            Step::Hardware(adapter) => self.hardware(adapter),
            Step::Storm(storm) => self.storm(storm),
            Step::Link(nic) => self.link(nic),
            Step::Disable(name) => {
                self.require_adapter(name)?;
                self.with_traffic(|lab| lab.disable(name))
            }
            Step::Enable(enable) => {
                self.require_loaded(&enable.service)?;
                let status = self.lab.enable(&enable.service, &enable.name);
                expect_success("NetEventIMReEnableDevice", status.map_err(trouble)?)
            }
            Step::Sleep(order) => self.sleep(*order),
            Step::Reconfigure(service) => {
                self.require_loaded(service)?;
                let status = self.lab.reconfigure(service).map_err(trouble)?;
                expect_success("NetEventReconfigure", status)
            }
            Step::Binding(binding) => self.set_binding(binding),
            Step::VirtualMiniport(it) => Ok(self.set_virtual_miniport(it)),
            Step::Unplug(name) => self.unplug(name, [Lab::unplug_nic, Lab::unplug_adapter]),
            Step::Pull(name) => self.unplug(name, [Lab::pull_nic, Lab::pull_adapter]),
            Step::Detach(client) => self.detach(client),
            Step::Uninstall(service) => {
                self.require_loaded(service)?;
                self.lab.uninstall(service).map_err(trouble)?;
                Ok(String::new())
            }
            Step::Unload(service) => {
                self.require_loaded(service)?;
                self.services.retain(|loaded| loaded != service);
                self.lab.unload(service).map_err(trouble)?;
                Ok("nothing of it is left".to_owned())
            }
            Step::ShutDown(_) => {
                self.lab.shut_down();
                self.shut_down = true;
                Ok(String::new())
            }
            Step::Fails(step) => match self.act(step) {
                Err((Outcome::Failed, detail)) => Ok(detail),
                Err(skipped) => Err(skipped),
                Ok(_) => Err((Outcome::Failed, "it was done".to_owned())),
            },
        }
    }

    fn load(&mut self, service: &str) -> Result {
        match self.lab.load_driver(service) {
            Ok(()) => {
                self.services.push(service.to_owned());
                Ok(String::new())
            }
            Err(error) => {
                let failed = trouble(&error);
                match error {
                    LabError::Load { .. } => self.unloadable = Some(error),
                    LabError::Entry { .. } => self.refused = true,
                    _ => {}
                }
                Err(failed)
            }
        }
    }

    fn plug(&mut self, name: &str) -> Result {
        if self.lab.nic(name).is_ok() {
            self.lab.plug_nic(name).map_err(trouble)?;
            self.nics.insert(name.to_owned());
        } else {
            self.lab.plug_adapter(name).map_err(trouble)?;
            self.adapters.insert(name.to_owned());
        }
        Ok(String::new())
    }

    /// `how`: for a NIC, and for an adapter of an image.
    fn unplug(&mut self, name: &str, how: [PlugOut; 2]) -> Result {
        let [nic, adapter] = how;
        let how = if self.nics.contains(name) {
            nic
        } else if self.adapters.contains(name) {
            adapter
        } else {
            return Err(skipped(format_args!("{name} is not plugged in")));
        };
        let done = self.with_traffic(|lab| how(lab, name));
        self.nics.remove(name);
        self.adapters.remove(name);
        done
    }

    fn attach(&mut self, name: &str) -> Result {
        let above = self.above.get(name).cloned();
        let above = above.ok_or_else(|| skipped(format_args!("there is no client {name}")))?;
        if self.clients.contains_key(name) {
            return Err(skipped(format_args!("the client {name} is there already")));
        }
        // A virtual miniport may still be on its way.
        self.wait_for(|lab| lab.adapter_state(&above) == AdapterState::Running);
        let client = self.lab.add_client(name, &above).map_err(trouble)?;
        self.clients.insert(name.to_owned(), client);
        self.running(name)
    }

    fn running(&self, name: &str) -> Result {
        let client = self.client(name)?;
        if self.wait_for(|_| self.runs(client)) {
            return Ok(String::new());
        }
        let above = &self.above[name];
        let what = format!(
            "the client is {:?}, and {above} below it is {:?}",
            client.binding_state(),
            self.lab.adapter_state(above)
        );
        Err((Outcome::Failed, what))
    }

    fn detach(&mut self, name: &str) -> Result {
        self.client(name)?;
        self.clients.remove(name);
        self.lab.remove_client(name).map_err(trouble)?;
        Ok(String::new())
    }

    fn storm(&mut self, storm: &Storm) -> Result {
        self.require_adapter(&storm.above)?;
        let visitor = format!("visitor of {}", storm.above);
        for _ in 0..storm.times {
            self.with_traffic(|lab| {
                lab.add_client(&visitor, &storm.above)?;
                lab.remove_client(&visitor)
            })?;
        }
        let stopped = self.clients.values().filter(|client| {
            let comes_back = self.wait_for(|_| self.runs(client));
            !comes_back && self.above[client.name()] == storm.above
        });
        let stopped: Vec<_> = stopped.map(|client| client.name()).collect();
        if stopped.is_empty() {
            return Ok(format!("{} times", storm.times));
        }
        let what = format!("not running any more: {}", stopped.join(", "));
        Err((Outcome::Failed, what))
    }

    fn sleep(&mut self, order: SleepOrder) -> Result {
        let (down, up) = order.orders();
        let (mut awake, mut gone) = (Vec::new(), Vec::new());
        let hurried = self.hurried;
        self.with_traffic(|lab| {
            awake = lab.sleep_system(down);
            if !hurried {
                // For drivers that do not sleep.
                sched::sleep(NIGHT);
            }
            gone = lab.wake_system(up);
            Ok(())
        })?;
        match (&awake[..], &gone[..]) {
            ([], []) => Ok(String::new()),
            _ => Err((
                Outcome::Failed,
                format!(
                    "kept awake: {}; did not wake: {}",
                    awake.join(", "),
                    gone.join(", ")
                ),
            )),
        }
    }

    fn link(&mut self, nic: &str) -> Result {
        let port = self.plugged(nic)?;
        let look = |up: bool| {
            port.set_link(up);
            self.lab.settle(self.patience);
        };
        look(false);
        look(true);
        Ok(String::new())
    }

    fn set_binding(&mut self, binding: &BindingSection) -> Result {
        let values = values(&binding.registry);
        let bound = self
            .lab
            .bind(&binding.protocol, &binding.above, &borrowed(&values));
        bound.map_err(trouble)?;
        Ok(String::new())
    }

    fn set_virtual_miniport(&mut self, it: &VirtualMiniportSection) -> String {
        let values = values(&it.registry);
        self.lab
            .add_virtual_miniport(&it.name, it.device.as_str(), &borrowed(&values));
        String::new()
    }

    /// Does something to the lab while frames are on their way both ways: whatever becomes of them, all
    /// sends have to complete.
    fn with_traffic(
        &mut self,
        work: impl FnOnce(&Lab) -> std::result::Result<(), LabError>,
    ) -> Result {
        let tickets = self.burst();
        let asked = self.ask();
        let worked = work(self.lab);
        drop(asked);
        worked.map_err(trouble)?;
        let out = tickets
            .iter()
            .filter(|ticket| ticket.wait(PATIENCE).is_none());
        match out.count() {
            0 => Ok(String::new()),
            count => Err((
                Outcome::Failed,
                format!("{count} chains of sends are not complete"),
            )),
        }
    }

    /// Waits until all that NICs received and were given to send is back, or a driver has kept it for so
    /// long that a rule says so.
    pub(super) fn let_come_back(&mut self) {
        let quiet = |port: &NicPort| port.is_quiet() && port.sends_outstanding() == 0;
        let end = sched::now() + policy::current().send_limit + AT_A_LIMIT;
        while !self.hurried && !self.ports().iter().all(quiet) {
            if sched::now() > end {
                // It keeps frames, which nobody forbids a protocol: once is enough.
                self.hurried = true;
            }
            sched::sleep(LOOK);
        }
    }

    /// Waits until something is so; not longer than until NDIS has had nothing to do for some time.
    pub(super) fn wait_for(&self, so: impl Fn(&Lab) -> bool) -> bool {
        let end = sched::now() + PATIENCE;
        let mut busy = sched::now();
        loop {
            if so(self.lab) {
                return true;
            }
            let now = sched::now();
            if !self.lab.settle(Duration::ZERO) {
                busy = now;
            }
            if now > end || now - busy > self.idle {
                return false;
            }
            sched::sleep(LOOK);
        }
    }

    /// Whether a client may send. It says so while its restart is still on its way: NDIS has to as well.
    pub(super) fn runs(&self, client: &Client) -> bool {
        let above = self.above.get(client.name());
        client.binding_state() == BindingState::Running
            && above.is_some_and(|above| {
                self.lab.binding_state(client.name(), above) == BindingState::Running
            })
    }

    pub(super) fn client(&self, name: &str) -> Result<&'static Client> {
        let client = self.clients.get(name).copied();
        client.ok_or_else(|| skipped(format_args!("the client {name} is not there")))
    }

    /// What a client binds to.
    pub(super) fn below(&self, client: &str) -> &str {
        self.above.get(client).map_or("", String::as_str)
    }

    fn plugged(&self, nic: &str) -> Result<NicPort> {
        if !self.nics.contains(nic) {
            return Err(skipped(format_args!("the NIC {nic} is not plugged in")));
        }
        self.lab.nic(nic).map_err(trouble)
    }

    /// The adapters of images that are plugged in.
    pub(super) fn adapters(&self) -> impl Iterator<Item = &str> {
        self.adapters.iter().map(String::as_str)
    }

    /// Whether what a client sends leaves a NIC and is answered there.
    pub(super) fn is_answered(&self, client: &Client) -> bool {
        self.answered.contains(client.name())
    }

    /// The NICs that are plugged in and that no client stands on.
    pub(super) fn ports_without_clients(&self) -> Vec<NicPort> {
        let mut ports = self.ports();
        ports.retain(|port| !self.below.contains(&port.config().label));
        ports
    }

    /// The NICs that are plugged in.
    pub(super) fn ports(&self) -> Vec<NicPort> {
        let ports = self.nics.iter().map(|name| self.lab.nic(name));
        ports.filter_map(std::result::Result::ok).collect()
    }

    pub(super) fn require_loaded(&self, service: &str) -> Result<()> {
        if self.services.iter().any(|loaded| loaded == service) {
            return Ok(());
        }
        Err(skipped(format_args!("{service} is not loaded")))
    }

    pub(super) fn require_adapter(&self, name: &str) -> Result<()> {
        if self.wait_for(|lab| lab.adapter_state(name) == AdapterState::Running) {
            return Ok(());
        }
        let state = self.lab.adapter_state(name);
        Err(skipped(format_args!("the adapter {name} is {state:?}")))
    }
}

pub(super) fn skipped(why: std::fmt::Arguments<'_>) -> (Outcome, String) {
    (Outcome::Skipped, why.to_string())
}

pub(super) fn trouble(error: impl std::borrow::Borrow<LabError>) -> (Outcome, String) {
    let error = error.borrow();
    let outcome = match error {
        LabError::Unknown { .. } | LabError::Already { .. } => Outcome::Skipped,
        _ => Outcome::Failed,
    };
    (outcome, error.to_string())
}

fn expect_success(event: &str, status: ndis_sys::NDIS_STATUS) -> Result {
    if status == NDIS_STATUS_SUCCESS {
        return Ok(String::new());
    }
    Err((
        Outcome::Failed,
        format!("{event} ended with {status:#010x}"),
    ))
}

/// How long what should come may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same for frames, where they may be lost.
const IMPATIENCE: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_millis(30);
/// How long what NDIS does not do any more may be on its way by the driver alone.
const NOT_COMING: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(1);
/// How long the system sleeps.
const NIGHT: Duration = Duration::from_millis(150);
/// How late a limit that is over may be seen to be.
const AT_A_LIMIT: Duration = Duration::from_secs(2);
/// Longer than anything that a driver may have left behind takes by right.
const AFTERWARDS: Duration = Duration::from_secs(10);
