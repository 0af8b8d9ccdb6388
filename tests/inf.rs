//! The two INF files against the driver's source, the documents they follow, and each other.
//!
//! A name that differs between an INF file and the driver shows only on a Windows machine, as an
//! adapter that never starts; so the names are compared here. Nothing of Windows runs in these tests:
//! they read `inf/*.inx`, the driver's source, `docs/windows.md` and the root `Cargo.toml` as text.
//! Whether Windows accepts the files is InfVerif's question, which the package build on Windows asks.
//!
//! Source documents: mux-intermediate-driver-installation.md,
//! installation-requirements-for-network-mux-intermediate-drivers.md,
//! manufacturer-section-in-a-network-inf-file.md, ddinstall-section-in-a-network-inf-file.md,
//! adding-service-related-values-to-the-ndi-key.md, standardized-inf-keywords-for-network-devices.md,
//! inf-addreg-directive.md and run-from-driver-store.md. What the Advanced page shows: `inf/advanced_page.rs`.

#[path = "inf/advanced_page.rs"]
mod advanced_page;
#[path = "inf/network.rs"]
mod network;
#[path = "inf/reader.rs"]
mod reader;

use std::fs;
use std::path::{Path, PathBuf};

use network::{
    added, hardware_ids, install_sections, installs, models, named_sections, registry, services,
};
use reader::{Inf, Line, same};

#[test]
fn every_section_is_defined_once() {
    for inf in both() {
        for section in &inf.sections {
            let count = inf
                .sections
                .iter()
                .filter(|other| same(&other.name, &section.name))
                .count();
            assert_eq!(
                count, 1,
                "{}: [{}] is defined {count} times",
                inf.file, section.name
            );
        }
    }
}

#[test]
fn every_section_named_by_another_exists() {
    for inf in both() {
        for name in named_sections(&inf) {
            assert!(
                inf.section(&name).is_some(),
                "{}: [{name}] is named but not there",
                inf.file
            );
        }
    }
}

#[test]
fn every_section_is_named_by_another() {
    for inf in both() {
        let mut named = named_sections(&inf);
        named.extend(STARTING_SECTIONS.map(str::to_owned));
        named.extend(
            installs(&inf)
                .into_iter()
                .map(|install| format!("{install}.Remove.Services")),
        );
        for section in &inf.sections {
            let found = named.iter().any(|name| same(name, &section.name));
            assert!(found, "{}: nothing names [{}]", inf.file, section.name);
        }
    }
}

#[test]
fn every_string_is_defined_and_used() {
    for inf in both() {
        let strings = inf.strings();
        let lines = inf.sections.iter().flat_map(|section| &section.lines);
        let used: Vec<String> = lines.flat_map(Line::string_references).collect();
        for name in &used {
            assert!(
                strings.contains_key(name),
                "{}: %{name}% is not in [Strings]",
                inf.file
            );
        }
        for name in strings.keys() {
            assert!(used.contains(name), "{}: nothing uses %{name}%", inf.file);
        }
    }
}

#[test]
fn version_sections_say_class_catalog_and_lockdown() {
    let classes = [
        ("NetTrans", "{4d36e975-e325-11ce-bfc1-08002be10318}"),
        ("Net", "{4d36e972-e325-11ce-bfc1-08002be10318}"),
    ];
    for (inf, (class, class_guid)) in both().into_iter().zip(classes) {
        let stem = inf.file.trim_end_matches(".inx");
        let expected = [
            ("Signature", "$Windows NT$"),
            ("Class", class),
            ("ClassGuid", class_guid),
            ("Provider", "%Provider%"),
            ("CatalogFile", &format!("{stem}.cat")),
            ("PnpLockdown", "1"),
        ];
        for (key, value) in expected {
            assert!(
                same(&inf.value("Version", key), value),
                "{}: {key} should be {value}",
                inf.file
            );
        }
        let driver_version = inf.values("Version", "DriverVer");
        assert_eq!(
            driver_version.get(1),
            Some(&format!("{}.0", env!("CARGO_PKG_VERSION"))),
            "{}",
            inf.file
        );
    }
}

#[test]
fn models_are_for_windows_10_1709_and_later_on_every_architecture() {
    for inf in both() {
        for (decoration, _) in models(&inf) {
            let build = decoration.strip_prefix("NT$ARCH$.10.0...");
            let build =
                build.unwrap_or_else(|| panic!("{}: {decoration} is not for $ARCH$", inf.file));
            assert!(
                build.parse::<u32>().is_ok_and(|build| build >= 16299),
                "{}: {decoration}",
                inf.file
            );
        }
    }
}

#[test]
fn protocol_runs_from_the_driver_store_only_where_network_configuration_can() {
    let inf = protocol();
    for (decoration, models) in models(&inf) {
        let build: u32 = decoration
            .rsplit('.')
            .next()
            .and_then(|build| build.parse().ok())
            .expect("a build number");
        let directory = if build >= 25319 { "13" } else { "12" };
        for install in install_sections(&inf, &models) {
            for files in inf.values(&install, "CopyFiles") {
                assert_eq!(
                    inf.value("DestinationDirs", &files),
                    directory,
                    "[{files}] for build {build}"
                );
            }
        }
    }
}

#[test]
fn every_service_runs_the_driver_image_from_where_it_is_copied() {
    let image = format!("{}.sys", package_name());
    for inf in both() {
        for install in installs(&inf) {
            let files = inf.value(&install, "CopyFiles");
            let copied: Vec<&str> = inf.lines(&files).iter().map(|line| line.field(0)).collect();
            assert_eq!(copied, [image.as_str()], "{}: [{files}]", inf.file);
            // What runs from the driver store cannot be renamed on the way.
            for line in inf.lines(&files) {
                assert_eq!(line.field(1), "", "{}: [{files}]: a new name", inf.file);
            }
            let binary = format!("%{}%\\{image}", inf.value("DestinationDirs", &files));
            for service in services(&inf, &install) {
                assert_eq!(
                    inf.value(&service.section, "ServiceBinary"),
                    binary,
                    "{}: {install}",
                    inf.file
                );
                for (key, value) in [
                    ("ServiceType", "1"),
                    ("StartType", "3"),
                    ("ErrorControl", "1"),
                ] {
                    assert_eq!(
                        inf.value(&service.section, key),
                        value,
                        "{}: {key}",
                        inf.file
                    );
                }
            }
        }
        // The number of the disk, and no folder on it.
        assert_eq!(inf.value("SourceDisksFiles", &image), "1", "{}", inf.file);
        assert_eq!(
            inf.lines("SourceDisksFiles").len(),
            1,
            "{}: one file only",
            inf.file
        );
    }
}

#[test]
fn d01_protocol_service_is_the_protocol_name_the_driver_registers() {
    let inf = protocol();
    let name = source_constant("PROTOCOL_NAME");
    for install in installs(&inf) {
        assert_eq!(
            registry(&inf, &install, "Ndi", "Service"),
            [name.as_str()],
            "[{install}]"
        );
        let services = services(&inf, &install);
        let [service] = services.as_slice() else {
            panic!("[{install}] should add one service")
        };
        assert_eq!(service.name, name, "[{install}]");
        assert_eq!(
            service.flags, "",
            "[{install}]: a protocol is no device's function driver"
        );
        let removed = inf.values(&format!("{install}.Remove.Services"), "DelService");
        assert_eq!(removed.first(), Some(&name), "[{install}]");
    }
}

#[test]
fn miniport_service_is_the_function_driver_and_not_the_protocol() {
    let inf = miniport();
    for install in installs(&inf) {
        let services = services(&inf, &install);
        let [service] = services.as_slice() else {
            panic!("[{install}] should add one service")
        };
        assert_eq!(service.flags, "2", "[{install}]: SPSVCINST_ASSOCSERVICE");
        assert_eq!(
            registry(&inf, &install, "Ndi", "Service"),
            [service.name.as_str()],
            "[{install}]"
        );
        assert!(
            !same(&service.name, &source_constant("PROTOCOL_NAME")),
            "[{install}]"
        );
    }
}

#[test]
fn texts_of_the_event_log_are_registered_for_the_service_that_the_image_is_loaded_for() {
    let inf = miniport();
    for install in installs(&inf) {
        for service in services(&inf, &install) {
            let value = |name| registry(&inf, &service.event_log, "", name);
            let binary = inf.value(&service.section, "ServiceBinary");
            assert_eq!(value("EventMessageFile"), [binary], "[{install}]");
            // Errors, warnings and information.
            assert_eq!(value("TypesSupported"), ["7"], "[{install}]");
            for line in added(&inf, &service.event_log) {
                let kind = match line.field(2) {
                    "EventMessageFile" => FLG_ADDREG_TYPE_EXPAND_SZ,
                    _ => FLG_ADDREG_TYPE_DWORD,
                };
                assert_eq!(flags(line), kind, "[{install}]: {}", line.field(2));
            }
        }
    }
    // The protocol's is never loaded, so nothing has its name for a source.
    let inf = protocol();
    for install in installs(&inf) {
        for service in services(&inf, &install) {
            assert_eq!(service.event_log, "", "[{install}]");
        }
    }
}

#[test]
fn what_is_set_up_for_a_component_is_text_in_its_own_key() {
    for inf in both() {
        for install in installs(&inf) {
            for line in added(&inf, &install) {
                let name = format!(r"{}: {}\{}", inf.file, line.field(1), line.field(2));
                assert_eq!(line.field(0), "HKR", "{name}");
                assert_eq!(flags(line), FLG_ADDREG_TYPE_SZ, "{name}");
            }
        }
    }
}

#[test]
fn protocol_edge_binds_to_adapters_and_has_no_notify_object() {
    let inf = protocol();
    for install in installs(&inf) {
        assert_eq!(
            inf.value(&install, "Characteristics"),
            "0x0",
            "no notify object, so no NCF_HAS_UI"
        );
        assert_eq!(
            inf.value(&install, "CopyINF"),
            MINIPORT.replace(".inx", ".inf")
        );
        assert_eq!(
            registry(&inf, &install, r"Ndi\Interfaces", "UpperRange"),
            ["noupper"]
        );
        assert_eq!(
            registry(&inf, &install, r"Ndi\Interfaces", "LowerRange"),
            ["ndis5"]
        );
        assert_eq!(
            registry(&inf, &install, "Ndi", "HelpText"),
            ["%Protocol.Help%"]
        );
        // ClsID and ComponentDll name a notify object; CoServices would have the protocol's own service
        // started, and the image with it, before Plug and Play loads it for the virtual miniports.
        for absent in ["ClsID", "ComponentDll", "CoServices"] {
            assert!(
                registry(&inf, &install, "Ndi", absent).is_empty(),
                "[{install}]: {absent}"
            );
        }
    }
}

#[test]
fn virtual_miniport_is_a_virtual_ethernet_adapter_with_an_advanced_page() {
    let inf = miniport();
    for install in installs(&inf) {
        let characteristics = inf.value(&install, "Characteristics");
        let digits = characteristics.trim_start_matches("0x");
        let characteristics =
            u32::from_str_radix(digits, 16).expect("Characteristics is hexadecimal");
        assert_eq!(characteristics, NCF_VIRTUAL | NCF_HAS_UI);
        // What the driver says of a virtual miniport in its general attributes.
        let media = [
            ("*IfType", i32::from(ndis_sys::IF_TYPE_ETHERNET_CSMACD)),
            ("*MediaType", ndis_sys::NdisMedium802_3),
            ("*PhysicalMediaType", ndis_sys::NdisPhysicalMedium802_3),
        ];
        for (keyword, value) in media {
            assert_eq!(
                inf.value(&install, keyword),
                value.to_string(),
                "NDIS starts no miniport without {keyword}"
            );
        }
        assert_eq!(
            registry(&inf, &install, r"Ndi\Interfaces", "UpperRange"),
            ["ndis5"]
        );
        assert_eq!(
            registry(&inf, &install, r"Ndi\Interfaces", "LowerRange"),
            ["ethernet"]
        );
        // Net components support neither.
        for absent in ["HelpText", "CoServices"] {
            assert!(
                registry(&inf, &install, "Ndi", absent).is_empty(),
                "[{install}]: {absent}"
            );
        }
    }
    assert_eq!(
        inf.values("ControlFlags", "ExcludeFromSelect"),
        hardware_ids(&inf)
    );
}

#[test]
fn windows_instructions_use_the_names_in_the_files() {
    let text = read("docs/windows.md");
    let parameters = format!(
        r"Services\{}\Parameters\Adapters",
        source_constant("PROTOCOL_NAME")
    );
    let mut names = vec![
        parameters,
        source_constant("UPPER_BINDINGS"),
        source_constant("VLAN_ID"),
    ];
    for inf in both() {
        names.push(inf.file.replace(".inx", ".inf"));
        names.extend(hardware_ids(&inf));
    }
    for name in names {
        assert!(
            text.contains(&name),
            "docs/windows.md does not mention {name}"
        );
    }
}

/// The kind of registry value that an AddReg line makes. Nothing said is text, as 0.
fn flags(line: &Line) -> u32 {
    let flags = line.field(3);
    let digits = flags.trim_start_matches("0x");
    let parsed = u32::from_str_radix(if digits.is_empty() { "0" } else { digits }, 16);
    parsed.unwrap_or_else(|error| panic!("{flags} are no flags: {error}"))
}

fn both() -> [Inf; 2] {
    [protocol(), miniport()]
}

fn protocol() -> Inf {
    Inf::parse(PROTOCOL, &read(&format!("inf/{PROTOCOL}")))
}

fn miniport() -> Inf {
    Inf::parse(MINIPORT, &read(&format!("inf/{MINIPORT}")))
}

/// The text of the string constant (or static) of this name, wherever in the driver's source it is.
fn source_constant(name: &str) -> String {
    let mut found = Vec::new();
    let folders = SOURCE_FOLDERS.iter();
    for path in folders.flat_map(|folder| rust_files(&root().join(folder))) {
        let text = fs::read_to_string(&path).expect("a source file is readable");
        for keyword in ["const", "static"] {
            for declaration in text.split(&format!("{keyword} {name}:")).skip(1) {
                let value = declaration
                    .split('=')
                    .nth(1)
                    .and_then(|value| value.split(';').next());
                let literal = value.and_then(|value| value.split('"').nth(1));
                found.extend(literal.map(str::to_owned));
            }
        }
    }
    let [value] = found.as_slice() else {
        panic!("{SOURCE_FOLDERS:?} should have one string constant {name}, but have {found:?}");
    };
    value.clone()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a source folder is readable");
    entries
        .map(|entry| entry.expect("a folder entry is readable").path())
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The driver package's name: the stem of the image that `cargo make` puts into the package folder.
fn package_name() -> String {
    let manifest = read("Cargo.toml");
    let package = manifest
        .split("[package]")
        .nth(1)
        .expect("the root manifest has a package");
    let name = package
        .lines()
        .find_map(|line| line.strip_prefix("name = "));
    name.expect("the package has a name")
        .trim_matches('"')
        .to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("reading {path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The driver, and the part of it that knows the registry values by name.
const SOURCE_FOLDERS: [&str; 2] = ["src", "crates/mux-core/src"];

const PROTOCOL: &str = "ndismux.inx";
const MINIPORT: &str = "ndismux_mp.inx";

/// Sections that Windows looks for by their own name.
const STARTING_SECTIONS: [&str; 7] = [
    "Version",
    "Manufacturer",
    "ControlFlags",
    "SourceDisksNames",
    "SourceDisksFiles",
    "DestinationDirs",
    "Strings",
];

// setupapi.h, as in inf-addreg-directive.md.
const FLG_ADDREG_TYPE_SZ: u32 = 0;
const FLG_ADDREG_TYPE_DWORD: u32 = 0x0001_0001;
const FLG_ADDREG_TYPE_EXPAND_SZ: u32 = 0x0002_0000;

// netcfgx.h, as in ddinstall-section-in-a-network-inf-file.md.
const NCF_VIRTUAL: u32 = 0x1;
const NCF_HAS_UI: u32 = 0x80;
