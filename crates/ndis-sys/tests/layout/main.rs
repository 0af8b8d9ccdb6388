//! Holds every structure of the crate against the layouts that the public symbols of `ndis.sys` and
//! the public headers give (`data/layout.csv`).
//!
//! The table's builds are the newest one that has the structure (`24H2`, `22H2`) and the headers
//! with NDIS 6.80 (`NDIS680`) for x64 and ARM64. The crate's layout is the newest one, so where a
//! structure has grown since NDIS 6.80, the older rows differ in what [`GROWN`] and [`CHANGED`] say
//! and nothing else. ARM64 never differs from x64.

mod exceptions;

use exceptions::{CHANGED, GROWN, LEFT_OUT, NOT_IN_TABLE, OURS, SPANS};
use ndis_sys::declare::{Field, Layout};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

#[test]
fn every_structure_lies_in_memory_as_the_newest_build_has_it() {
    let wrong: Vec<String> = table()
        .iter()
        .filter(|row| row.build == newest_build(row.structure))
        .filter_map(mismatch)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_structure_lies_in_memory_as_the_ndis_6_80_headers_have_it_for_x64() {
    let wrong = mismatches_with_headers("x64");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_structure_lies_in_memory_as_the_ndis_6_80_headers_have_it_for_arm64() {
    let wrong = mismatches_with_headers("arm64");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arm64_has_the_layouts_of_x64() {
    let rows_of = |arch: &str| -> BTreeSet<(&str, String, &str, &str, &str)> {
        table()
            .iter()
            .filter(|row| row.build == HEADERS && row.arch == arch)
            .map(|row| {
                // The one name that has the architecture in it.
                let field = row.field.replace("HeaderArm64", "HeaderX64");
                (row.structure, field, row.offset, row.size, row.struct_size)
            })
            .collect()
    };
    let (x64, arm64) = (rows_of("x64"), rows_of("arm64"));
    assert!(!x64.is_empty());
    let differing: Vec<_> = x64.symmetric_difference(&arm64).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn every_field_of_the_crate_is_in_the_table() {
    let table = table();
    let known: BTreeSet<(&str, &str)> = table.iter().map(|r| (r.structure, r.field)).collect();
    let in_table: BTreeSet<&str> = table.iter().map(|r| r.structure).collect();
    let spans: BTreeSet<(&str, &str)> = SPANS
        .iter()
        .flat_map(|s| [(s.structure, s.first), (s.structure, s.last)])
        .collect();

    let mut unknown = Vec::new();
    for layout in layouts().values() {
        if !in_table.contains(layout.name) {
            continue;
        }
        for (path, place) in places(layout) {
            let fine = known.contains(&(layout.name, path.as_str()))
                || spans.contains(&(layout.name, path.as_str()))
                || OURS.contains(&(layout.name, path.as_str()))
                || place.holds_bits
                // Nested in a structure that is checked, or excepted, by itself.
                || place
                    .owners
                    .iter()
                    .any(|owner| in_table.contains(owner) || NOT_IN_TABLE.contains(owner));
            if !fine {
                unknown.push(format!("{}.{path}", layout.name));
            }
        }
    }
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
}

#[test]
fn every_structure_of_the_crate_is_in_the_table_or_excepted() {
    let table = table();
    let in_table: BTreeSet<&str> = table.iter().map(|r| r.structure).collect();
    let nested: BTreeSet<&str> = layouts()
        .values()
        .filter(|layout| in_table.contains(layout.name))
        .flat_map(|layout| places(layout).into_values())
        .flat_map(|place| [place.owners, vec![place.declared_in]].concat())
        .collect();
    let known = |name: &str| {
        in_table.contains(name) || nested.contains(name) || NOT_IN_TABLE.contains(&name)
    };

    let missing: Vec<_> = layouts().keys().filter(|name| !known(name)).collect();
    assert!(missing.is_empty(), "checked by no table: {missing:?}");
    let needless: Vec<_> = NOT_IN_TABLE
        .iter()
        .filter(|name| in_table.contains(*name) || !layouts().contains_key(*name))
        .collect();
    assert!(needless.is_empty(), "needlessly excepted: {needless:?}");
}

#[test]
fn every_structure_of_the_table_is_in_the_crate_or_left_out_on_purpose() {
    let missing: BTreeSet<&str> = table()
        .iter()
        .map(|row| row.structure)
        .filter(|name| !layouts().contains_key(name) && !LEFT_OUT.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A difference between a row and the crate, in words.
fn mismatch(row: &Row) -> Option<String> {
    if LEFT_OUT.contains(&row.structure) {
        return None;
    }
    let all = layouts();
    let Some(layout) = all.get(row.structure) else {
        return Some(format!("{}: not in the crate", row.structure));
    };
    let says = |what: String| {
        Some(format!(
            "{}.{} ({} {}): {what}",
            row.structure, row.field, row.build, row.arch
        ))
    };

    if row.struct_size != layout.size.to_string() {
        return says(format!(
            "structure of {} bytes, not {}",
            layout.size, row.struct_size
        ));
    }
    if row.field == "(align)" {
        return (row.size != layout.align.to_string())
            .then(|| says(format!("alignment {}, not {}", layout.align, row.size)))
            .flatten();
    }
    let Some(place) = find(layout, row.field) else {
        return says("no such field".into());
    };
    let ours = (
        place.offset.to_string(),
        place.size.to_string(),
        place.bits.clone(),
    );
    let theirs = (
        row.offset.to_string(),
        row.size.to_string(),
        row.bits.to_string(),
    );
    (ours != theirs)
        .then(|| says(format!("offset, size, bits {ours:?}, not {theirs:?}")))
        .flatten()
}

/// The mismatches with the NDIS 6.80 headers, less those that growth explains.
fn mismatches_with_headers(arch: &str) -> Vec<String> {
    let rows: Vec<Row> = table()
        .iter()
        .copied()
        .filter(|row| row.build == HEADERS && row.arch == arch)
        .collect();
    assert!(!rows.is_empty());
    rows.into_iter()
        .filter_map(|mut row| {
            if CHANGED.contains(&(row.structure, row.field)) {
                return None;
            }
            if let Some((_, then, now)) = GROWN.iter().find(|(name, ..)| *name == row.structure) {
                assert_eq!(row.struct_size, *then, "{}", row.structure);
                row.struct_size = now;
            }
            mismatch(&row)
        })
        .collect()
}

/// Where something in a structure is.
#[derive(Clone)]
struct Place {
    offset: usize,
    size: usize,
    /// As the table writes it: `first-last`, or nothing for a whole field.
    bits: String,
    /// The nested structures that it is in, outermost first.
    owners: Vec<&'static str>,
    /// The structure that declares it.
    declared_in: &'static str,
    /// Whether it is a word whose bit fields are listed too.
    holds_bits: bool,
}

/// Finds a field of the table, by its own name or as the span of our fields that it lies over.
fn find(layout: &'static Layout, field: &str) -> Option<Place> {
    let places = places(layout);
    if let Some(place) = places.get(field) {
        return Some(place.clone());
    }
    let span = SPANS
        .iter()
        .find(|span| span.structure == layout.name && span.field == field)?;
    let (first, last) = (places.get(span.first)?, places.get(span.last)?);
    Some(Place {
        size: last.offset + last.size - first.offset,
        ..first.clone()
    })
}

/// All fields of a structure by dotted path, with those of nested structures and bit fields;
/// members that C leaves nameless add nothing to the path.
fn places(layout: &'static Layout) -> BTreeMap<String, Place> {
    let mut found = BTreeMap::new();
    collect(layout, "", 0, &[], &mut found);
    found
}

fn collect(
    layout: &'static Layout,
    prefix: &str,
    base: usize,
    owners: &[&'static str],
    found: &mut BTreeMap<String, Place>,
) {
    for field in layout.fields {
        let nested = layouts().get(field.type_name).copied();
        if field.name == "Anonymous" {
            let nested = nested.expect("a nameless member is a structure of ours");
            collect(nested, prefix, base + field.offset, owners, found);
            continue;
        }
        let path = format!("{prefix}{}", field.name);
        let place = Place {
            offset: base + field.offset,
            size: field.size,
            bits: String::new(),
            owners: owners.to_vec(),
            declared_in: layout.name,
            holds_bits: false,
        };
        let holds_bits = collect_bits(layout, field, prefix, &place, found);
        found.insert(
            path.clone(),
            Place {
                holds_bits,
                ..place
            },
        );
        if let Some(nested) = nested {
            let owners = [owners, &[nested.name]].concat();
            collect(
                nested,
                &format!("{path}."),
                base + field.offset,
                &owners,
                found,
            );
        }
    }
}

fn collect_bits(
    layout: &Layout,
    word: &Field,
    prefix: &str,
    place: &Place,
    found: &mut BTreeMap<String, Place>,
) -> bool {
    let mut any = false;
    for bits in ndis_sys::BITS.iter().copied().flatten() {
        if bits.structure == layout.name && bits.word == word.name {
            any = true;
            found.insert(
                format!("{prefix}{}", bits.name),
                Place {
                    bits: format!("{}-{}", bits.first, bits.last),
                    ..place.clone()
                },
            );
        }
    }
    any
}

fn layouts() -> &'static BTreeMap<&'static str, &'static Layout> {
    static ALL: LazyLock<BTreeMap<&'static str, &'static Layout>> = LazyLock::new(|| {
        let all: Vec<&Layout> = ndis_sys::LAYOUTS.iter().copied().flatten().collect();
        let by_name: BTreeMap<_, _> = all.iter().map(|layout| (layout.name, *layout)).collect();
        assert_eq!(all.len(), by_name.len(), "two structures of one name");
        by_name
    });
    &ALL
}

#[derive(Clone, Copy)]
struct Row {
    build: &'static str,
    arch: &'static str,
    structure: &'static str,
    field: &'static str,
    offset: &'static str,
    size: &'static str,
    struct_size: &'static str,
    bits: &'static str,
}

fn table() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(read_table);
    &ROWS
}

fn read_table() -> Vec<Row> {
    include_str!("../data/layout.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [
                build,
                arch,
                structure,
                field,
                offset,
                size,
                struct_size,
                bits,
            ] = cells[..]
            else {
                panic!("not eight cells: {line}");
            };
            Row {
                build,
                arch,
                structure,
                field,
                offset,
                size,
                struct_size,
                bits,
            }
        })
        .collect()
}

/// The newest build that has a structure.
fn newest_build(structure: &str) -> &'static str {
    let has = |build: &str| {
        table()
            .iter()
            .any(|row| row.structure == structure && row.build == build)
    };
    ["24H2", "22H2"]
        .into_iter()
        .find(|build| has(build))
        .unwrap_or(HEADERS)
}

/// The build that is the public headers.
const HEADERS: &str = "NDIS680";
