//! Sleep and wake: the edges come in either order, and traffic flows again after all of them.

use ndis_host::{lab::Order, ndis::AdapterState};
use ndismux_tests::{BINDING, MuxLab, NIC, device, image_tests};

image_tests! {
    fn traffic_flows_again_after_sleep_and_wake_in_any_order() {
        let lab = MuxLab::running();
        let orders = [Order::UpperFirst, Order::LowerFirst];
        for (sleep, wake) in orders.iter().flat_map(|sleep| orders.iter().map(move |wake| (sleep, wake))) {
            assert!(lab.sleep_system(*sleep).is_empty());
            assert!(lab.is_asleep(NIC) && lab.is_asleep("vlan10") && lab.is_asleep("vlan20"));
            assert!(lab.wake_system(*wake).is_empty());
            lab.wait_running("vlan10");
            lab.wait_running("vlan20");
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
        }
        lab.down();
    }

    fn one_edge_may_sleep_alone() {
        let lab = MuxLab::running();
        lab.sleep_adapter("vlan10").expect("an adapter").expect("nobody refuses");
        lab.assert_traffic("vlan20", 20);
        lab.wake_adapter("vlan10").expect("an adapter").expect("it only slept");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);

        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
        // A sleep is no reason to let go of the NIC.
        lab.only_call("ProtocolUnbindAdapterEx", BINDING);
    }

    fn a_driver_may_be_unloaded_while_everything_sleeps() {
        let lab = MuxLab::running();
        lab.sleep_system(Order::LowerFirst);
        lab.down();
        assert_eq!(lab.adapter_state("vlan10"), AdapterState::Halted);
        lab.only_call("MiniportHaltEx", &device("vlan10"));
    }
}
