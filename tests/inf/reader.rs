//! A small reader of INF files: sections, their lines, strings.
//!
//! It reads what `inf/*.inx` use: `[section]`, `key = field, field`, `field, field`, quoted fields and
//! `;` comments. It knows no directive, and neither line continuation nor `Include`/`Needs`; a line it
//! cannot read is a panic that names the line, because it is a mistake in a file of ours.

use std::collections::BTreeMap;

/// One INF file.
pub(crate) struct Inf {
    /// The file's name, for messages.
    pub(crate) file: String,
    pub(crate) sections: Vec<Section>,
}

pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

/// `key = field, field`, or a line of fields without a key. Quotes are gone, `%strings%` still there.
pub(crate) struct Line {
    pub(crate) key: Option<String>,
    pub(crate) fields: Vec<String>,
}

/// Names in INF files are compared without regard to case.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

impl Inf {
    pub(crate) fn parse(file: &str, text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = format!("{file}:{}", index + 1);
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest
                    .strip_suffix(']')
                    .unwrap_or_else(|| panic!("{at}: no ] after [{rest}"));
                sections.push(Section {
                    name: name.trim().to_owned(),
                    lines: Vec::new(),
                });
                continue;
            }
            let section = sections
                .last_mut()
                .unwrap_or_else(|| panic!("{at}: outside any section"));
            section.lines.push(Line::parse(&at, line));
        }
        Self {
            file: file.to_owned(),
            sections,
        }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| same(&section.name, name))
    }

    /// The lines of a section; none if there is no such section.
    pub(crate) fn lines(&self, section: &str) -> &[Line] {
        self.section(section).map_or(&[], |section| &section.lines)
    }

    /// The fields of each line with this key, one line after the other.
    pub(crate) fn values(&self, section: &str, key: &str) -> Vec<String> {
        let lines = self.lines(section).iter();
        lines
            .filter(|line| line.has_key(key))
            .flat_map(|line| line.fields.clone())
            .collect()
    }

    /// The only field of the only line with this key.
    pub(crate) fn value(&self, section: &str, key: &str) -> String {
        let values = self.values(section, key);
        let [value] = values.as_slice() else {
            panic!(
                "{}: [{section}] should give {key} one value, but gives it {values:?}",
                self.file
            );
        };
        value.clone()
    }

    /// `[Strings]`, by lower-case name.
    pub(crate) fn strings(&self) -> BTreeMap<String, String> {
        let lines = self.lines("Strings").iter();
        lines
            .map(|line| {
                let key = line
                    .key
                    .as_deref()
                    .unwrap_or_else(|| panic!("{}: a string without a name", self.file));
                (key.to_ascii_lowercase(), line.fields.join(","))
            })
            .collect()
    }
}

impl Line {
    fn parse(at: &str, line: &str) -> Self {
        let (key, fields) = match split_outside_quotes(at, line, '=').as_slice() {
            [fields] => (None, (*fields).to_owned()),
            [key, fields] => (Some(unquoted(key)), (*fields).to_owned()),
            _ => panic!("{at}: more than one = in {line}"),
        };
        let fields = split_outside_quotes(at, &fields, ',')
            .into_iter()
            .map(unquoted)
            .collect();
        Self { key, fields }
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.key.as_deref().is_some_and(|own| same(own, key))
    }

    /// A field by position, empty where the line ends earlier.
    pub(crate) fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }

    /// The `%name%` references in key and fields. `%13%` and its like are directory ids, not strings.
    pub(crate) fn string_references(&self) -> Vec<String> {
        let texts = self.key.iter().chain(&self.fields);
        texts
            .flat_map(|text| {
                text.split('%')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_ascii_lowercase)
            })
            .filter(|name| name.parse::<u16>().is_err())
            .collect()
    }
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ';' if !quoted => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

fn split_outside_quotes<'a>(at: &str, text: &'a str, separator: char) -> Vec<&'a str> {
    let mut quoted = false;
    let parts = text
        .split(|character| {
            if character == '"' {
                quoted = !quoted;
            }
            character == separator && !quoted
        })
        .collect();
    assert!(!quoted, "{at}: a quote is not closed in {text}");
    parts
}

fn unquoted(field: &str) -> String {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
}

#[test]
fn lines_with_and_without_keys_are_read() {
    let inf = Inf::parse(
        "t",
        "[A] ; c\nk = \"x;y, z\", 2 ; c\nHKR, Ndi, Name, 0, \"a\"\"b\"\n[Strings]\nN = \"n\"\n",
    );
    assert_eq!(inf.values("a", "K"), ["x;y, z", "2"]);
    let [_, registry] = inf.lines("A") else {
        panic!("two lines in [A]")
    };
    assert_eq!(registry.key, None);
    assert_eq!(registry.field(4), "a\"b");
    assert_eq!(registry.field(5), "");
    assert_eq!(inf.strings().get("n").map(String::as_str), Some("n"));
}

#[test]
fn directory_ids_are_not_strings() {
    let inf = Inf::parse(
        "t",
        "[A]\nServiceBinary = %13%\\x.sys\nDisplayName = %Name%\n",
    );
    let references: Vec<_> = inf
        .lines("A")
        .iter()
        .flat_map(Line::string_references)
        .collect();
    assert_eq!(references, ["name"]);
}
