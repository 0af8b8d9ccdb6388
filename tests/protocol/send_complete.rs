//! `ProtocolSendNetBufferListsComplete`: sends come back to whoever sent them, with their status.

use ndis_host::{client::SendTicket, ndis::policy::When};
use ndis_sys::NDIS_STATUS_MEDIA_DISCONNECTED;
use ndismux_tests::{
    MuxLab, NONE, SOON, VLAN10, VLAN20, VirtualMiniport, frames, image_tests, must_succeed,
};

image_tests! {
    fn sends_complete_whether_below_does_it_at_once_or_later() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        for when in [When::Inline, When::Later] {
            lab.policy(|policy| policy.send_completion = when);
            for number in [1, 2, 64] {
                for name in ["none", "vlan10", "vlan20"] {
                    let ticket = lab.above(name).send(&frames(&lab, name, &vec![60; number]));
                    if when == When::Inline {
                        assert_eq!(ticket.statuses(), vec![Some(0); number]);
                    }
                    must_succeed(&ticket);
                    assert_eq!(lab.above(name).sends_outstanding(), 0);
                }
            }
        }
        lab.down();
    }

    fn a_completed_chain_of_two_virtual_miniports_goes_to_each_its_own() {
        assert_interleaved(&[VLAN10, VLAN20]);
    }

    fn a_completed_chain_of_twelve_virtual_miniports_goes_to_each_its_own() {
        const NAMES: [(&str, &str); 12] = [
            ("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("f", "6"),
            ("g", "7"), ("h", "8"), ("i", "9"), ("j", "10"), ("k", "11"), ("l", "0"),
        ];
        assert_interleaved(&NAMES.map(|(name, vlan)| VirtualMiniport { name, vlan }));
    }

    fn the_status_of_a_send_that_failed_below_arrives_above() {
        let lab = MuxLab::running();
        for when in [When::Inline, When::Later] {
            lab.policy(|policy| policy.send_completion = when);
            // The NIC refuses the frames that are too long, and sends the others.
            let lengths = [60, 3000, 60, 60, 3000];
            let ticket = lab.above("vlan10").send(&frames(&lab, "vlan10", &lengths));
            let statuses = ticket.wait(SOON).expect("all complete");
            for (length, status) in lengths.into_iter().zip(statuses) {
                assert_eq!(status == 0, length == 60, "{length}: {status:#x}");
            }
            lab.below().set_link(false);
            let ticket = lab.above("vlan10").send(&frames(&lab, "vlan10", &[60; 3]));
            assert_eq!(ticket.wait(SOON), Some(vec![NDIS_STATUS_MEDIA_DISCONNECTED; 3]));
            lab.below().set_link(true);
        }
        while lab.below().take_sent(std::time::Duration::ZERO).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }
}

/// Sends one NBL at a time from each in turn, which the NIC completes as one chain.
fn assert_interleaved(miniports: &[VirtualMiniport]) {
    let lab = MuxLab::new(miniports);
    lab.up();
    lab.below().hold_sends(true);
    let mut tickets: Vec<(&str, SendTicket)> = Vec::new();
    for _turn in 0..5 {
        for miniport in miniports {
            let frames = frames(&lab, miniport.name, &[60]);
            tickets.push((miniport.name, lab.above(miniport.name).send(&frames)));
        }
    }
    assert!(lab.below().wait_sends(SOON, tickets.len()));
    lab.trace().clear();
    lab.below().hold_sends(false);
    for (_, ticket) in &tickets {
        must_succeed(ticket);
    }
    let completions = lab.calls("ProtocolSendNetBufferListsComplete", ndismux_tests::BINDING);
    assert_eq!(completions.len(), 1, "they come back in one chain");
    for miniport in miniports {
        assert_eq!(lab.above(miniport.name).counters().sent_frames, 5);
    }
    if miniports.len() <= 8 {
        for miniport in miniports {
            let device = ndismux_tests::device(miniport.name);
            let calls = lab.calls("NdisMSendNetBufferListsComplete", &device);
            assert_eq!(
                calls.len(),
                1,
                "each virtual miniport's own go up in one chain"
            );
        }
    }
    lab.down();
}
