//! Labs around ndismux: a NIC below, virtual miniports, a client above each.

use std::ops::Deref;

use ndis_host::{
    client::Client,
    lab::{Lab, NicPort},
    ndis::{AdapterState, BindingState, trace::Record},
    nic::NicConfig,
    nt::registry::Value,
};

use crate::{Frame, MAC_BELOW, MAC_BELOW_1, MAC_PEER, SOON, image, wait_until};

/// The service, and the protocol, of the driver.
pub const SERVICE: &str = "ndismux";

/// The NIC below.
pub const NIC: &str = "nic0";

/// The driver's binding to the NIC, as the trace calls it.
pub const BINDING: &str = r"ndismux on \Device\nic0";

/// A second NIC, where a lab has one.
pub const NIC1: &str = "nic1";

/// The driver's binding to the second NIC, as the trace calls it.
pub const BINDING1: &str = r"ndismux on \Device\nic1";

/// What stands on the NIC.
#[derive(Clone, Copy, Debug)]
pub struct VirtualMiniport {
    /// What tests call it; its client is called the same.
    pub name: &'static str,
    /// The value `VlanId`, as text.
    pub vlan: &'static str,
}

/// A lab with the driver in it.
pub struct MuxLab {
    lab: Lab,
    miniports: Vec<VirtualMiniport>,
}

impl MuxLab {
    /// Everything there, nothing loaded or plugged.
    #[must_use]
    pub fn new(miniports: &[VirtualMiniport]) -> Self {
        Self::with_nic(NicConfig::new(NIC, MAC_BELOW), miniports)
    }

    /// The same with a NIC of one's own making, called [`NIC`].
    #[must_use]
    pub fn with_nic(nic: NicConfig, miniports: &[VirtualMiniport]) -> Self {
        let lab = Lab::new();
        lab.add_image(SERVICE, &image());
        lab.add_nic(nic);
        for miniport in miniports {
            let vlan = Value::Sz(miniport.vlan.to_owned());
            lab.add_virtual_miniport(miniport.name, &device(miniport.name), &[("VlanId", vlan)]);
        }
        let names: Vec<&str> = miniports.iter().map(|miniport| miniport.name).collect();
        lab.stack(SERVICE, NIC, &names)
            .expect("the lab's own devices are there");
        Self {
            lab,
            miniports: miniports.to_vec(),
        }
    }

    /// The lab itself.
    #[must_use]
    pub fn into_lab(self) -> Lab {
        self.lab
    }

    /// Adds a NIC called [`NIC1`] with [`VLAN30`] above it, not plugged.
    pub fn add_second_nic(&self) {
        self.add_nic(NicConfig::new(NIC1, MAC_BELOW_1));
        let vlan = Value::Sz(VLAN30.vlan.to_owned());
        self.add_virtual_miniport(VLAN30.name, &device(VLAN30.name), &[("VlanId", vlan)]);
        self.stack(SERVICE, NIC1, &[VLAN30.name])
            .expect("the lab's own devices are there");
    }

    /// VLAN 10 and VLAN 20 above one NIC, with traffic flowing.
    #[must_use]
    pub fn running() -> Self {
        let lab = Self::new(&[VLAN10, VLAN20]);
        lab.up();
        lab
    }

    /// Loads the driver, plugs the NIC, brings a client up above each virtual miniport.
    pub fn up(&self) {
        self.start();
        for miniport in &self.miniports {
            self.attach(miniport.name);
        }
    }

    /// Loads the driver and plugs the NIC.
    pub fn start(&self) {
        self.load_driver(SERVICE).expect("the driver loads");
        self.plug_nic(NIC).expect("the NIC comes up");
    }

    /// Waits until a virtual miniport runs, and brings a client up above it.
    pub fn attach(&self, name: &str) {
        let running = self.wait_adapter(name, AdapterState::Running, SOON);
        assert!(
            running || self.adapter_state(name) == AdapterState::Paused,
            "{name}"
        );
        let client = self.add_client(name, name).expect("a device");
        assert!(client.wait_state(BindingState::Running, SOON), "{name}");
    }

    /// Waits until the client above a virtual miniport may send.
    pub fn wait_running(&self, name: &str) {
        assert!(
            self.above(name).wait_state(BindingState::Running, SOON),
            "{name}"
        );
        // The client says so while its restart is still on its way.
        wait_until("the restart of a client ends", || {
            self.binding_state(name, name) == BindingState::Running
        });
    }

    /// Takes down what [`up`](Self::up) brought up, and checks that nothing is left.
    pub fn down(&self) {
        self.unplug_nic(NIC).expect("the NIC was plugged");
        self.finish();
    }

    /// The same when the NIC is out already.
    pub fn finish(&self) {
        for miniport in &self.miniports {
            if self.client(miniport.name).is_ok() {
                self.remove_client(miniport.name)
                    .expect("the client was there");
            }
        }
        self.uninstall(SERVICE).expect("the driver was loaded");
        self.unload(SERVICE).expect("the driver was loaded");
        self.assert_nothing_left();
    }

    /// Nothing of the driver's is left.
    pub fn assert_nothing_left(&self) {
        let left = self.outstanding();
        assert!(left.is_nothing(), "{left}");
    }

    /// Gives a virtual miniport other registry values, besides those that it has.
    pub fn set_values(&self, name: &str, values: &[(&str, Value)]) {
        self.add_virtual_miniport(name, &device(name), values);
    }

    /// The calls of `function` that were about `object`, none of them by a part of the host.
    #[must_use]
    pub fn calls(&self, function: &str, object: &str) -> Vec<Record> {
        let mut calls = self.trace().image_calls(function);
        calls.retain(|call| call.object == object);
        calls
    }

    /// The only such call.
    pub fn only_call(&self, function: &str, object: &str) -> Record {
        let mut calls = self.calls(function, object);
        assert_eq!(calls.len(), 1, "{function} for {object}: {calls:?}");
        calls.remove(0)
    }

    /// The NIC below.
    #[must_use]
    pub fn below(&self) -> NicPort {
        self.nic(NIC).expect("every lab has the NIC")
    }

    /// The client above a virtual miniport.
    #[must_use]
    pub fn above(&self, name: &str) -> &'static Client {
        self.client(name).expect("the client came up")
    }

    /// The address of a virtual miniport, as its client sees it.
    #[must_use]
    pub fn address(&self, name: &str) -> [u8; 6] {
        self.above(name)
            .attributes()
            .expect("the client is bound")
            .mac
    }

    /// Frames cross the VLAN both ways, with their tag below and without it above. VLAN 0 is none.
    pub fn assert_traffic(&self, name: &str, vlan: u16) {
        self.assert_traffic_by(NIC, name, vlan);
    }

    /// The same by a NIC that is not called [`NIC`].
    pub fn assert_traffic_by(&self, nic: &str, name: &str, vlan: u16) {
        let below = self.nic(nic).expect("the lab has the NIC");
        let on_the_wire = |frame: Frame| if vlan == 0 { frame } else { frame.tagged(vlan) };
        let own = self.address(name);
        let up = Frame::new(MAC_PEER, own, 1);
        below.inject(&on_the_wire(up.clone()).bytes());
        let received = self
            .above(name)
            .recv(SOON)
            .expect("the frame arrives above");
        assert_eq!(received.frame, up.bytes());
        let down = Frame::new(own, MAC_PEER, 2);
        let statuses = self
            .above(name)
            .send(&[down.bytes()])
            .wait(SOON)
            .expect("it completes");
        assert_eq!(statuses, [0]);
        let sent = below.take_sent(SOON).expect("the frame arrives below");
        assert_eq!(sent, on_the_wire(down).bytes());
    }
}

impl Deref for MuxLab {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        &self.lab
    }
}

/// A virtual miniport in no VLAN.
pub const NONE: VirtualMiniport = VirtualMiniport {
    name: "none",
    vlan: "0",
};

/// A virtual miniport in VLAN 10.
pub const VLAN10: VirtualMiniport = VirtualMiniport {
    name: "vlan10",
    vlan: "10",
};

/// A virtual miniport in VLAN 20.
pub const VLAN20: VirtualMiniport = VirtualMiniport {
    name: "vlan20",
    vlan: "20",
};

/// A virtual miniport in VLAN 30, on the second NIC.
pub const VLAN30: VirtualMiniport = VirtualMiniport {
    name: "vlan30",
    vlan: "30",
};

/// The device name of a virtual miniport.
#[must_use]
pub fn device(name: &str) -> String {
    format!(r"\Device\{{{name}}}")
}
