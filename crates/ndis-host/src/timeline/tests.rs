//! Timelines of records that the tests make up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ndis_sys::{NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_PENDING};

use super::*;
use crate::ndis::trace::Direction;
use crate::nt::irql::Irql;

const LOWER: &str = r"\Device\nic";
const UPPER: &str = r"\Device\{vlan}";

/// Records at one millisecond from each other; each ends before the next begins.
#[derive(Default)]
struct Records(Vec<Record>);

impl Records {
    fn add(&mut self, driver: &'static str, name: &'static str, object: &str) -> &mut Record {
        let sequence = 2 * self.0.len() as u64 + 1;
        let callback = !name.starts_with("Ndis");
        self.0.push(Record {
            sequence,
            ended: sequence + 1,
            direction: if callback {
                Direction::Callback
            } else {
                Direction::Call
            },
            name,
            driver,
            built_in: driver != "mux",
            object: object.to_owned(),
            edge: None,
            status: None,
            data: name.contains("NetBufferLists"),
            nbls: u32::from(name.contains("NetBufferLists")),
            irql: Irql::PASSIVE,
            thread: 1,
            thread_name: Arc::from("main"),
            depth: 1,
            began: Duration::from_millis(sequence),
            returned: Some(Duration::from_millis(sequence)),
        });
        self.0.last_mut().unwrap()
    }

    fn status(
        &mut self,
        driver: &'static str,
        name: &'static str,
        object: &str,
        status: NDIS_STATUS,
    ) {
        self.add(driver, name, object).status = Some(status);
    }

    fn timeline(&self) -> Timeline {
        Timeline::of(
            &self.0,
            &[(r"\DEVICE\{VLAN}".to_owned(), "vlan10".to_owned())],
        )
    }
}

#[test]
fn lanes_stand_as_the_drivers_are_stacked_and_devices_have_their_labels() {
    let mut records = Records::default();
    // In an order that is not the stack's.
    records.add(
        "stack",
        "NdisSendNetBufferLists",
        &format!("stack on {UPPER}"),
    );
    records.add("mux", "MiniportSendNetBufferLists", UPPER);
    records.add("mux", "NdisSendNetBufferLists", &format!("mux on {LOWER}"));
    records.add("nic", "MiniportSendNetBufferLists", LOWER);
    records.add("mux", "DriverEntry", "mux");
    let timeline = records.timeline();
    let lanes: Vec<_> = timeline
        .lanes
        .iter()
        .map(|lane| (lane.kind, lane.name.as_str()))
        .collect();
    let expected = [
        (LaneKind::Ndis, "NDIS"),
        (LaneKind::Driver, "mux"),
        (LaneKind::Nic, r"\Device\nic"),
        (LaneKind::Adapter, r"\Device\nic"),
        (LaneKind::Protocol, r"mux on \Device\nic"),
        (LaneKind::Miniport, "vlan10"),
        (LaneKind::Adapter, "vlan10"),
        (LaneKind::Client, "stack on vlan10"),
    ];
    assert_eq!(lanes, expected);
    let ends: Vec<_> = timeline
        .events
        .iter()
        .map(|event| (event.from, event.to))
        .collect();
    assert_eq!(ends, [(7, 6), (6, 5), (4, 3), (3, 2), (0, 1)]);
}

#[test]
fn a_burst_is_one_row_until_it_is_quiet_or_something_else_happens() {
    let mut records = Records::default();
    let binding = format!("mux on {LOWER}");
    for _ in 0..3 {
        records.add("mux", "NdisSendNetBufferLists", &binding);
        records
            .add("mux", "ProtocolSendNetBufferListsComplete", &binding)
            .nbls = 1;
    }
    records.add("nic", "MiniportPause", LOWER);
    records.add("mux", "NdisSendNetBufferLists", &binding);
    let later = records.add("mux", "NdisSendNetBufferLists", &binding);
    later.began += Duration::from_secs(1);
    let rows: Vec<_> = records
        .timeline()
        .events
        .iter()
        .map(|event| (event.name, event.calls, event.nbls))
        .collect();
    let expected = [
        ("NdisSendNetBufferLists", 3, 3),
        ("ProtocolSendNetBufferListsComplete", 3, 3),
        ("MiniportPause", 1, 0),
        ("NdisSendNetBufferLists", 1, 1),
        ("NdisSendNetBufferLists", 1, 1),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_pended_operation_lasts_to_its_completion_and_has_its_status() {
    let mut records = Records::default();
    let binding = format!("mux on {LOWER}");
    records.status(
        "mux",
        "ProtocolBindAdapterEx",
        &binding,
        NDIS_STATUS_PENDING,
    );
    records.status("mux", "NdisOpenAdapterEx", &binding, NDIS_STATUS_PENDING);
    records.add("mux", "ProtocolOpenAdapterCompleteEx", &binding);
    records.status(
        "mux",
        "NdisCompleteBindAdapterEx",
        &binding,
        NDIS_STATUS_FAILURE,
    );
    records.status(
        "mux",
        "NdisOidRequest",
        "query 0x00010207",
        NDIS_STATUS_PENDING,
    );
    records.0.last_mut().unwrap().edge = Some(binding);
    let timeline = records.timeline();
    let spans: Vec<_> = timeline
        .spans
        .iter()
        .filter(|span| span.kind == SpanKind::Operation)
        .map(|span| {
            (
                span.operation,
                span.from,
                span.to,
                span.pended,
                span.status.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("bind", 1, Some(7), true, Some("NDIS_STATUS_FAILURE")),
        ("open", 3, Some(5), true, None),
        ("request", 9, None, true, None),
    ];
    assert_eq!(spans, expected);
    assert_eq!(timeline.events[4].object, "query OID_GEN_LINK_STATE");
    assert_eq!(timeline.events[4].from, timeline.events[0].to);
    assert!(timeline.events[3].failed && !timeline.events[0].failed);
}

#[test]
fn sends_last_until_all_are_complete() {
    let mut records = Records::default();
    let binding = format!("mux on {LOWER}");
    records.add("mux", "NdisSendNetBufferLists", &binding).nbls = 5;
    records.add("nic", "MiniportPause", LOWER);
    records
        .add("mux", "ProtocolSendNetBufferListsComplete", &binding)
        .nbls = 2;
    // Three are out still, so this is no new span.
    records.add("mux", "NdisSendNetBufferLists", &binding).nbls = 1;
    records.add("nic", "MiniportRestart", LOWER);
    records
        .add("mux", "ProtocolSendNetBufferListsComplete", &binding)
        .nbls = 4;
    records.add("nic", "MiniportPause", LOWER);
    records.add("mux", "NdisSendNetBufferLists", &binding);
    let spans: Vec<_> = records
        .timeline()
        .spans
        .iter()
        .filter(|span| span.kind == SpanKind::Sends)
        .map(|span| (span.from, span.to, span.count))
        .collect();
    assert_eq!(spans, [(1, Some(11), 6), (15, None, 1)]);
}

#[test]
fn a_page_says_what_was_dropped_and_escapes_what_it_shows() {
    let mut records = Records::default();
    records.add("mux", "DriverEntry", "<script>alert(\"1\")</script> & more");
    let mut timeline = records.timeline();
    assert!(!timeline.to_html().contains("were dropped"));
    timeline.dropped.data = 7;
    let page = timeline.to_html();
    assert!(page.contains("7 of the data path were dropped"));
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"));
    assert!(!page.contains("<script>alert"));
}

#[test]
fn thousands_of_events_are_a_page_of_some_megabytes() {
    let mut records = Records::default();
    for _ in 0..5_000 {
        records.add("mux", "NdisOidRequest", &format!("query mux on {LOWER}"));
    }
    let page = records.timeline().to_html();
    assert_eq!(page.matches("class=\"row ").count(), 5_000);
    assert!(page.len() < 5_000_000, "{}", page.len());
}

#[test]
fn a_file_name_says_the_form() {
    assert_eq!(Form::of(Path::new("a/b.json")).unwrap(), Form::Json);
    assert_eq!(Form::of(Path::new("b.html")).unwrap(), Form::Html);
    let error = Form::of(Path::new("b.txt")).unwrap_err().to_string();
    assert!(error.contains(".json") && error.contains(".html") && error.contains("b.txt"));
    assert!(Form::of(Path::new("json")).is_err());
}
