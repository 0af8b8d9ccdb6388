//! Configures the driver image's build: its `cfg` settings and its linker arguments come from
//! `wdk-build`, its message table (the texts of its entries in the event log) from
//! `mux_core::event_log`.
//!
//! The table goes to the linker in a compiled resource file, which every linker for Windows takes. The
//! message compiler and the resource compiler would make the same of a message text file; they would be
//! two more tools to find on each machine, and the texts would stand in two places.

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use mux_core::event_log::Message;

fn main() -> Result<(), Box<dyn Error>> {
    // Windows does not load a driver whose PE checksum is wrong; signing sets it, but an image that
    // was not signed yet should be right as well.
    println!("cargo::rustc-cdylib-link-arg=/RELEASE");
    let file = Path::new(&env::var("OUT_DIR")?).join("messages.res");
    fs::write(&file, resource_file(&message_table()?))?;
    println!("cargo::rustc-cdylib-link-arg={}", file.display());
    wdk_build::configure_wdk_binary_build()?;
    Ok(())
}

/// `MESSAGE_RESOURCE_DATA`: the number of blocks, the blocks, and the entries that they lead to. A block
/// has the entries of consecutive codes.
fn message_table() -> Result<Vec<u8>, Box<dyn Error>> {
    let texts: BTreeMap<u32, &str> = Message::ALL
        .into_iter()
        .map(|message| (message.code(), message.text()))
        .collect();
    let mut blocks: Vec<(u32, u32, usize)> = Vec::new();
    let mut entries = Vec::new();
    for (code, text) in texts {
        match blocks.last_mut() {
            Some((_, last, _)) if *last + 1 == code => *last = code,
            _ => blocks.push((code, code, entries.len())),
        }
        entries.extend(message_entry(text)?);
    }
    let first_entry = 4 + 12 * blocks.len();
    let mut table = u32::try_from(blocks.len())?.to_le_bytes().to_vec();
    for (first, last, place) in blocks {
        let place = u32::try_from(first_entry + place)?;
        table.extend([first, last, place].map(u32::to_le_bytes).concat());
    }
    table.extend(entries);
    Ok(table)
}

/// `MESSAGE_RESOURCE_ENTRY`: its length, its flags, and the text, which ends in a new line and NUL.
fn message_entry(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    const MESSAGE_RESOURCE_UNICODE: u16 = 1;
    let units = text.encode_utf16().chain("\r\n\0".encode_utf16());
    let mut text: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    text.resize(text.len().next_multiple_of(4), 0);
    let length = u16::try_from(4 + text.len())?;
    let head = [length, MESSAGE_RESOURCE_UNICODE].map(u16::to_le_bytes);
    Ok([head.concat(), text].concat())
}

/// A compiled resource file with one message table, in English: `RESOURCEHEADER`s, each with its data.
fn resource_file(table: &[u8]) -> Vec<u8> {
    const RT_MESSAGETABLE: u16 = 11;
    const ENGLISH_US: u16 = 0x0409;
    // The first resource is an empty one, by which the file is told from one of 16 bits.
    let mut file = resource(0, 0, 0, &[]);
    file.extend(resource(RT_MESSAGETABLE, 1, ENGLISH_US, table));
    file
}

fn resource(kind: u16, name: u16, language: u16, data: &[u8]) -> Vec<u8> {
    // What follows is a number, not a text.
    const ORDINAL: u16 = 0xFFFF;
    const HEADER_LENGTH: u32 = 32;
    let lengths = [data.len() as u32, HEADER_LENGTH].map(u32::to_le_bytes);
    // Behind the names: DataVersion, MemoryFlags (which nothing looks at any more) and LanguageId; then
    // Version and Characteristics.
    let rest = [ORDINAL, kind, ORDINAL, name, 0, 0, 0, language, 0, 0, 0, 0];
    let mut bytes = [
        lengths.concat(),
        rest.map(u16::to_le_bytes).concat(),
        data.to_vec(),
    ]
    .concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
