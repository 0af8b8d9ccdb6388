//! What happens to a wrong driver, by its edge: the lives that all images of an edge go through, and
//! what rows change in the lab before.
//!
//! Not in here: loading the image's file and looking at how it ended.

use std::{
    thread,
    time::{Duration, Instant},
};

use ndis_host::{
    lab::{Lab, Order, Token},
    ndis::{
        AdapterState, BindingState,
        device::{FilterKind, FilterRun},
        policy::{Resources, When},
    },
    nic::NicConfig,
    nt::pool,
};
use ndis_sys::{
    CTL_CODE, FILE_ANY_ACCESS, FILE_DEVICE_NETWORK, METHOD_BUFFERED,
    NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_STATISTICS,
};
use ndismux_tests::{Frame, MAC_BELOW, MAC_PEER, NEVER, SOON, wait_until};

/// Which edge of a driver an image shows, and with it what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Loaded and plugged, with a client above: asked, sent to, received from, paused, restarted,
    /// unplugged, unloaded.
    Miniport,
    /// Loaded above a NIC: bound, received by, sent from, paused, restarted, unbound, unloaded.
    Protocol,
    /// Loaded above a NIC with one virtual miniport, and a client above that.
    Intermediate,
    /// Loaded; its device opened and asked twice, closed with a request on its way; unloaded.
    Device,
    /// The same under a seed, where what takes long takes no time.
    SeededDevice,
    /// Loaded with a module between a NIC and a client: both use each other through it, the stack is
    /// paused and restarted, sleeps and wakes.
    Filter,
    /// The same with a filter that its INF says only watches.
    Monitor,
    /// A protocol above a NIC that keeps what is sent for a while when the binding is paused.
    ProtocolHeld,
    /// A miniport that sleeps and wakes too.
    Sleeper,
    /// A protocol above a NIC that sleeps and wakes too.
    SleepingProtocol,
    /// An intermediate driver all of whose adapters sleep and wake too.
    SleepingIntermediate,
    /// A miniport that is unplugged when it has just been asked for something.
    Asked,
    /// A miniport whose client is paused right after a send.
    Unwaited,
    /// A miniport that refuses its adapter: when it is plugged, or when it wakes.
    Refused,
    /// A miniport whose system is shut down in the end.
    Shutdown,
}

impl Edge {
    /// From the load of the driver until it can be unloaded.
    pub(super) fn live(self, lab: &Lab) {
        match self {
            Edge::Device | Edge::SeededDevice => device(lab),
            Edge::Miniport => miniport(lab, || {
                use_adapter(lab, ADAPTER);
                use_hardware(lab, ADAPTER);
            }),
            Edge::Unwaited => miniport(lab, || send_unwaited(lab, ADAPTER)),
            Edge::Refused => refused(lab),
            Edge::Shutdown => shutdown(lab),
            Edge::Sleeper => miniport(lab, || sleep(lab, ADAPTER)),
            Edge::Asked => asked(lab),
            Edge::Protocol => protocol(lab, false, || {}),
            Edge::ProtocolHeld => protocol(lab, true, || {}),
            Edge::SleepingProtocol => protocol(lab, false, || sleep_and_wake(lab)),
            Edge::Intermediate => intermediate(lab, || use_adapter(lab, UPPER)),
            Edge::SleepingIntermediate => intermediate(lab, || sleep(lab, UPPER)),
            Edge::Filter => filter(lab, FilterKind::Modifying),
            Edge::Monitor => filter(lab, FilterKind::Monitoring),
        }
    }
}

fn miniport(lab: &Lab, live: impl FnOnce()) {
    load_miniport(lab);
    lab.plug_adapter(ADAPTER).expect("the adapter comes up");
    live();
    lab.unplug_adapter(ADAPTER)
        .expect("the adapter was plugged");
}

fn refused(lab: &Lab) {
    load_miniport(lab);
    if lab.plug_adapter(ADAPTER).is_ok() {
        let asleep = lab.sleep_adapter(ADAPTER).expect("an adapter");
        assert_eq!(asleep, Ok(()), "nothing keeps it awake");
        let awake = lab.wake_adapter(ADAPTER).expect("an adapter");
        assert!(awake.is_err(), "it is refused now");
    }
}

fn shutdown(lab: &Lab) {
    load_miniport(lab);
    lab.plug_adapter(ADAPTER).expect("the adapter comes up");
    use_adapter(lab, ADAPTER);
    lab.shut_down();
}

fn load_miniport(lab: &Lab) {
    lab.add_adapter(ADAPTER, r"\Device\adapter", SERVICE, &[]);
    lab.load_driver(SERVICE).expect("the driver loads");
}

fn asked(lab: &Lab) {
    thread::scope(|scope| {
        miniport(lab, || {
            scope.spawn(|| {
                let _answer = lab.query(ADAPTER, OID_GEN_STATISTICS, 256);
            });
            thread::sleep(A_WHILE);
        });
    });
}

/// `held` says whether the NIC keeps what is sent for a while when the binding is first paused.
fn protocol(lab: &Lab, held: bool, live: impl FnOnce()) {
    let nic = lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.bind(SERVICE, NIC, &[]).expect("the NIC is there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    let running = || {
        wait_until("the binding runs", || {
            lab.binding_state(SERVICE, NIC) == BindingState::Running
        });
    };
    running();
    for seed in 0..2 {
        nic.inject(&Frame::new(MAC_PEER, MAC_BELOW, seed).bytes());
    }
    wait_until("the frames are back", || {
        nic.statistics().received_frames == 2 && nic.is_quiet()
    });
    nic.nic()
        .indicate_status(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, &0_u32);
    // Another protocol comes and goes: the binding is paused for it, and restarted, twice.
    thread::scope(|scope| {
        if held {
            nic.hold_sends(true);
            scope.spawn(|| {
                thread::sleep(NEVER);
                nic.hold_sends(false);
            });
        }
        lab.add_client("other", NIC).expect("the NIC is there");
    });
    lab.remove_client("other").expect("the client was there");
    running();
    live();
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn filter(lab: &Lab, kind: FilterKind) {
    let nic = lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.stack_filter_as(SERVICE, NIC, kind, FilterRun::Optional)
        .expect("the NIC is there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    let client = lab.add_client("client", NIC).expect("the NIC is there");
    assert!(client.wait_state(BindingState::Running, SOON));
    let packets = lab.set(NIC, OID_GEN_CURRENT_PACKET_FILTER, &[5, 0, 0, 0]);
    assert_eq!(packets.expect("the NIC is there").status, 0);
    for seed in 0..2 {
        let frame = Frame::new(MAC_BELOW, MAC_PEER, seed).bytes();
        let ends = client.send(&[frame]).wait(SOON);
        assert_eq!(ends, Some(vec![0]), "the send completes");
        nic.inject(&Frame::new(MAC_PEER, MAC_BELOW, seed).bytes());
    }
    wait_until("the frames are received", || {
        nic.statistics().received_frames == 2
    });
    // What a filter keeps for longer is for the host to find out: by its limits, and at the pause.
    let until = Instant::now() + KEPT;
    while !nic.is_quiet() && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    nic.nic()
        .indicate_status(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, &0_u32);
    sleep_and_wake(lab);
    lab.remove_client("client").expect("the client was there");
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn intermediate(lab: &Lab, live: impl FnOnce()) {
    lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.add_virtual_miniport(UPPER, r"\Device\upper", &[]);
    lab.stack(SERVICE, NIC, &[UPPER]).expect("both are there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    assert!(lab.wait_adapter(UPPER, AdapterState::Running, SOON));
    live();
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn device(lab: &Lab) {
    lab.load_driver(SERVICE).expect("the driver loads");
    let device = lab.open_device(r"\\.\alarm", &Token::administrator());
    let device = device.expect("the driver has a device");
    for _ in 0..2 {
        let answer = device.ioctl(ASK, &[1; 8], 8);
        assert_eq!(answer.expect("the driver answers").len(), 8);
    }
    let waits = device.ioctl_start(WAIT, &[], Vec::new());
    assert!(waits.expect("all may ask").wait(Duration::ZERO).is_none());
}

/// What every miniport goes through while it is initialized.
fn use_adapter(lab: &Lab, adapter: &str) {
    let client = lab.add_client("client", adapter).expect("a device");
    assert!(client.wait_state(BindingState::Running, SOON));
    let statistics = lab.query(adapter, OID_GEN_STATISTICS, 256);
    assert_eq!(statistics.expect("an adapter").status, 0);
    let filter = lab.set(adapter, OID_GEN_CURRENT_PACKET_FILTER, &[5, 0, 0, 0]);
    assert_eq!(filter.expect("an adapter").status, 0);
    for seed in 0..2 {
        let frame = Frame::new(MAC_BELOW, MAC_PEER, seed).bytes();
        let ends = client.send(&[frame]).wait(SOON);
        assert_eq!(ends, Some(vec![0]), "the send completes");
    }
    // Another protocol comes and goes: the adapter is paused for it, and restarted, twice.
    lab.add_client("other", adapter).expect("a device");
    lab.remove_client("other").expect("the client was there");
    lab.remove_client("client").expect("the client was there");
}

/// What the device of a miniport does, and what NDIS does to it: nothing, if it has no handlers for it.
fn use_hardware(lab: &Lab, adapter: &str) {
    lab.raise_interrupt(adapter, 0).expect("an adapter");
    lab.check_for_hang(adapter).expect("an adapter");
    lab.reset_adapter(adapter).expect("an adapter");
}

/// A client above an adapter sends, and another protocol comes at once: the first is paused.
fn send_unwaited(lab: &Lab, adapter: &str) {
    let client = lab.add_client("client", adapter).expect("a device");
    assert!(client.wait_state(BindingState::Running, SOON));
    client.send(&[Frame::new(MAC_BELOW, MAC_PEER, 0).bytes()]);
    lab.add_client("other", adapter).expect("a device");
    lab.remove_client("other").expect("the client was there");
    lab.remove_client("client").expect("the client was there");
}

/// A client above an adapter while it sleeps and wakes.
fn sleep(lab: &Lab, adapter: &str) {
    let client = lab.add_client("client", adapter).expect("a device");
    assert!(client.wait_state(BindingState::Running, SOON));
    sleep_and_wake(lab);
    lab.remove_client("client").expect("the client was there");
}

/// All adapters sleep, for a while, and wake.
fn sleep_and_wake(lab: &Lab) {
    let kept_awake = lab.sleep_system(Order::UpperFirst);
    assert_eq!(kept_awake, Vec::<String>::new());
    thread::sleep(A_WHILE);
    let gone = lab.wake_system(Order::LowerFirst);
    assert_eq!(gone, Vec::<String>::new());
}

/// A limit for PnP operations that a test can wait for, and none that comes before it.
pub(super) fn impatient(lab: &Lab) {
    lab.policy(|policy| policy.watchdog = Duration::from_secs(2));
}

/// A limit for the time without a completion that a test can wait for.
pub(super) fn hung(lab: &Lab) {
    lab.policy(|policy| policy.hang_limit = Duration::from_secs(2));
}

/// Limits that a test can wait for.
pub(super) fn soon(lab: &Lab) {
    lab.policy(|policy| {
        policy.watchdog = Duration::from_secs(2);
        policy.send_limit = Duration::from_secs(2);
        policy.oid_limit = Duration::from_secs(2);
    });
}

/// Blocks of pool side by side.
pub(super) fn red_zones(_lab: &Lab) {
    pool::set_mode(pool::Mode::RedZones);
}

/// What is received is only lent.
pub(super) fn lent(lab: &Lab) {
    lab.policy(|policy| policy.receive_resources = Resources::Always);
}

/// OID requests are answered later.
pub(super) fn slow_oids(lab: &Lab) {
    lab.policy(|policy| {
        policy.oid = When::Later;
        policy.nic_oid = When::Later;
    });
}

/// The first block of memory to share with the device is not there.
pub(super) fn no_shared_memory(lab: &Lab) {
    lab.fail_nth("NdisMAllocateSharedMemory", 1);
}

/// The service of each image, by which its protocol is known.
pub(super) const SERVICE: &str = "alarm";
const NIC: &str = "nic";
const ADAPTER: &str = "adapter";
const UPPER: &str = "upper";

/// The codes of what the devices answer at once, and of what waits to be cancelled.
const ASK: u32 = CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);
const WAIT: u32 = CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS);
/// Longer than the limits of `soon`, with the second between two looks at them.
const KEPT: Duration = Duration::from_secs(5);

/// Longer than the timers of the images.
const A_WHILE: Duration = Duration::from_millis(400);
