//! What the driver traces, and that it traces nothing while nobody listens.

use std::{env, fs};

use ndis_host::{
    call,
    nt::{
        etw::{Event, providers, session::Session, trace_logging::provider_id},
        registry::Value,
    },
};
use ndis_sys::{
    NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, OID_GEN_STATISTICS, OID_TCP_OFFLOAD_PARAMETERS,
};
use ndismux_tests::{MuxLab, NIC, SOON, VLAN10, VLAN20, device, image_tests};

image_tests! {
    fn a_life_is_traced_event_by_event() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.listen(listening_to(LIFECYCLE));
        lab.up();
        assert!(lab.settle(SOON));
        lab.down();
        let lines = lines(&lab);
        assert_eq!(lines.first().map(String::as_str), Some("DriverLoaded NdisMajor=6 NdisMinor=83"));
        assert_eq!(lines.last().map(String::as_str), Some("DriverUnloaded"));
        let binding = after(&lines, &format!(r"BindingState Nic=\Device\{NIC} "));
        assert_eq!(
            binding,
            [
                "From=Opening To=Paused",
                "From=Paused To=Running",
                "From=Running To=Pausing",
                "From=Pausing To=Paused",
                "From=Paused To=Closing",
                "From=Closing To=Closed",
            ]
        );
        let miniport = after(&lines, &format!("VirtualMiniportState Device={} ", device("vlan10")));
        assert_eq!(
            miniport,
            [
                "From=Idle To=Requested Leaving=false",
                "From=Requested To=Initializing Leaving=false",
                "From=Initializing To=Paused Leaving=false",
                "From=Paused To=Running Leaving=false",
                // The client binds.
                "From=Running To=Pausing Leaving=false",
                "From=Pausing To=Paused Leaving=false",
                "From=Paused To=Running Leaving=false",
                // The NIC goes.
                "From=Running To=Running Leaving=true",
                "From=Running To=Pausing Leaving=true",
                "From=Pausing To=Paused Leaving=true",
                "From=Paused To=Idle Leaving=true",
            ]
        );
        assert_eq!(lines.len(), 2 + binding.len() + miniport.len(), "{lines:#?}");
    }

    fn a_virtual_miniport_is_traced_as_it_was_configured() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.set_values("vlan10", &[("NetworkAddress", Value::Sz("02AABBCCDD01".to_owned()))]);
        lab.listen(listening_to(CONFIGURATION));
        lab.up();
        lab.down();
        let expected = format!(
            r"VirtualMiniportConfigured Device={} Nic=\Device\{NIC} Vlan=10 Address=02aabbccdd01 Derived=false Mtu=1496",
            device("vlan10")
        );
        assert_eq!(lines(&lab), [expected]);
    }

    fn what_an_administrator_is_told_and_what_fails_is_an_error() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.set_values("vlan10", &[("VlanId", Value::Dword(4095))]);
        lab.listen(listening_to(ERROR));
        lab.start();
        assert!(lab.settle(SOON));
        lab.down();
        let device = device("vlan10");
        assert_eq!(
            lines(&lab),
            [
                format!("EventLogged Device={device} Id=2"),
                format!(
                    "CallbackFailed Callback=MiniportInitializeEx Device={device} Status=0xc0000001"
                ),
            ]
        );
        let levels = lab.traced().iter().map(|event| event.descriptor.level).collect::<Vec<_>>();
        assert_eq!(levels, [3, 2]);
    }

    fn a_request_is_traced_with_its_way_and_outcome() {
        let lab = MuxLab::running();
        assert!(lab.settle(SOON));
        lab.listen(listening_to(OID));
        let client = lab.above("vlan10");
        client.query(OID_GEN_STATISTICS, 256);
        client.query(0x7777_7777, 4);
        // The NIC has no offloads.
        client.set(OID_TCP_OFFLOAD_PARAMETERS, &[0; 32]);
        client.query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4);
        assert!(lab.settle(SOON));
        lab.stop_listening();
        let on = format!("Device={}", device("vlan10"));
        let lines = lines(&lab);
        assert_eq!(
            lines[..6],
            [
                format!("OidRequest {on} Oid=0x20106 Kind=query Way=answer"),
                format!("OidAnswered {on} Oid=0x20106 Status=0x0"),
                format!("OidRequest {on} Oid=0x77777777 Kind=query Way=refuse"),
                format!("OidAnswered {on} Oid=0x77777777 Status=0xc00000bb"),
                format!("OidRequest {on} Oid=0xfc01020c Kind=set Way=refuse"),
                format!("OidAnswered {on} Oid=0xfc01020c Status=0xc00000bb"),
            ]
        );
        assert_eq!(lines[6], format!("OidRequest {on} Oid=0x2020e Kind=query Way=forward"));
        // Below and above come back on different threads.
        assert!(lines[7..].contains(&format!("OidAnswered {on} Oid=0x2020e Status=0x103")), "{lines:#?}");
        let below = after(&lines[7..], &format!(r"OidAnsweredBelow Nic=\Device\{NIC} "));
        assert_eq!(below, ["Oid=0x2020e Status=0x0"], "{lines:#?}");
        assert_eq!(lines.len(), 9, "{lines:#?}");
        lab.down();
    }

    fn what_the_adapter_below_tells_is_traced_with_what_is_done_about_it() {
        let lab = MuxLab::running();
        assert!(lab.settle(SOON));
        lab.listen(listening_to(BELOW));
        lab.below().indicate_status(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, &[0_u8; 8]);
        lab.below().set_link(false);
        assert!(lab.above("vlan10").wait_link(false, SOON));
        lab.sleep_adapter(NIC).expect("the NIC is there").expect("nobody minds");
        lab.wake_adapter(NIC).expect("the NIC is there").expect("it wakes");
        assert!(lab.settle(SOON));
        lab.stop_listening();
        let lines = lines(&lab);
        let statuses = after(&lines, &format!(r"StatusIndication Nic=\Device\{NIC} "));
        assert_eq!(statuses[..2], ["Code=0x40010012 Action=swallow", "Code=0x40010017 Action=link state"]);
        let events = after(&lines, &format!(r"NetPnpEvent Nic=\Device\{NIC} "));
        let power: Vec<&String> = events.iter().filter(|event| event.contains("Power ")).collect();
        assert_eq!(
            power,
            [
                "Event=NetEventQueryPower PowerState=0",
                "Event=NetEventSetPower PowerState=4",
                "Event=NetEventSetPower PowerState=1",
            ]
        );
        lab.down();
    }

    fn nothing_is_written_while_nobody_listens() {
        let lab = MuxLab::running();
        lab.assert_traffic("vlan10", 10);
        lab.above("vlan10").query(OID_GEN_STATISTICS, 256);
        lab.below().set_link(false);
        assert_eq!((calls("EtwRegister"), calls("EtwWriteTransfer")), (1, 0));
        // Listening begins and ends while it runs.
        lab.listen(Session::of("ndismux"));
        lab.above("vlan10").query(OID_GEN_STATISTICS, 256);
        assert_eq!(calls("EtwWriteTransfer"), 2);
        lab.stop_listening();
        lab.above("vlan10").query(OID_GEN_STATISTICS, 256);
        lab.down();
        assert_eq!((calls("EtwWriteTransfer"), calls("EtwUnregister")), (2, 1));
    }

    fn frames_are_not_traced() {
        let lab = MuxLab::running();
        assert!(lab.settle(SOON));
        lab.listen(Session::of("ndismux"));
        for _round in 0..10 {
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
        }
        assert_eq!(lines(&lab), [""; 0]);
        lab.down();
    }

    fn the_provider_has_its_name_and_goes_with_the_driver() {
        let lab = MuxLab::new(&[VLAN20]);
        lab.start();
        let ids: Vec<_> = providers().iter().map(|provider| provider.id).collect();
        assert_eq!(ids, [provider_id("ndismux")]);
        lab.listen(Session::of("ndismux"));
        lab.down();
        assert!(providers().is_empty());
        let named = |event: &Event| event.provider_name == "ndismux" && event.descriptor.channel == 11;
        assert!(lab.traced().iter().all(named));
    }
}

/// With `UPDATE_DOCS=1` in the environment the table is written anew.
#[test]
fn the_page_has_a_row_for_each_event() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tracing.md");
    let text = fs::read_to_string(page).expect("the page is there");
    let (before, rest) = text.split_once(TABLE_BEGINS).expect("the table begins");
    let (_, after) = rest.split_once(TABLE_ENDS).expect("the table ends");
    let fresh = format!("{before}{TABLE_BEGINS}{}{TABLE_ENDS}{after}", table());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page, &fresh).expect("it can be written");
    }
    let found = fs::read_to_string(page).expect("the page is there");
    assert_eq!(found, fresh, "refresh it: UPDATE_DOCS=1");
}

/// A row for each `write_event!` of the driver's source, with the comment of its function.
fn table() -> String {
    let source = include_str!("../src/trace.rs");
    let mut table =
        "\n| event | when | level | keywords | fields |\n|---|---|---|---|---|\n".to_owned();
    let mut functions = source.split("write_event!(").peekable();
    while let Some(before) = functions.next() {
        let Some(event) = functions.peek() else { break };
        let when = before
            .rsplit("\n\n")
            .next()
            .expect("there is a function before it");
        let when: Vec<&str> = when
            .lines()
            .filter_map(|line| line.strip_prefix("/// "))
            .collect();
        let event = event.split_once(");").map_or(*event, |(event, _)| event);
        let event = event
            .split_once("\n    );")
            .map_or(event, |(event, _)| event);
        let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
        let mut lines = event.lines().map(str::trim);
        let name = lines.find_map(quoted).expect("an event has a name");
        let of = |what: &str| {
            let line = event.lines().find(|line| line.trim().starts_with(what));
            let line = line.expect("an event has a level and keywords").trim();
            let words = line[what.len()..]
                .trim_end_matches(',')
                .trim_end_matches(')');
            words
                .replace("Level::", "")
                .replace("keyword::", "")
                .to_lowercase()
        };
        let fields: Vec<String> = lines
            .filter_map(quoted)
            .map(|field| format!("`{field}`"))
            .collect();
        table += &format!(
            "| `{name}` | {} | {} | {} | {} |\n",
            when.join(" "),
            of("level("),
            of("keyword(").replace(" | ", ", "),
            fields.join(", ")
        );
    }
    table
}

fn calls(function: &str) -> u64 {
    let counts = call::counts();
    let count = counts.iter().find(|(called, _)| called.name == function);
    count.map_or(0, |(_, count)| *count)
}

/// What a session wants of the driver: everything of these keywords.
fn listening_to(keywords: u64) -> Session {
    Session {
        keywords,
        ..Session::of("ndismux")
    }
}

fn lines(lab: &MuxLab) -> Vec<String> {
    lab.traced().iter().map(Event::line).collect()
}

/// The rest of each line that begins so.
fn after(lines: &[String], prefix: &str) -> Vec<String> {
    let lines = lines.iter().filter_map(|line| line.strip_prefix(prefix));
    lines.map(str::to_owned).collect()
}

const LIFECYCLE: u64 = 1 << 0;
const CONFIGURATION: u64 = 1 << 1;
const OID: u64 = 1 << 2;
const BELOW: u64 = 1 << 3;
const ERROR: u64 = 1 << 4;

const OID_GEN_TRANSMIT_QUEUE_LENGTH: u32 = 0x0002_020E;

const TABLE_BEGINS: &str = "<!-- events -->\n";
const TABLE_ENDS: &str = "<!-- end of events -->\n";
