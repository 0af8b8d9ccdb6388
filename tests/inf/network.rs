//! What the sections of a network INF file name: models, DDInstall sections, services, registry values.
//!
//! The chain is `[Manufacturer]` → models section → DDInstall section → everything else, as in
//! inf-manufacturer-section.md and inf-ddinstall-section.md.

use super::reader::{Inf, Line, same};

/// One `AddService` line.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) flags: String,
    pub(crate) section: String,
    /// Its event-log-install-section; empty for none.
    pub(crate) event_log: String,
}

/// Each target of the `[Manufacturer]` section: its decoration and its models section.
pub(crate) fn models(inf: &Inf) -> Vec<(String, String)> {
    let manufacturers = inf.lines("Manufacturer").iter();
    let models: Vec<_> = manufacturers
        .flat_map(|line| {
            line.fields.iter().skip(1).map(|decoration| {
                (
                    decoration.clone(),
                    format!("{}.{decoration}", line.field(0)),
                )
            })
        })
        .collect();
    assert!(!models.is_empty(), "{}: no models", inf.file);
    models
}

/// The DDInstall sections that one models section names.
pub(crate) fn install_sections(inf: &Inf, models: &str) -> Vec<String> {
    inf.lines(models)
        .iter()
        .map(|line| line.field(0).to_owned())
        .collect()
}

/// All DDInstall sections of the file.
pub(crate) fn installs(inf: &Inf) -> Vec<String> {
    let installs: Vec<_> = models(inf)
        .iter()
        .flat_map(|(_, models)| install_sections(inf, models))
        .collect();
    assert!(!installs.is_empty(), "{}: nothing to install", inf.file);
    installs
}

pub(crate) fn hardware_ids(inf: &Inf) -> Vec<String> {
    let models = models(inf);
    let lines = models.iter().flat_map(|(_, models)| inf.lines(models));
    let mut ids: Vec<String> = lines.map(|line| line.field(1).to_owned()).collect();
    ids.dedup();
    ids
}

pub(crate) fn services(inf: &Inf, install: &str) -> Vec<Service> {
    let section = format!("{install}.Services");
    let lines = inf
        .lines(&section)
        .iter()
        .filter(|line| line.has_key("AddService"));
    lines
        .map(|line| {
            let field = |index| line.field(index).to_owned();
            Service {
                name: field(0),
                flags: field(1),
                section: field(2),
                event_log: field(3),
            }
        })
        .collect()
}

/// The lines of all sections that the `AddReg` of a section names.
pub(crate) fn added<'a>(inf: &'a Inf, section: &str) -> Vec<&'a Line> {
    let sections = inf.values(section, "AddReg");
    let lines = sections.iter().flat_map(|section| inf.lines(section));
    lines.collect()
}

/// The data of each value of this name that the `AddReg` of a section adds below `HKR`: of a DDInstall or
/// an event-log-install-section.
pub(crate) fn registry(inf: &Inf, section: &str, key: &str, value: &str) -> Vec<String> {
    added(inf, section)
        .into_iter()
        .filter(|line| {
            same(line.field(0), "HKR") && same(line.field(1), key) && same(line.field(2), value)
        })
        .map(|line| line.field(4).to_owned())
        .collect()
}

pub(crate) fn named_sections(inf: &Inf) -> Vec<String> {
    let mut named: Vec<String> = models(inf).into_iter().map(|(_, models)| models).collect();
    for install in installs(inf) {
        named.push(format!("{install}.Services"));
        named.extend(
            ["AddReg", "CopyFiles"]
                .iter()
                .flat_map(|directive| inf.values(&install, directive)),
        );
        for service in services(inf, &install) {
            named.push(service.section);
            if !service.event_log.is_empty() {
                named.extend(inf.values(&service.event_log, "AddReg"));
                named.push(service.event_log);
            }
        }
        named.push(install);
    }
    let directories = inf
        .lines("DestinationDirs")
        .iter()
        .filter_map(|line| line.key.clone());
    named.extend(directories.filter(|key| !same(key, "DefaultDestDir")));
    named
}
