//! The device by which an administrator's program controls the driver, `\\.\ndismux`.
//!
//! `mux_core::control` says what goes over it; here each request is carried out. A request that fails
//! leaves everything as it was, and its status says why. Should NDIS, after a change that it refused, not
//! have the virtual miniport back either, the event log says so, and the next reconfiguration asks for it
//! as it was.
//!
//! What is added or changed is written into the registry as well, so that it is there after a restart: the
//! name into the binding's `UpperBindings`; the VLAN and the address into the binding's configuration too,
//! and from there into the virtual miniport's own when that is opened next, in its initialisation
//! ([`mux_core::config::asked`]).
//!
//! Several programs may ask at once, while NDIS binds, unbinds and reconfigures: whoever changes a binding
//! waits for its turn ([`Binding::begin_change`]).
//!
//! Not here: who may open the device. Its security descriptor lets in the system and administrators, and
//! nobody else.

mod set;

use core::result;

use mux_core::{
    VlanId,
    config::{
        MAXIMUM_NAME_LENGTH, MAXIMUM_VIRTUAL_MINIPORTS,
        asked::{Address, Asked},
        same_name,
    },
    control::{
        self, Acknowledgement, Entry, Link, ListWriter, Name, Operation, Request, StatisticsAnswer,
        list::{SPEED_UNKNOWN, Written},
        status,
    },
    statistics::Statistics,
};
use ndis::{
    Passive, Result, Shared, Status,
    device::{ControlRequest, Device, Ended, Names},
    string::ascii_terminated,
};

use crate::{
    binding::{Binding, Change},
    config::{self, UpperBindings},
    driver::Mux,
    instance::Instance,
    reconfigure,
    roster::Member,
};

/// What the device is called, and who may open it: the system and administrators.
pub(crate) const NAMES: Names = Names {
    device: &ascii_terminated::<16>(control::DEVICE_NAME),
    link: &ascii_terminated::<20>(control::SYMBOLIC_NAME),
    security: &ascii_terminated::<28>("D:P(A;;GA;;;SY)(A;;GA;;;BA)"),
};

/// A number of `mux_core::control::status`, or what NDIS refused something with.
type Outcome<T = ()> = result::Result<T, Status>;

impl Device for Mux {
    fn control(&self, mut request: ControlRequest<'_>, at: Passive<'_>) -> Ended {
        let Some(operation) = Operation::of_code(request.code()) else {
            return Ended::with(number(status::INVALID_DEVICE_REQUEST));
        };
        if request.output_length() < operation.least_answer() {
            return Ended::with(number(status::BUFFER_TOO_SMALL));
        }
        let answered = match Request::decode(operation, request.input()) {
            Err(error) => Err(number(error.status())),
            Ok(Request::List) => return list(self, request.output()),
            Ok(Request::Statistics { device }) => {
                statistics(self, device).and_then(|answer| fits(answer.encode(request.output())))
            }
            Ok(change) => carry_out(self, change, at)
                .and_then(|()| fits(Acknowledgement.encode(request.output()))),
        };
        match answered {
            Ok(length) => Ended {
                status: Status::SUCCESS,
                length,
            },
            // Of the success class: NDIS has a virtual miniport of that device already.
            Err(Status::NOT_ACCEPTED) => Ended::with(number(status::OBJECT_NAME_COLLISION)),
            Err(status) => Ended::with(status),
        }
    }
}

/// Makes the change that is asked for.
fn carry_out(mux: &Mux, request: Request<'_>, at: Passive<'_>) -> Outcome {
    match request {
        Request::Add {
            nic,
            device,
            vlan,
            address,
        } => {
            let asked = Asked {
                vlan: Some(vlan),
                address: address.map(Address::Set),
            };
            add(mux, nic, device, asked, at)
        }
        Request::Remove { device } => remove(mux, device, at),
        Request::Set {
            device,
            vlan,
            address,
        } => set::set(mux, device, Asked { vlan, address }, at),
        Request::List | Request::Statistics { .. } => Err(Status::INVALID_PARAMETER),
    }
}

/// Every binding, and after it the virtual miniports on it.
fn list(mux: &Mux, output: &mut [u8]) -> Ended {
    let Ok(mut list) = ListWriter::new(output) else {
        return Ended::with(number(status::BUFFER_TOO_SMALL));
    };
    for binding in mux.bindings().iter().filter(|it| !it.is_gone()) {
        let Some(entry) = binding_entry(binding) else {
            continue;
        };
        list.push(&Entry::Binding(entry));
        let instances = binding.instances().list();
        for instance in instances.iter().filter(|it| !it.is_gone()) {
            if let Some(entry) = instance_entry(instance) {
                list.push(&Entry::VirtualMiniport(entry));
            }
        }
    }
    match list.finish() {
        Written::All(length) => Ended {
            status: Status::SUCCESS,
            length,
        },
        Written::CutShort(length) => Ended {
            status: number(status::BUFFER_OVERFLOW),
            length,
        },
    }
}

fn binding_entry(binding: &Binding) -> Option<control::Binding<'_>> {
    let (link, speed) = link(binding);
    Some(control::Binding {
        nic: Name::new(binding.name())?,
        state: binding.lifecycle(),
        link,
        speed,
        mtu: binding.nic().mtu,
        address: binding.nic().address,
    })
}

fn instance_entry(instance: &Instance) -> Option<control::VirtualMiniport<'_>> {
    let device = Name::new(instance.name())?;
    let state = instance.lifecycle();
    Some(match instance.miniport() {
        Some(miniport) => {
            let (link, speed) = link(instance.binding());
            control::VirtualMiniport {
                device,
                state,
                vlan: miniport.vlan,
                link,
                speed,
                mtu: miniport.sizes.mtu,
                address: miniport.address,
            }
        }
        None => control::VirtualMiniport {
            device,
            state,
            vlan: instance.vlan().unwrap_or(VlanId::NONE),
            link: Link::Unknown,
            speed: SPEED_UNKNOWN,
            mtu: 0,
            address: Default::default(),
        },
    })
}

/// The link of the adapter below, and its speed.
fn link(binding: &Binding) -> (Link, u64) {
    let link = binding.link();
    let state = match link.connect {
        1 => Link::Up,
        2 => Link::Down,
        _ => Link::Unknown,
    };
    (state, link.transmit_speed)
}

/// What a virtual miniport has counted since it was initialised.
fn statistics(mux: &Mux, device: Name<'_>) -> Outcome<StatisticsAnswer> {
    let instance = Text::of(device)?.instance(mux)?;
    let snapshot = match instance.miniport() {
        Some(miniport) => miniport.statistics.snapshot(),
        None => Statistics::new().snapshot(),
    };
    Ok(StatisticsAnswer(snapshot))
}

/// Adds a virtual miniport: into the list, into the registry, and NDIS is asked for it.
fn add(mux: &Mux, nic: Name<'_>, device: Name<'_>, asked: Asked, at: Passive<'_>) -> Outcome {
    let nic = Text::of(nic)?;
    let device = Text::of(device)?;
    let bindings = mux.bindings();
    let mut bound = bindings.iter().filter(|it| !it.is_gone());
    let binding = bound
        .find(|binding| same_name(binding.name(), nic.units()))
        .ok_or(number(status::NO_SUCH_DEVICE))?;
    let change = binding
        .begin_change(at)
        .map_err(|_| number(status::NO_SUCH_DEVICE))?;
    if device.instance(mux).is_ok() {
        return Err(number(status::OBJECT_NAME_COLLISION));
    }
    require_free(binding, asked.vlan, None)?;
    let there = binding.instances().list();
    let others = there.iter().filter(|it| !it.is_leaving());
    if others.clone().count() >= MAXIMUM_VIRTUAL_MINIPORTS {
        return Err(Status::RESOURCES);
    }
    let is_taken = |address| {
        others
            .clone()
            .any(|it| it.addresses().any(|has| has == address))
    };
    let instance = reconfigure::instance(device.units(), binding, is_taken, asked)?;
    binding.add_instances(&change, core::slice::from_ref(&instance))?;
    name_and_request(mux, binding, &change, &instance, at).inspect_err(|_| {
        instance.leave(mux, at);
        instance.wait_until_gone(at);
        binding.instances().tidy();
    })
}

/// Writes into the registry what is asked for a new virtual miniport, then its name, and asks NDIS for it.
fn name_and_request(
    mux: &Mux,
    binding: &Binding,
    change: &Change<'_>,
    instance: &Shared<Instance>,
    at: Passive<'_>,
) -> Result {
    let mut configuration = change.configuration(at)?;
    let unused = |error: &_| mux.log_config(error, binding.name());
    let names = change.names(&mut configuration, unused, at)?;
    // First: named without it, it would come up in no VLAN.
    config::write_asked(instance.name(), instance.asked(), &mut configuration, at)?;
    let named = names
        .add(instance.name(), &mut configuration, at)
        .and_then(|before| {
            if let Some(before) = &before {
                change.named_in(before.part);
            }
            Instance::request(instance, mux, at).inspect_err(|_| {
                if let Some(before) = before {
                    // Should this fail, the next bind asks NDIS once more.
                    let _restored = UpperBindings::write(&before, &mut configuration, at);
                }
            })
        });
    named.inspect_err(|_| binding.forget_asked(instance.name(), at))
}

/// Takes a virtual miniport out of the registry and down, and waits until it is gone.
fn remove(mux: &Mux, device: Name<'_>, at: Passive<'_>) -> Outcome {
    let instance = Text::of(device)?.instance(mux)?;
    let binding = instance.binding();
    let change = begin_change(&instance, at)?;
    let mut configuration = change.configuration(at)?;
    let unused = |error: &_| mux.log_config(error, binding.name());
    let names = change.names(&mut configuration, unused, at)?;
    names.remove(instance.name(), &mut configuration, at)?;
    drop(configuration);
    instance.leave(mux, at);
    instance.wait_until_gone(at);
    binding.forget_asked(instance.name(), at);
    binding.instances().tidy();
    Ok(())
}

/// The turn to change the binding that an instance stands on.
///
/// # Errors
/// [`status::OBJECT_NAME_NOT_FOUND`] if somebody else has taken it down meanwhile.
fn begin_change<'a>(instance: &'a Instance, at: Passive<'_>) -> Outcome<Change<'a>> {
    let change = instance.binding().begin_change(at);
    let change = change.ok().filter(|_| !instance.is_leaving());
    change.ok_or(number(status::OBJECT_NAME_NOT_FOUND))
}

/// Whether nobody but `own` has this VLAN, or is about to take it. What decides is the initialisation;
/// this is so that the program learns of it.
fn require_free(
    binding: &Binding,
    vlan: Option<VlanId>,
    own: Option<&Shared<Instance>>,
) -> Outcome {
    let instances = binding.instances().list();
    let mut others = instances
        .iter()
        .filter(|it| !it.is_leaving() && own.is_none_or(|own| !own.same(it)));
    if vlan.is_some() && others.any(|other| other.vlan() == vlan) {
        return Err(number(status::ADDRESS_ALREADY_EXISTS));
    }
    Ok(())
}

/// A name that came with a request, copied: the answer is put where the request is.
struct Text {
    units: [u16; MAXIMUM_NAME_LENGTH],
    length: usize,
}

impl Text {
    fn of(name: Name<'_>) -> Outcome<Self> {
        let mut units = [0; MAXIMUM_NAME_LENGTH];
        let length = name.copy_to(&mut units).map(<[u16]>::len);
        let length = length.ok_or(Status::INVALID_PARAMETER)?;
        Ok(Self { units, length })
    }

    fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or_default()
    }

    /// The virtual miniport of that name.
    fn instance(&self, mux: &Mux) -> Outcome<Shared<Instance>> {
        let is_it = |instance: &Shared<Instance>| same_name(instance.name(), self.units());
        mux.find_instance(is_it)
            .ok_or(number(status::OBJECT_NAME_NOT_FOUND))
    }
}

/// An answer whose buffer was looked at before.
fn fits(encoded: result::Result<usize, control::BufferTooSmall>) -> Outcome<usize> {
    encoded.map_err(|_| number(status::BUFFER_TOO_SMALL))
}

const fn number(status: u32) -> Status {
    Status::from_raw(status.cast_signed())
}
