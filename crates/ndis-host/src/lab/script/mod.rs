//! A script: steps that are done with a lab, one after the other, and what became of each.
//!
//! `ndishost check` runs the same script again and again under other circumstances. The standard one
//! ([`standard`]) is a driver's whole life, made for any lab file: load, plug, traffic, requests, pauses and
//! restarts, link, disable and enable, unplug, replug, surprise removal, unload. `[[step]]` in the lab file
//! takes its place.
//!
//! Whatever a step finds, the next ones are done as far as they can be: a step that needs what did not come
//! up is skipped and says why. Rules are not this module's business: a broken one ends the process.
//!
//! | file | concern |
//! |---|---|
//! | `run` | the steps that bring up and take down |
//! | `traffic` | frames both ways, counted |
//! | `requests` | OID requests, with good and bad buffers |
//! | `devices` | device control requests |
//! | `hardware` | what a device does to its miniport |
//! | `ground` | what a client stands on in the end |

mod devices;
mod ground;
mod hardware;
mod requests;
mod run;
mod traffic;

use serde::{Deserialize, Serialize};

use super::Order;
use super::file::{BindingSection, LabFile, VirtualMiniportSection};

pub use run::Runner;

/// `[[step]]`: one step of a script. Names are those of the lab file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Loads the image of that service.
    Load(String),
    /// Plugs that NIC in, or that adapter of an image.
    Plug(String),
    /// Brings that client up and waits until it runs.
    Attach(String),
    /// Waits until that client runs, and sees that it does.
    Running(String),
    /// Sends frames from each client that runs, and answers each frame that leaves a NIC; counts both.
    Traffic(Traffic),
    /// Makes OID requests from that client and of the adapter below it, right and wrong ones.
    Requests(String),
    /// Opens each device that the driver of that service made, and sends it requests, most of them wrong ones.
    Devices(String),
    /// Raises the interrupt of that adapter of an image, asks it whether it hangs, and resets it.
    Hardware(String),
    /// Pauses and restarts an adapter, with traffic on its way, by binding a protocol more and unbinding it.
    Storm(Storm),
    /// Takes the link of a NIC away and gives it back.
    Link(String),
    /// Halts a virtual miniport, as Device Manager's disable does.
    Disable(String),
    /// Tells the driver of that service that a virtual miniport of its own was enabled again.
    Enable(Enable),
    /// Puts all adapters to sleep in that order, and wakes them in the other one, with traffic on its way.
    Sleep(SleepOrder),
    /// Tells the driver of that service that its configuration changed.
    Reconfigure(String),
    /// Sets registry values of a binding; the driver reads them when it binds next.
    Binding(BindingSection),
    /// Adds a virtual miniport, or sets registry values of one.
    VirtualMiniport(VirtualMiniportSection),
    /// Takes that NIC or adapter out in the orderly way, with traffic on its way.
    Unplug(String),
    /// Pulls that NIC or adapter out by surprise, with traffic on its way.
    Pull(String),
    /// Unbinds that client and takes it away.
    Detach(String),
    /// Ends all bindings of the driver of that service, and uninstalls its protocol.
    Uninstall(String),
    /// Unloads the driver of that service, of which nothing may be left.
    Unload(String),
    /// Shuts the system down. It is the last step: nothing is undone any more.
    ShutDown(ShutDown),
    /// That step, which has to fail: a driver that does not take its adapter.
    Fails(Box<Step>),
}

/// `shut_down = {}`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ShutDown {}

/// `traffic = { frames = 8 }`: frames each way for each client, and in at each NIC that no client stands on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// How many.
    #[serde(default = "default_frames")]
    pub frames: u32,
}

/// `storm = { above = "vlan10", times = 3 }`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// The virtual miniport or NIC.
    pub above: String,
    /// How often.
    #[serde(default = "default_times")]
    pub times: u32,
}

/// `enable = { service = "ndismux", name = "vlan10" }`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// The driver.
    pub service: String,
    /// The virtual miniport.
    pub name: String,
}

/// `sleep = "upper_first"`: NDIS promises no order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SleepOrder {
    /// Virtual miniports before what they stand on.
    UpperFirst,
    /// NICs before what stands on them.
    LowerFirst,
}

impl SleepOrder {
    /// The order in which they fall asleep, and the one in which they wake.
    fn orders(self) -> (Order, Order) {
        match self {
            Self::UpperFirst => (Order::UpperFirst, Order::LowerFirst),
            Self::LowerFirst => (Order::LowerFirst, Order::UpperFirst),
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, and what it expects was so.
    Done,
    /// Something that it expects was not so.
    Failed,
    /// It could not be done, because of what had not come up.
    Skipped,
}

/// A step that is over.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Ended {
    /// The step, as the lab file writes it.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was counted, what was not so, or why it was skipped.
    pub detail: String,
}

/// What a name in a step is the name of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refers {
    Service,
    Nic,
    /// A NIC or an adapter of an image.
    Plug,
    Client,
    /// A virtual miniport or a NIC.
    Adapter,
}

impl Step {
    /// The names that it has, each with the step's key in the file.
    pub(super) fn refers(&self) -> Vec<(&'static str, Refers, &str)> {
        match self {
            Self::Load(name) => vec![("load", Refers::Service, name)],
            Self::Plug(name) => vec![("plug", Refers::Plug, name)],
            Self::Attach(name) => vec![("attach", Refers::Client, name)],
            Self::Running(name) => vec![("running", Refers::Client, name)],
            Self::Requests(name) => vec![("requests", Refers::Client, name)],
            Self::Devices(name) => vec![("devices", Refers::Service, name)],
            Self::Hardware(name) => vec![("hardware", Refers::Plug, name)],
            Self::Storm(storm) => vec![("storm", Refers::Adapter, &storm.above)],
            Self::Link(name) => vec![("link", Refers::Nic, name)],
            Self::Disable(name) => vec![("disable", Refers::Adapter, name)],
            Self::Enable(enable) => vec![
                ("enable", Refers::Service, &enable.service),
                ("enable", Refers::Adapter, &enable.name),
            ],
            Self::Reconfigure(name) => vec![("reconfigure", Refers::Service, name)],
            Self::Binding(binding) => vec![
                ("binding", Refers::Service, &binding.protocol),
                ("binding", Refers::Adapter, &binding.above),
            ],
            Self::Traffic(_) | Self::Sleep(_) | Self::VirtualMiniport(_) | Self::ShutDown(_) => {
                Vec::new()
            }
            Self::Fails(step) => step.refers(),
            Self::Unplug(name) => vec![("unplug", Refers::Plug, name)],
            Self::Pull(name) => vec![("pull", Refers::Plug, name)],
            Self::Detach(name) => vec![("detach", Refers::Client, name)],
            Self::Uninstall(name) => vec![("uninstall", Refers::Service, name)],
            Self::Unload(name) => vec![("unload", Refers::Service, name)],
        }
    }

    /// The virtual miniport that it adds.
    pub(super) fn adds(&self) -> Option<&str> {
        match self {
            Self::VirtualMiniport(it) => Some(&it.name),
            _ => None,
        }
    }
}

/// The steps for a lab file: its own, or the standard ones.
#[must_use]
pub fn steps(file: &LabFile) -> Vec<Step> {
    if file.steps.is_empty() {
        standard(file)
    } else {
        file.steps.clone()
    }
}

/// The standard script for what the lab file has.
#[must_use]
pub fn standard(file: &LabFile) -> Vec<Step> {
    let services = || file.images.iter().map(|image| image.service.clone());
    let nics = || file.nics.iter().map(|nic| nic.name.clone());
    let adapters = || file.adapters.iter().map(|adapter| adapter.name.clone());
    let plugs = || nics().chain(adapters());
    let clients = || file.clients.iter().map(|client| client.name.clone());
    let traffic = || {
        let frames = default_frames();
        let anywhere = !file.clients.is_empty() || !file.nics.is_empty();
        anywhere.then_some(Step::Traffic(Traffic { frames }))
    };
    let protocols = || services().filter(|service| has_protocol(file, service));
    let storm = |above: &String| {
        Step::Storm(Storm {
            above: above.clone(),
            times: default_times(),
        })
    };
    let mut steps = Vec::new();
    steps.extend(services().map(Step::Load));
    steps.extend(plugs().map(Step::Plug));
    steps.extend(clients().map(Step::Attach));
    steps.extend(traffic());
    steps.extend(clients().map(Step::Requests));
    steps.extend(services().map(Step::Devices));
    steps.extend(adapters().map(Step::Hardware));
    steps.extend(file.virtual_miniports.iter().map(|it| storm(&it.name)));
    steps.extend(plugs().map(|name| storm(&name)));
    steps.extend(nics().map(Step::Link));
    steps.extend(traffic());

    for (name, service) in owners(file) {
        let name = name.to_owned();
        steps.push(Step::Disable(name.clone()));
        steps.push(Step::Enable(Enable {
            service: service.to_owned(),
            name,
        }));
    }
    if plugs().next().is_some() {
        steps.push(Step::Sleep(SleepOrder::UpperFirst));
        steps.push(Step::Sleep(SleepOrder::LowerFirst));
    }
    steps.extend(protocols().map(Step::Reconfigure));
    steps.extend(clients().map(Step::Running));
    steps.extend(traffic());

    steps.extend(plugs().map(Step::Unplug));
    steps.extend(plugs().map(Step::Plug));
    steps.extend(clients().map(Step::Running));
    steps.extend(traffic());
    steps.extend(plugs().map(Step::Pull));
    steps.extend(plugs().map(Step::Plug));
    steps.extend(clients().map(Step::Running));
    steps.extend(traffic());

    steps.extend(clients().map(Step::Detach));
    steps.extend(plugs().map(Step::Unplug));
    let mut services: Vec<_> = services().collect();
    services.reverse();
    for service in services {
        if has_protocol(file, &service) {
            steps.push(Step::Uninstall(service.clone()));
        }
        steps.push(Step::Unload(service));
    }
    steps
}

/// Whether a driver binds to something.
fn has_protocol(file: &LabFile, service: &str) -> bool {
    file.bindings
        .iter()
        .any(|binding| binding.protocol == service)
}

/// The virtual miniports that a driver of the file makes, each with the driver.
fn owners(file: &LabFile) -> impl Iterator<Item = (&str, &str)> {
    file.virtual_miniports.iter().filter_map(|it| {
        let binding = ground::binding_below(file, it)?;
        Some((it.name.as_str(), binding.protocol.as_str()))
    })
}

fn default_frames() -> u32 {
    8
}

fn default_times() -> u32 {
    3
}

/// As the lab file writes it, in short.
impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Load(name) => write!(f, "load {name}"),
            Self::Plug(name) => write!(f, "plug {name}"),
            Self::Attach(name) => write!(f, "attach {name}"),
            Self::Running(name) => write!(f, "running {name}"),
            Self::Traffic(traffic) => write!(f, "traffic, {} frames", traffic.frames),
            Self::Requests(name) => write!(f, "requests {name}"),
            Self::Devices(name) => write!(f, "devices {name}"),
            Self::Hardware(name) => write!(f, "hardware {name}"),
            Self::Storm(storm) => write!(f, "storm {}, {} times", storm.above, storm.times),
            Self::Link(name) => write!(f, "link {name}"),
            Self::Disable(name) => write!(f, "disable {name}"),
            Self::Enable(enable) => write!(f, "enable {}", enable.name),
            Self::Sleep(SleepOrder::UpperFirst) => f.write_str("sleep, upper first"),
            Self::Sleep(SleepOrder::LowerFirst) => f.write_str("sleep, lower first"),
            Self::Reconfigure(name) => write!(f, "reconfigure {name}"),
            Self::Binding(binding) => {
                write!(f, "binding {} on {}", binding.protocol, binding.above)
            }
            Self::VirtualMiniport(it) => write!(f, "virtual_miniport {}", it.name),
            Self::Unplug(name) => write!(f, "unplug {name}"),
            Self::Pull(name) => write!(f, "pull {name}"),
            Self::Detach(name) => write!(f, "detach {name}"),
            Self::Uninstall(name) => write!(f, "uninstall {name}"),
            Self::Unload(name) => write!(f, "unload {name}"),
            Self::ShutDown(_) => f.write_str("shut_down"),
            Self::Fails(step) => write!(f, "fails: {step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = r#"
[[image]]
file = "a.sys"
service = "a"
[[nic]]
name = "trunk"
wire = "memory"
[[binding]]
protocol = "a"
above = "trunk"
[binding.registry]
UpperBindings = ['\Device\{one}']
[[virtual_miniport]]
name = "one"
device = '\Device\{ONE}'
[[client]]
name = "above"
above = "one"
wire = "memory"
"#;

    #[test]
    fn the_standard_script_leads_from_load_to_unload_and_back_up_twice() {
        let steps = steps(&LabFile::parse(LAB).unwrap());
        assert_eq!(steps.first(), Some(&Step::Load("a".into())));
        assert_eq!(steps.last(), Some(&Step::Unload("a".into())));
        let count = |wanted: &Step| steps.iter().filter(|step| *step == wanted).count();
        assert_eq!(count(&Step::Plug("trunk".into())), 3);
        assert_eq!(count(&Step::Unplug("trunk".into())), 2);
        assert_eq!(count(&Step::Pull("trunk".into())), 1);
        let enable = Enable {
            service: "a".into(),
            name: "one".into(),
        };
        assert_eq!(
            count(&Step::Enable(enable)),
            1,
            "the driver that makes it is told"
        );
    }

    #[test]
    fn steps_of_the_file_take_the_place_of_the_standard_script() {
        let text = format!(
            "{LAB}\n[[step]]\nload = \"a\"\n[[step]]\ntraffic = {{}}\n[[step]]\nstorm = {{ above = \"one\" }}\n"
        );
        let storm = Storm {
            above: "one".into(),
            times: default_times(),
        };
        let traffic = Traffic {
            frames: default_frames(),
        };
        let wanted = [
            Step::Load("a".into()),
            Step::Traffic(traffic),
            Step::Storm(storm),
        ];
        assert_eq!(steps(&LabFile::parse(&text).unwrap()), wanted);
    }

    #[test]
    fn steps_that_cannot_be_are_refused_with_their_line() {
        for (step, wanted) in [
            ("dance = \"a\"", "unknown variant `dance`"),
            ("load = \"b\"", "there are a"),
            ("unplug = \"one\"", "there are trunk"),
            ("detach = \"one\"", "there are above"),
            ("storm = { above = \"two\" }", "there are trunk, one"),
            ("sleep = \"well\"", "unknown variant `well`"),
            (
                "storm = { above = \"one\", often = 2 }",
                "unknown field `often`",
            ),
        ] {
            let text = format!("{LAB}\n[[step]]\n{step}\n");
            let error = LabFile::parse(&text).expect_err(step);
            assert!(error.to_string().contains(wanted), "{step}: {error}");
            let line = text.lines().count();
            let told = error.line().expect("the fault has a place");
            assert!(told == line || told == line - 1, "{step}: {error}");
        }
    }
}
