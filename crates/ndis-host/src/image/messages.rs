//! The message table of an image: the texts of its codes in the event log, as a viewer finds them by the
//! source's `EventMessageFile`.
//!
//! A viewer that finds no text says so; so a table that is damaged counts as far as it can be read.

use std::collections::BTreeMap;

use object::pe;

use super::parse::Pe;

/// Texts by their codes.
pub(crate) type Messages = BTreeMap<u32, String>;

impl Pe {
    /// The texts of the first message table in its first language, by their codes.
    pub(super) fn messages(&self) -> Messages {
        let mut messages = Messages::new();
        let table = self.message_table().unwrap_or_default();
        let blocks = word(table, 0).unwrap_or(0) as usize;
        for block in table
            .get(4..)
            .unwrap_or_default()
            .chunks_exact(12)
            .take(blocks)
        {
            let [first, last, offset] = [0, 4, 8].map(|field| word(block, field).unwrap_or(0));
            let mut rest = table.get(offset as usize..).unwrap_or_default();
            for code in first..=last {
                let Some((text, after)) = message(rest) else {
                    break;
                };
                messages.insert(code, text);
                rest = after;
            }
        }
        messages
    }

    fn message_table(&self) -> Option<&[u8]> {
        let (root, _) = self.directory(pe::IMAGE_DIRECTORY_ENTRY_RESOURCE)?;
        let resources = self.memory.get(root as usize..)?;
        let names = resource(resources, 0, |kind| kind == RT_MESSAGETABLE)?;
        let languages = resource(resources, names, |_| true)?;
        let data = resource(resources, languages, |_| true)?;
        let (start, length) = (word(resources, data)?, word(resources, data + 4)?);
        self.memory.get(start as usize..)?.get(..length as usize)
    }
}

/// Where the first entry of a resource directory leads that has the right number.
fn resource(resources: &[u8], directory: usize, is_it: impl Fn(u32) -> bool) -> Option<usize> {
    const IS_DIRECTORY: u32 = 1 << 31;
    let numbers = word(resources, directory + 12)?;
    let (named, numbered) = (numbers & 0xffff, numbers >> 16);
    let entries = resources.get(directory + 16..)?.chunks_exact(8);
    let mut entries = entries.take((named + numbered) as usize);
    let found = entries.find(|entry| word(entry, 0).is_some_and(&is_it))?;
    Some((word(found, 4)? & !IS_DIRECTORY) as usize)
}

/// The text of the first entry, and what follows it.
fn message(entries: &[u8]) -> Option<(String, &[u8])> {
    const MESSAGE_RESOURCE_UNICODE: u32 = 1;
    let head = word(entries, 0)?;
    let (length, flags) = (head & 0xffff, head >> 16);
    let (entry, after) = entries.split_at_checked(length as usize)?;
    let text = entry.get(4..)?;
    let text = if flags & MESSAGE_RESOURCE_UNICODE == 0 {
        String::from_utf8_lossy(text).into_owned()
    } else {
        let units = text
            .chunks_exact(2)
            .map(|it| u16::from_le_bytes([it[0], it[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    Some((text.trim_end_matches(['\0', '\r', '\n']).to_owned(), after))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

const RT_MESSAGETABLE: u32 = 11;

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    /// An image whose message table is this, at 0x3080.
    fn messages(table: &[u8]) -> Messages {
        let mut image = Builder::new(&[0xc3]);
        image.put_directory(2, 0x3000, 0x200);
        for (level, to) in [(0, 0x8000_0018_u32), (0x18, 0x8000_0030), (0x30, 0x48)] {
            // One entry, by number: the kind, the name, the language.
            image.put(0x300e + level, &[1]);
            image.put(0x3010 + level, &[11]);
            image.put(0x3014 + level, &to.to_le_bytes());
        }
        image.put(0x3048, &0x3080_u32.to_le_bytes());
        image.put(0x304c, &(table.len() as u32).to_le_bytes());
        image.put(0x3080, table);
        Pe::parse(&image.build()).unwrap().messages()
    }

    fn table() -> Vec<u8> {
        let words = [
            2_u32,
            0xa000_0003,
            0xa000_0004,
            28,
            0xe000_0001,
            0xe000_0001,
            48,
        ];
        let mut table: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        table.extend(b"\x0c\0\x01\0a\0\r\0\n\0\0\0");
        table.extend(b"\x08\0\0\0b\0\0\0");
        table.extend(b"\x0a\0\x01\0\xe4\0%\x002\0");
        table
    }

    #[test]
    fn each_code_of_each_block_has_its_text() {
        let expected = [
            (0xa000_0003, "a"),
            (0xa000_0004, "b"),
            (0xe000_0001, "\u{e4}%2"),
        ];
        let expected = expected.map(|(code, text)| (code, text.to_owned()));
        assert_eq!(messages(&table()), Messages::from(expected));
    }

    #[test]
    fn what_is_wrong_in_a_table_ends_it_and_nothing_else() {
        let whole = table();
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut wrong = whole.clone();
                wrong[at] = value;
                // As many as can be in the rest of the image, and no panic.
                assert!(messages(&wrong).len() < 0x4000 / 4, "{at}");
            }
        }
    }

    #[test]
    fn an_image_without_resources_has_none() {
        let image = Builder::new(&[0xc3]).build();
        assert_eq!(Pe::parse(&image).unwrap().messages(), Messages::new());
    }
}
