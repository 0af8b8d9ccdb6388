//! `MiniportHaltEx`: S3 and S5.

use ndis_host::ndis::{AdapterState, BindingState, policy::When};
use ndis_sys::{
    NDIS_STATUS_NOT_ACCEPTED, NDIS_STATUS_SUCCESS, OID_GEN_STATISTICS,
    OID_GEN_TRANSMIT_QUEUE_LENGTH,
};
use ndismux_tests::{
    Frame, MAC_PEER, MuxLab, NEVER, NIC, SERVICE, SOON, device, image_tests, wait_until,
};

image_tests! {
    fn s3_each_initialized_instance_is_halted_once_in_each_of_its_lives() {
        let lab = MuxLab::running();
        for round in 1..=4 {
            lab.disable("vlan10").expect("an adapter");
            assert_eq!(lab.calls("MiniportHaltEx", &device("vlan10")).len(), round);
            assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
            lab.wait_running("vlan10");
        }
        lab.down();
        let lives = lab.calls("MiniportInitializeEx", &device("vlan10"));
        let halts = lab.calls("MiniportHaltEx", &device("vlan10"));
        assert_eq!((lives.len(), halts.len()), (5, 5));
        for (life, halt) in lives.iter().zip(&halts) {
            assert!(life.ended < halt.sequence);
        }
        for (halt, next) in halts.iter().zip(&lives[1..]) {
            assert!(halt.ended < next.sequence);
        }
    }

    fn nothing_is_asked_of_a_device_that_was_removed_without_a_warning() {
        let lab = MuxLab::running();
        let client = lab.above("vlan10");
        client.hold_receives(true);
        client.keep_over_pauses(true);
        lab.below().inject(&Frame::new(MAC_PEER, [0xFF; 6], 1).tagged(10).bytes());
        client.recv(SOON).expect("it arrives");
        let told = || lab.calls("MiniportDevicePnPEventNotify", &format!("SurpriseRemoved {}", device("vlan10")));
        std::thread::scope(|scope| {
            let pulled = scope.spawn(|| lab.pull("vlan10").expect("an adapter"));
            // The pause that follows waits for the frame.
            assert!(lab.wait_adapter("vlan10", AdapterState::Pausing, SOON));
            assert_eq!(told().len(), 1);
            // One that the driver answers, one for the NIC, one that nobody has.
            for oid in [OID_GEN_STATISTICS, OID_GEN_TRANSMIT_QUEUE_LENGTH, 0x7777_7777] {
                assert_eq!(client.query(oid, 256).0, NDIS_STATUS_NOT_ACCEPTED, "{oid:#x}");
                assert_eq!(client.query_direct(oid, 256, 1).0, NDIS_STATUS_NOT_ACCEPTED, "{oid:#x}");
            }
            client.hold_receives(false);
            client.return_held();
            pulled.join().expect("it ends");
        });
        lab.only_call("MiniportHaltEx", &device("vlan10"));
        lab.assert_traffic("vlan20", 20);
        lab.down();
    }

    fn halt_takes_the_filter_below_back_with_the_last_virtual_miniport() {
        let lab = MuxLab::running();
        assert_ne!(lab.below().filter().packet_types, 0);
        lab.disable("vlan10").expect("an adapter");
        lab.assert_traffic("vlan20", 20);
        assert_ne!(lab.below().filter().packet_types, 0);
        lab.disable("vlan20").expect("an adapter");
        assert!(lab.settle(SOON));
        wait_until("the NIC receives for nobody", || lab.below().filter().packet_types == 0);
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running);
        lab.enable(SERVICE, "vlan10").expect("a device");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn what_comes_in_for_a_halted_virtual_miniport_goes_back_at_once() {
        let lab = MuxLab::running();
        let own = lab.address("vlan10");
        lab.disable("vlan10").expect("an adapter");
        for seed in 0..32 {
            lab.below().inject(&Frame::new(MAC_PEER, own, seed).tagged(10).bytes());
        }
        lab.assert_traffic("vlan20", 20);
        wait_until("all frames are back", || lab.below().receives_outstanding() == 0);
        assert!(lab.above("vlan10").recv(NEVER).is_none());
        lab.down();
    }

    fn a_send_after_the_halt_of_another_virtual_miniport_still_goes() {
        let lab = MuxLab::running();
        lab.policy(|policy| policy.im_halt = When::Later);
        lab.disable("vlan20").expect("an adapter");
        assert_eq!(lab.adapter_state("vlan20"), AdapterState::Halted);
        let own = lab.address("vlan10");
        let frames: Vec<_> = (0..64).map(|seed| Frame::new(own, MAC_PEER, seed).bytes()).collect();
        assert_eq!(lab.above("vlan10").send(&frames).wait(SOON), Some(vec![0; 64]));
        lab.down();
    }
}
