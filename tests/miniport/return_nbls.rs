//! `MiniportReturnNetBufferLists`: received frames come back from above, in any order and at any time.

use std::thread;

use ndis_host::{client::Client, ndis::BindingState};
use ndismux_tests::{Frame, MAC_PEER, MuxLab, NONE, SOON, VLAN10, VLAN20, image_tests, until};

image_tests! {
    fn frames_go_back_in_whatever_order_they_are_returned() {
        let lab = MuxLab::new(&[VLAN10, NONE]);
        lab.up();
        let clients = [lab.above("vlan10"), lab.above("none")];
        for order in [[0, 1], [1, 0]] {
            hold(&lab, clients, 8);
            for (returned, index) in order.into_iter().enumerate() {
                assert_eq!(lab.below().receives_outstanding(), 16 - 8 * returned);
                clients[index].return_held();
            }
            assert_eq!(lab.below().receives_outstanding(), 0);
        }
        lab.down();
    }

    fn frames_return_while_others_arrive() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.up();
        let clients = ["vlan10", "vlan20"].map(|name| lab.above(name));
        clients.iter().for_each(|client| client.hold_receives(true));
        thread::scope(|scope| {
            scope.spawn(|| {
                for seed in 0..2000_u16 {
                    let frame = Frame::new(MAC_PEER, [0xFF; 6], seed as u8);
                    for vlan in [10, 20] {
                        lab.below().inject(&frame.clone().tagged(vlan).bytes());
                    }
                }
            });
            for client in clients {
                scope.spawn(move || {
                    for _frame in 0..2000 {
                        client.recv(SOON).expect("it arrives");
                        client.return_held();
                    }
                });
            }
        });
        for client in clients {
            client.hold_receives(false);
            client.return_held();
        }
        until(|| lab.below().receives_outstanding() == 0);
        lab.down();
    }

    fn what_a_client_keeps_goes_back_when_it_leaves() {
        let lab = MuxLab::new(&[VLAN10, NONE]);
        lab.up();
        let clients = [lab.above("vlan10"), lab.above("none")];
        hold(&lab, clients, 4);
        lab.remove_client("vlan10").expect("the client was there");
        assert_eq!(lab.below().receives_outstanding(), 4);
        lab.disable("none").expect("it is there");
        assert_eq!(lab.below().receives_outstanding(), 0);
        assert_eq!(clients[1].binding_state(), BindingState::Unbound);
        lab.down();
    }
}

/// Lets each client keep that many frames.
fn hold(lab: &MuxLab, clients: [&'static Client; 2], number: u8) {
    clients.iter().for_each(|client| client.hold_receives(true));
    for seed in 0..number {
        let frame = Frame::new(MAC_PEER, [0xFF; 6], seed);
        lab.below().inject(&frame.clone().tagged(10).bytes());
        lab.below().inject(&frame.bytes());
    }
    for client in clients {
        for _frame in 0..number {
            client.recv(SOON).expect("it arrives");
        }
        until(|| client.receives_held() == usize::from(number));
        client.hold_receives(false);
    }
}
