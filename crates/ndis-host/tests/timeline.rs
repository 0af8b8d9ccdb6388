//! The timeline of a stack of built-in parts: what is in it, in which order, and that both forms
//! have it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::time::Duration;

use ndis_host::lab::Lab;
use ndis_host::ndis::policy::Policy;
use ndis_host::nic::NicConfig;
use ndis_host::timeline::{LaneKind, SpanKind, Timeline, VERSION};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(10);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

#[test]
fn the_life_of_a_client_has_exactly_its_lanes_events_and_spans_in_both_forms() {
    let lab = Lab::new();
    lab.policy(|policy| *policy = Policy::INLINE);
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.plug_nic("nic0").unwrap();
    lab.trace().clear();
    let client = lab.add_client("stack", "nic0").unwrap();
    assert!(client.wait_link(true, LONG));
    nic.hold_sends(true);
    let frames: Vec<Vec<u8>> = (0..3).map(|_| vec![0xff; 60]).collect();
    let ticket = client.send(&frames);
    assert!(nic.wait_sends(LONG, 3));
    nic.hold_sends(false);
    assert!(ticket.wait(LONG).is_some());
    lab.remove_client("stack").unwrap();

    let timeline = Timeline::now();
    lanes(&timeline);
    events(&timeline);
    spans(&timeline);
    json(&timeline);
    html(&timeline);
    lab.unplug_nic("nic0").unwrap();
}

fn lanes(timeline: &Timeline) {
    let lanes: Vec<_> = timeline
        .lanes
        .iter()
        .map(|lane| (lane.kind, lane.name.as_str()))
        .collect();
    let expected = [
        (LaneKind::Ndis, "NDIS"),
        (LaneKind::Driver, "built-in drivers"),
        (LaneKind::Nic, "nic0"),
        (LaneKind::Adapter, "nic0"),
        (LaneKind::Client, "stack on nic0"),
    ];
    assert_eq!(lanes, expected);
}

/// Each event with the lanes from and to, and how many NBLs.
fn events(timeline: &Timeline) {
    let events: Vec<_> = timeline
        .events
        .iter()
        .map(|event| (event.name, event.from, event.to, event.nbls))
        .collect();
    let (ndis, built_in, nic, adapter, client) = (0, 1, 2, 3, 4);
    let request = |expected: &mut Vec<_>| {
        expected.push(("NdisOidRequest", client, adapter, 0));
        expected.push(("MiniportOidRequest", adapter, nic, 0));
    };
    let mut expected = vec![
        ("NdisRegisterProtocolDriver", built_in, ndis, 0),
        ("MiniportPause", adapter, nic, 0),
        ("NdisMPauseComplete", nic, adapter, 0),
        ("ProtocolBindAdapterEx", adapter, client, 0),
        ("NdisOpenAdapterEx", client, adapter, 0),
        ("NdisAllocateNetBufferListPool", built_in, ndis, 0),
    ];
    (0..3).for_each(|_| request(&mut expected));
    expected.extend([
        ("MiniportRestart", adapter, nic, 0),
        ("ProtocolNetPnPEvent", adapter, client, 0),
        ("ProtocolNetPnPEvent", ndis, built_in, 0),
        ("NdisSendNetBufferLists", client, adapter, 3),
        ("MiniportSendNetBufferLists", adapter, nic, 3),
        ("NdisMSendNetBufferListsComplete", nic, adapter, 3),
        ("ProtocolSendNetBufferListsComplete", adapter, client, 3),
        ("NdisDeregisterProtocolDriver", built_in, ndis, 0),
        ("ProtocolNetPnPEvent", adapter, client, 0),
        ("MiniportPause", adapter, nic, 0),
        ("NdisMPauseComplete", nic, adapter, 0),
        ("ProtocolUnbindAdapterEx", adapter, client, 0),
    ]);
    (0..2).for_each(|_| request(&mut expected));
    expected.extend([
        ("NdisCloseAdapterEx", client, adapter, 0),
        ("NdisFreeNetBufferListPool", built_in, ndis, 0),
        ("MiniportRestart", adapter, nic, 0),
    ]);
    assert_eq!(events, expected);
    let open = &timeline.events[4];
    assert_eq!(open.status.as_deref(), Some("NDIS_STATUS_SUCCESS"));
    assert_eq!((open.irql.as_str(), open.failed), ("PASSIVE_LEVEL", false));
    assert!(open.depth > timeline.events[3].depth && open.end < timeline.events[3].end);
    let complete = timeline
        .events
        .iter()
        .find(|event| event.name.ends_with("ListsComplete"));
    assert_eq!(complete.unwrap().irql, "DISPATCH_LEVEL");
}

/// Each span with the name of the event that begins it, of the one that ends it, and its NBLs.
fn spans(timeline: &Timeline) {
    let name = |id: u64| {
        let event = timeline.events.iter().find(|event| event.id == id);
        event.map_or("", |event| event.name)
    };
    let of = |kind: SpanKind, lane: usize| -> Vec<_> {
        timeline
            .spans
            .iter()
            .filter(|span| span.kind == kind && span.lane == lane && span.operation != "request")
            .map(|span| {
                (
                    span.operation,
                    name(span.from),
                    span.to.map(name),
                    span.count,
                )
            })
            .collect()
    };
    let operations = [
        ("pause", "MiniportPause", Some("NdisMPauseComplete"), 0),
        ("restart", "MiniportRestart", Some("MiniportRestart"), 0),
        ("pause", "MiniportPause", Some("NdisMPauseComplete"), 0),
        ("restart", "MiniportRestart", Some("MiniportRestart"), 0),
    ];
    assert_eq!(of(SpanKind::Operation, 2), operations);
    let sends = [(
        "sends",
        "NdisSendNetBufferLists",
        Some("ProtocolSendNetBufferListsComplete"),
        3,
    )];
    assert_eq!(of(SpanKind::Sends, 4), sends);
    let states = [
        (
            "up",
            "ProtocolBindAdapterEx",
            Some("ProtocolUnbindAdapterEx"),
            0,
        ),
        (
            "running",
            "ProtocolNetPnPEvent",
            Some("ProtocolNetPnPEvent"),
            0,
        ),
    ];
    assert_eq!(of(SpanKind::State, 4), states);
    let bind = timeline
        .spans
        .iter()
        .find(|span| span.operation == "bind")
        .unwrap();
    assert_eq!(bind.to.map(name), Some("MiniportOidRequest"));
    assert!(!bind.pended && timeline.spans.iter().any(|span| span.pended));
}

fn json(timeline: &Timeline) {
    let json: Value = serde_json::from_str(&timeline.to_json()).unwrap();
    assert_eq!(
        (&json["schema"], &json["version"]),
        (&"ndishost-timeline".into(), &VERSION.into())
    );
    assert_eq!(json["dropped"]["lifecycle"], 0);
    let events = json["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| &event["name"]).collect();
    let expected: Vec<_> = timeline.events.iter().map(|event| event.name).collect();
    assert_eq!(names, expected);
    assert_eq!(events[3]["kind"], "callback");
    assert_eq!(json["lanes"][2]["kind"], "nic");
    assert_eq!(
        json["spans"].as_array().unwrap().len(),
        timeline.spans.len()
    );
}

fn html(timeline: &Timeline) {
    let page = timeline.to_html();
    for lane in [
        "NDIS adapter",
        "wire and NIC",
        "client on nic0",
        "built-in drivers",
    ] {
        assert!(page.contains(lane), "{lane}");
    }
    for event in &timeline.events {
        assert!(
            page.contains(&format!("<g id=\"e{}\" ", event.id)),
            "{event:?}"
        );
    }
    assert_eq!(page.matches("class=\"span ").count(), timeline.spans.len());
    // Nothing is fetched.
    let addresses = page.matches("http").count();
    assert_eq!(
        addresses,
        page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!page.contains("src="));
}
