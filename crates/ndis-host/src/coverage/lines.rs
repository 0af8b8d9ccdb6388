//! The line table of a PDB: where in the image the code of each source line begins.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use pdb_addr2line::pdb::{
    self, FallibleIterator as _, FileIndex, IdIndex, Inlinee, LineInfo, LineProgram, PDB,
    PdbInternalSectionOffset, StringTable, SymbolData,
};

use super::Error;

/// For each offset in the image at which the code of some line begins: those lines.
pub(super) type Lines = BTreeMap<u32, Vec<Line>>;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// The file, as the compiler named it, with `/` between folders.
    pub(super) file: String,
    /// Its number, from 1.
    pub(super) number: u32,
}

/// Reads the line table.
pub(super) fn read(path: &Path) -> Result<Lines, Error> {
    let no_lines = |error: &dyn std::fmt::Display| {
        Error::NoLines(format!("{} cannot be read: {error}", path.display()))
    };
    let file = File::open(path).map_err(|error| no_lines(&error))?;
    let lines = read_from(file).map_err(|error| no_lines(&error))?;
    if lines.is_empty() {
        return Err(Error::NoLines(format!("{} has none", path.display())));
    }
    Ok(lines)
}

fn read_from(file: File) -> pdb::Result<Lines> {
    let mut pdb = PDB::open(file)?;
    let addresses = pdb.address_map()?;
    let strings = pdb.string_table()?;
    let information = pdb.debug_information()?;
    let mut table = Table::default();

    let mut modules = information.modules()?;
    while let Some(module) = modules.next()? {
        let Some(module) = pdb.module_info(&module)? else {
            continue;
        };
        let program = module.line_program()?;
        let mut add = |info: &LineInfo| -> pdb::Result<()> {
            if let Some(offset) = info.offset.to_rva(&addresses) {
                table.add(offset.0, info, &program, &strings)?;
            }
            Ok(())
        };
        let mut infos = program.lines();
        while let Some(info) = infos.next()? {
            add(&info)?;
        }
        let inlinees: HashMap<IdIndex, Inlinee<'_>> = module
            .inlinees()?
            .map(|inlinee| Ok((inlinee.index(), inlinee)))
            .collect()?;
        let mut procedure = None;
        let mut symbols = module.symbols()?;
        while let Some(symbol) = symbols.next()? {
            match symbol.parse() {
                Ok(SymbolData::Procedure(found)) => procedure = Some(found.offset),
                Ok(SymbolData::InlineSite(site)) => {
                    let begin: Option<PdbInternalSectionOffset> = procedure;
                    let Some((inlinee, begin)) = inlinees.get(&site.inlinee).zip(begin) else {
                        continue;
                    };
                    let mut infos = inlinee.lines(begin, &site);
                    while let Some(info) = infos.next()? {
                        // No length: the annotation only moves on.
                        if info.length.is_some_and(|length| length != 0) {
                            add(&info)?;
                        }
                    }
                }
                // What this reader does not know has no lines.
                _ => {}
            }
        }
    }
    Ok(table.lines)
}

#[derive(Default)]
struct Table {
    lines: Lines,
}

impl Table {
    fn add(
        &mut self,
        offset: u32,
        info: &LineInfo,
        program: &LineProgram<'_>,
        strings: &StringTable<'_>,
    ) -> pdb::Result<()> {
        if info.line_start == 0 || MARKERS.contains(&info.line_start) {
            return Ok(());
        }
        let line = Line {
            file: file_name(info.file_index, program, strings)?,
            number: info.line_start,
        };
        let here = self.lines.entry(offset).or_default();
        if !here.contains(&line) {
            here.push(line);
        }
        Ok(())
    }
}

fn file_name(
    index: FileIndex,
    program: &LineProgram<'_>,
    strings: &StringTable<'_>,
) -> pdb::Result<String> {
    let file = program.get_file_info(index)?;
    let name = strings.get(file.name)?;
    Ok(name.to_string().replace('\\', "/"))
}

/// Numbers that say “do not stop here” instead of a line.
const MARKERS: [u32; 2] = [0xfe_efee, 0xf0_0f00];
