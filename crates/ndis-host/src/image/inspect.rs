//! What an image is, without running it: for a person, and for a check before it is shipped.

use std::path::Path;

use serde::Serialize;

use super::parse::{ImportName, Machine, Pe};
use super::symbols::Symbols;
use super::{Error, forbidden};
use crate::call;

/// What an inspection found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The processor: `x64`, `arm64`, or its number.
    pub machine: String,
    /// The subsystem: `native`, or its number.
    pub subsystem: String,
    /// The entry point's offset in the image.
    pub entry: u32,
    /// The entry point's function, if there is a PDB.
    pub entry_symbol: Option<String>,
    /// Bytes that the loaded image takes.
    pub size: u32,
    /// The PDB beside the image that names functions.
    pub symbols: Option<String>,
    /// The checksum, in the header and by the content.
    pub checksum: Checksum,
    /// The sections, in order.
    pub sections: Vec<Section>,
    /// The imports, by module.
    pub imports: Vec<Module>,
    /// Functions whose stack frame takes a page or more (x64 only).
    pub large_frames: Vec<Frame>,
    /// What a driver image must not have. Nothing, if it is right.
    pub problems: Vec<String>,
}

/// A PE checksum.
#[derive(Debug, Serialize)]
pub struct Checksum {
    /// The one in the header, 0 for none.
    pub stored: u32,
    /// The right one.
    pub computed: u32,
}

/// A section.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its offset in the image.
    pub offset: u32,
    /// Bytes that it takes in memory.
    pub size: u32,
    /// Its protection, as `r-x`.
    pub protection: String,
    /// Whether it may be dropped once `DriverEntry` has run.
    pub discardable: bool,
}

/// A module that the image imports from.
#[derive(Debug, Serialize)]
pub struct Module {
    /// Its name as the import table spells it.
    pub name: String,
    /// What is imported.
    pub functions: Vec<Function>,
}

/// An imported function.
#[derive(Debug, Serialize)]
pub struct Function {
    /// Its name, or `#` and its number.
    pub name: String,
    /// What the host makes of it.
    pub status: Status,
}

/// What the host makes of an imported function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The host has it.
    Known,
    /// The host does not have it: it refuses to load the image.
    Unknown,
    /// No NDIS 6 driver may import it.
    Forbidden,
}

/// A function's stack frame.
#[derive(Debug, Serialize)]
pub struct Frame {
    /// The function's offset in the image.
    pub offset: u32,
    /// Its name, if there is a PDB.
    pub function: Option<String>,
    /// Bytes that it allocates.
    pub bytes: u64,
}

/// Inspects an image file, with the PDB beside it if there is one.
///
/// # Errors
/// As [`Pe::read`].
pub fn file(path: &Path) -> Result<Report, Error> {
    let pe = Pe::read(path)?;
    let symbols = Symbols::beside(path, &pe);
    Ok(report(&pe, &symbols))
}

fn report(pe: &Pe, symbols: &Symbols) -> Report {
    let name_at = |offset| symbols.at(offset).map(|symbol| symbol.name);
    let mut report = Report {
        machine: match pe.machine {
            Machine::X64 => "x64".to_owned(),
            Machine::Arm64 => "arm64".to_owned(),
            Machine::Other(number) => format!("{number:#06x}"),
        },
        subsystem: match pe.subsystem {
            NATIVE => "native".to_owned(),
            number => number.to_string(),
        },
        entry: pe.entry,
        entry_symbol: name_at(pe.entry),
        size: pe.size,
        symbols: symbols.path().map(|path| path.display().to_string()),
        checksum: Checksum {
            stored: pe.checksum,
            computed: pe.computed_checksum,
        },
        sections: pe.sections.iter().map(section_of).collect(),
        imports: imports_of(pe),
        large_frames: pe
            .frames()
            .into_iter()
            .filter(|frame| frame.size >= PAGE)
            .map(|frame| Frame {
                offset: frame.function,
                function: name_at(frame.function),
                bytes: frame.size,
            })
            .collect(),
        problems: Vec::new(),
    };
    report.problems = problems_of(pe, &report, symbols);
    report
}

fn section_of(section: &super::Section) -> Section {
    Section {
        name: section.name.clone(),
        offset: section.offset,
        size: section.size,
        protection: section.protection(),
        discardable: section.discardable,
    }
}

fn imports_of(pe: &Pe) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    for import in &pe.imports {
        let status = match &import.name {
            ImportName::Name(name) if forbidden::is_forbidden(&import.module, name) => {
                Status::Forbidden
            }
            ImportName::Name(name) if call::find(&import.module, name).is_some() => Status::Known,
            _ => Status::Unknown,
        };
        let function = Function {
            name: import.name.to_string(),
            status,
        };
        match modules
            .iter_mut()
            .find(|module| module.name == import.module)
        {
            Some(module) => module.functions.push(function),
            None => modules.push(Module {
                name: import.module.clone(),
                functions: vec![function],
            }),
        }
    }
    modules
}

fn problems_of(pe: &Pe, report: &Report, symbols: &Symbols) -> Vec<String> {
    let mut problems = Vec::new();
    if pe.subsystem != NATIVE {
        problems.push(format!("the subsystem is {}, not native", report.subsystem));
    }
    if pe.checksum != pe.computed_checksum {
        problems.push(format!(
            "the checksum is {:#010x}; Windows loads the driver only with {:#010x} \
             (link with /RELEASE)",
            pe.checksum, pe.computed_checksum
        ));
    }
    problems.extend(
        forbidden::imports(pe).map(|name| format!("imports {name}, which belongs to NDIS 5")),
    );
    for section in &pe.sections {
        if section.write && section.execute {
            problems.push(format!(
                "section {} can be written and executed; memory integrity refuses it",
                section.name
            ));
        }
    }
    for frame in &report.large_frames {
        let function = frame.function.as_deref().unwrap_or("a function");
        problems.push(format!(
            "{function} at {:#x} has a stack frame of {} bytes; a kernel stack has 24 KiB in all",
            frame.offset, frame.bytes
        ));
    }
    if symbols
        .functions()
        .iter()
        .any(|(name, _)| is_stack_probe(name))
    {
        problems.push("has __chkstk: some frame takes a page or more".to_owned());
    }
    problems
}

/// Names of the function that touches each page of a large frame: Microsoft's, and LLVM's for other
/// targets.
fn is_stack_probe(name: &str) -> bool {
    matches!(
        name.trim_start_matches('_').split('(').next(),
        Some("chkstk" | "chkstk_ms" | "rust_probestack")
    )
}

const NATIVE: u16 = 1;
const PAGE: u64 = 4096;

#[cfg(test)]
mod tests;
