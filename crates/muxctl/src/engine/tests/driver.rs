//! The driver in the machine: its virtual miniports, and what it answers.

use mux_core::config::asked::Address;
use mux_core::control::{
    self, Acknowledgement, Entry, Link, ListWriter, Name, Operation, Request, StatisticsAnswer,
    list, status,
};
use mux_core::lifecycle::{binding, instance};
use mux_core::statistics::{Count, Snapshot, Tally};
use mux_core::{MacAddress, VlanId};

use crate::engine::list::same;
use crate::engine::wide;
use crate::machine::Reply;

/// The driver's virtual miniports.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Driver(pub(super) Vec<Present>);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Present {
    nic: String,
    device: String,
    pub(super) vlan: VlanId,
    pub(super) address: Option<MacAddress>,
}

/// The statistics of each: these directed frames sent.
pub(super) const SENT: Count = Count {
    frames: 3,
    bytes: 180,
};

impl Driver {
    /// Answers a request, which is right, in at most `room` bytes. The driver is bound to these NICs, and
    /// its virtual miniports are all in one state.
    pub(super) fn answer(
        &mut self,
        bound: &[&str],
        state: instance::State,
        (code, input): (u32, &[u8]),
        room: usize,
    ) -> Reply {
        let mut output = vec![0; room];
        let operation = Operation::of_code(code).expect("a code of the driver's");
        let request = Request::decode(operation, input).expect("a request that is right");
        let answered = match request {
            Request::List => Ok(self.list(bound, state, &mut output)),
            Request::Add {
                nic,
                device,
                vlan,
                address,
            } => self.add(bound, &nic, &device, (vlan, address)),
            Request::Remove { device } => self.find(&device).map(|place| {
                self.0.remove(place);
                Answer::Done
            }),
            Request::Set {
                device,
                vlan,
                address,
            } => self.find(&device).map(|place| {
                let it = &mut self.0[place];
                it.vlan = vlan.unwrap_or(it.vlan);
                it.address = match address {
                    Some(Address::Set(address)) => Some(address),
                    Some(Address::Derived) => None,
                    None => it.address,
                };
                Answer::Done
            }),
            Request::Statistics { device } => self.find(&device).map(|_| Answer::Statistics),
        };
        let (status, length) = match answered {
            Ok(Answer::Written(status, length)) => (status, length),
            Ok(Answer::Done) => (
                status::SUCCESS,
                Acknowledgement.encode(&mut output).unwrap(),
            ),
            Ok(Answer::Statistics) => (status::SUCCESS, statistics().encode(&mut output).unwrap()),
            Err(status) => (status, 0),
        };
        output.truncate(length);
        Reply { status, output }
    }

    /// The device of the virtual miniport in this place.
    pub(super) fn device(&self, place: usize) -> &str {
        &self.0[place].device
    }

    fn find(&self, device: &Name<'_>) -> Result<usize, u32> {
        let place = self.0.iter().position(|it| is(device, &it.device));
        place.ok_or(status::OBJECT_NAME_NOT_FOUND)
    }

    fn add(
        &mut self,
        bound: &[&str],
        nic: &Name<'_>,
        device: &Name<'_>,
        (vlan, address): (VlanId, Option<MacAddress>),
    ) -> Result<Answer, u32> {
        let nic = bound.iter().find(|it| is(nic, it));
        let nic = nic.ok_or(status::NO_SUCH_DEVICE)?;
        if self.find(device).is_ok() {
            return Err(status::OBJECT_NAME_COLLISION);
        }
        self.0.push(Present {
            nic: (*nic).to_owned(),
            device: device.to_string(),
            vlan,
            address,
        });
        Ok(Answer::Done)
    }

    fn list(&self, bound: &[&str], state: instance::State, output: &mut [u8]) -> Answer {
        let mut writer = ListWriter::new(output).expect("room for the fixed part");
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
            for it in self.0.iter().filter(|it| it.nic == *nic) {
                let units = wide(&it.device);
                writer.push(&Entry::VirtualMiniport(control::VirtualMiniport {
                    device: Name::new(&units).unwrap(),
                    state,
                    vlan: it.vlan,
                    link: Link::Up,
                    speed: list::SPEED_UNKNOWN,
                    mtu: 1496,
                    address: it.address.unwrap_or(MacAddress([2, 0, 0, 0, 0, 9])),
                }));
            }
        }
        match writer.finish() {
            list::Written::All(length) => Answer::Written(status::SUCCESS, length),
            list::Written::CutShort(length) => Answer::Written(status::BUFFER_OVERFLOW, length),
        }
    }
}

/// What a request that succeeds is answered with.
enum Answer {
    /// An acknowledgement.
    Done,
    Statistics,
    /// What is in the output already: its status and length.
    Written(u32, usize),
}

fn is(name: &Name<'_>, text: &str) -> bool {
    same(&name.to_string(), text)
}

fn statistics() -> StatisticsAnswer {
    StatisticsAnswer(Snapshot {
        send: Tally {
            directed: SENT,
            ..Tally::new()
        },
        ..Default::default()
    })
}
