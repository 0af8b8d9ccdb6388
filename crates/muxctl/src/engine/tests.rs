//! The engine over a machine that is made of memory and fails at any step.

use mux_core::{MacAddress, VlanId};

use super::{NewVlan, Which};

mod add;
mod change;
mod driver;
mod list;
mod machine;

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
