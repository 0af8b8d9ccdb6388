//! Status indications of the adapter below: told above, kept, or swallowed, as
//! [`mux_core::status::TABLE`] says.

use mux_core::status::{self, Action, Indication};
use ndis::protocol::StatusIndication;

use crate::{
    binding::{Binding, offload},
    instance::Instance,
    trace,
};

/// `ProtocolStatusEx`.
pub(super) fn status(binding: &Binding, indication: &StatusIndication<'_>) {
    let what = Indication {
        code: indication.code(),
        port: indication.port(),
        directed: indication.is_directed(),
        length: indication.buffer().len(),
    };
    let action = status::action(what);
    trace::status(binding.name(), what.code, action);
    match action {
        Action::NetworkChange => {
            if let Some(change) = indication.number() {
                each(binding, |instance| instance.network_changed(change));
            }
        }
        Action::LinkState => {
            if let Some(link) = indication.link_state() {
                binding.set_link(link);
                each(binding, Instance::indicate_link);
            }
        }
        Action::Offload => {
            if let Some(current) = indication.offload() {
                binding.set_offloads(|offloads| offloads.current = offload::to_core(current));
                each(binding, Instance::indicate_offload);
            }
        }
        Action::OffloadHardware => {
            if let Some(hardware) = indication.offload() {
                binding.set_offloads(|offloads| offloads.hardware = offload::to_core(hardware));
                each(binding, Instance::indicate_offload_hardware);
            }
        }
        Action::Pattern => {
            let below = indication.number();
            let pattern = below.and_then(|id| binding.wake_up().rejected(id));
            if let Some((vlan, above)) = pattern {
                each(binding, |instance| {
                    if instance.vlan() == Some(vlan) {
                        instance.indicate_pattern_rejected(above);
                    }
                });
            }
        }
        Action::Swallow => {}
    }
}

fn each(binding: &Binding, tell: impl Fn(&Instance)) {
    let instances = binding.instances().list();
    instances.iter().for_each(|instance| tell(instance));
}
