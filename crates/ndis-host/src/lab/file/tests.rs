//! Lab files read, written, and refused with the place and the cure.

use std::time::Duration;

use ndis_sys::{NDIS_ENCAPSULATION_IEEE_802_3, NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB};

use super::*;
use crate::nic::Offloads;

const WHOLE: &str = r#"
ndis = "6.30"

[policy]
open = "inline"
receive_resources = "alternate"

[[image]]
file = "ndismux.sys"
service = "ndismux"
[image.registry]
Start = 3
Blob = { binary = [1, 2, 255] }

[[nic]]
name = "trunk"
device = '\Device\{11111111-0000-0000-0000-000000000001}'
wire = { packet = "nic0" }
mac = "02-00-00-00-00-0A"
mtu = 9000
speed = 10_000_000_000
out_of_band_tags = true
shapes = "awkward"
offloads = { encapsulations = ["ieee_802_3", "ieee_802_3_p_and_q_in_oob"], largest_send = 32768 }

[[nic]]
name = "spare"
wire = "memory"

[[image]]
file = "soft.sys"
service = "soft-miniport"

[[adapter]]
name = "soft"
miniport = "soft-miniport"
[adapter.registry]
Cable = 1

[[filter]]
service = "soft-miniport"
above = "soft"
monitoring = true

[[binding]]
protocol = "ndismux"
above = "trunk"
[binding.registry]
UpperBindings = ['\Device\{22222222-0000-0000-0000-000000000010}']

[[virtual_miniport]]
name = "vlan10"
device = '\Device\{22222222-0000-0000-0000-000000000010}'
[virtual_miniport.registry]
VlanId = "10"

[[client]]
name = "ten"
above = "vlan10"
wire = { tap = "vlan10" }
"#;

#[test]
fn every_section_is_read() {
    let lab = LabFile::parse(WHOLE).unwrap();
    assert_eq!(lab.ndis.packed(), 0x0006_001e);
    assert_eq!(lab.policy.open, Some(WhenKey::Inline));
    assert_eq!(lab.images[0].registry["Start"], RegistryValue::Dword(3));
    assert_eq!(
        lab.images[0].registry["Blob"],
        RegistryValue::Binary(vec![1, 2, 255])
    );
    assert_eq!(lab.nics[0].mac, Some(MacAddress([2, 0, 0, 0, 0, 10])));
    assert_eq!(
        lab.nics[0].wire,
        WireSection::Packet("nic0".parse().unwrap())
    );
    let offloads = lab.nics[0].offloads.as_ref().unwrap().offloads();
    let expected = Offloads {
        encapsulation: NDIS_ENCAPSULATION_IEEE_802_3 | NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB,
        largest_send: 32768,
        segments_udp: true,
        coalesces: true,
    };
    assert_eq!(offloads, expected);
    assert_eq!((lab.nics[1].mtu, lab.nics[1].speed), (1500, 1_000_000_000));
    assert_eq!(lab.nics[1].offloads, None);
    assert_eq!(lab.nics[1].device_name(), r"\Device\spare");
    assert_eq!(lab.adapters[0].device_name(), r"\Device\soft");
    assert_eq!(lab.adapters[0].registry["Cable"], RegistryValue::Dword(1));
    assert!(lab.filters[0].monitoring && !lab.filters[0].mandatory);
    let upper = r"\Device\{22222222-0000-0000-0000-000000000010}".to_owned();
    assert_eq!(
        lab.bindings[0].registry["UpperBindings"],
        RegistryValue::MultiSz(vec![upper])
    );
    assert_eq!(
        lab.virtual_miniports[0].registry["VlanId"],
        RegistryValue::Sz("10".to_owned())
    );
    assert_eq!(
        lab.clients[0].wire,
        WireSection::Tap("vlan10".parse().unwrap())
    );
}

#[test]
fn what_is_written_reads_back_the_same() {
    let lab = LabFile::parse(WHOLE).unwrap();
    let written = toml::to_string(&lab).unwrap();
    assert_eq!(LabFile::parse(&written).unwrap(), lab, "{written}");
}

#[test]
fn the_policy_changes_what_is_named_and_nothing_else() {
    use crate::ndis::policy::{Policy, Resources, When};
    let mut policy = Policy::STRICT;
    LabFile::parse(WHOLE).unwrap().policy.apply(&mut policy);
    let limits = LabFile::parse("[policy]\noid_limit = 20\nwatchdog = 2\n").unwrap();
    limits.policy.apply(&mut policy);
    let expected = Policy {
        oid_limit: Duration::from_secs(20),
        watchdog: Duration::from_secs(2),
        open: When::Inline,
        receive_resources: Resources::Alternate,
        ..Policy::STRICT
    };
    assert_eq!(policy, expected);
}

#[test]
fn an_empty_file_is_an_empty_lab() {
    assert_eq!(LabFile::parse("").unwrap(), LabFile::default());
}

#[test]
fn the_demo_lab_is_read_from_its_folder() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs/demo.toml");
    let lab = LabFile::load(&path).unwrap();
    assert!(
        lab.images[0]
            .file
            .ends_with("labs/../target/driver/ndismux.sys")
    );
    assert_eq!(lab.virtual_miniports.len(), 2);
}

/// Each mistake: what replaces what in the whole file, the line it is reported at counted from the
/// replaced text, and what the message has to contain.
#[test]
fn mistakes_are_named_with_their_line_and_the_cure() {
    let mistakes = [
        ("mtu = 9000", "mtv = 9000", "unknown field `mtv`"),
        ("mtu = 9000", "mtu = 40", "68 to 9216"),
        ("\"6.30\"", "\"5.1\"", "write it like 6.80"),
        ("02-00-00-00-00-0A", "03-00-00-00-00-0A", "group address"),
        (
            "02-00-00-00-00-0A",
            "02-00-00-00-0A",
            "six hexadecimal bytes",
        ),
        ("\"nic0\"", "\"an-interface-name\"", "1 to 15 bytes"),
        (
            "{ packet = \"nic0\" }",
            "{ pcap = \"nic0\" }",
            "unknown variant `pcap`",
        ),
        ("\"ieee_802_3\"", "\"802.3\"", "unknown variant `802.3`"),
        (
            "encapsulations = [\"ieee_802_3\", \"ieee_802_3_p_and_q_in_oob\"]",
            "encapsulations = []",
            "name one, or leave the offloads out",
        ),
        (
            "open = \"inline\"",
            "open = \"soon\"",
            "unknown variant `soon`",
        ),
        (
            "above = \"trunk\"",
            "above = \"trunc\"",
            "there are trunk, spare, soft, vlan10",
        ),
        (
            "protocol = \"ndismux\"",
            "protocol = \"mux\"",
            "there are ndismux, soft-miniport",
        ),
        (
            "above = \"vlan10\"",
            "above = \"vlan11\"",
            "there are trunk, spare, soft, vlan10",
        ),
        (
            "name = \"spare\"",
            "name = \"trunk\"",
            "`trunk` is there twice",
        ),
        ("name = \"ten\"", "name = \"\"", "`name` is empty"),
        ("Start = 3", "Start = -3", "0 to 4294967295"),
        (
            "Start = 3",
            "Start = { dword = 3 }",
            "unknown field `dword`",
        ),
        ("Start = 3", "Start = ['a', '']", "empty text"),
        ("Start = 3", "Start = 3.5", "a registry value"),
        (
            "device = '\\Device\\{2",
            "device = '{2",
            "like '\\Device\\{GUID}'",
        ),
    ];
    for (right, wrong, wanted) in mistakes {
        let at = WHOLE
            .find(right)
            .unwrap_or_else(|| panic!("`{right}` is in the file"));
        let line = WHOLE[..at].matches('\n').count() + 1;
        let error = LabFile::parse(&WHOLE.replacen(right, wrong, 1)).expect_err(wrong);
        let text = error.to_string();
        assert!(text.contains(wanted), "`{wrong}`: {text}");
        assert_eq!(error.line(), Some(line), "`{wrong}`: {text}");
    }
}

#[test]
fn two_clients_above_one_adapter_are_allowed() {
    let two =
        format!("{WHOLE}\n[[client]]\nname = \"other\"\nabove = \"vlan10\"\nwire = \"memory\"\n");
    assert_eq!(LabFile::parse(&two).unwrap().clients.len(), 2);
}

#[test]
fn a_missing_file_says_which_and_what_to_give() {
    let error = LabFile::load(Path::new("no/such/lab.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("no/such/lab.toml: cannot read it"),
        "{error}"
    );
    assert!(error.contains("--lab"), "{error}");
}
