//! Inspecting a small image, and thousands of damaged ones.

use proptest::prelude::*;

use super::*;
use crate::image::testing::{Builder, in_file};

/// An image with two imports, and two functions that allocate 0x28 and 0x1238 bytes of stack.
fn builder() -> Builder {
    let mut builder = Builder::new(&[0xc3]);
    builder
        .import("KeGetCurrentIrql")
        .import("KeNoSuchFunction")
        .function(0, 0x1000, &[1, 4, 1, 0, 4, 0x42])
        .function(1, 0x1080, &[1, 7, 2, 0, 7, 0x01, 0x47, 0x02]);
    builder
}

fn inspect(image: &[u8]) -> Result<Report, Error> {
    Pe::parse(image).map(|pe| report(&pe, &Symbols::default()))
}

fn has_problem(report: &Report, part: &str) -> bool {
    report.problems.iter().any(|problem| problem.contains(part))
}

#[test]
fn sections_imports_and_headers_are_read() {
    let report = inspect(&builder().build()).unwrap();
    assert_eq!(report.machine, "x64");
    assert_eq!(report.subsystem, "native");
    assert_eq!((report.entry, report.size), (0x1000, 0x4000));
    assert_eq!(report.checksum.stored, report.checksum.computed);
    let sections: Vec<_> = report
        .sections
        .iter()
        .map(|section| (section.name.as_str(), section.protection.as_str()))
        .collect();
    assert_eq!(
        sections,
        [(".text", "r-x"), (".rdata", "r--"), (".data", "rw-")]
    );
    let imports: Vec<_> = report.imports[0]
        .functions
        .iter()
        .map(|function| (function.name.as_str(), function.status))
        .collect();
    assert_eq!(report.imports[0].name, "ntoskrnl.exe");
    assert_eq!(
        imports,
        [
            ("KeGetCurrentIrql", Status::Known),
            ("KeNoSuchFunction", Status::Unknown)
        ]
    );
}

#[test]
fn a_frame_over_a_page_is_a_problem_and_a_small_one_is_none() {
    let report = inspect(&builder().build()).unwrap();
    let frames: Vec<_> = report
        .large_frames
        .iter()
        .map(|f| (f.offset, f.bytes))
        .collect();
    assert_eq!(frames, [(0x1080, 0x1238)]);
    assert_eq!(report.problems.len(), 1);
    assert!(has_problem(&report, "4664 bytes"));
}

#[test]
fn a_wrong_checksum_is_a_problem() {
    let mut image = builder().build();
    image[in_file(0x1100)] ^= 1;
    assert!(has_problem(&inspect(&image).unwrap(), "checksum"));
    assert!(has_problem(
        &inspect(&builder().without_checksum()).unwrap(),
        "checksum"
    ));
}

#[test]
fn an_import_of_ndis_5_is_a_problem() {
    let mut builder = Builder::new(&[0xc3]);
    builder
        .module(b"NDIS.SYS\0\0\0\0\0")
        .import("NdisDeregisterProtocol");
    let report = inspect(&builder.build()).unwrap();
    assert_eq!(report.imports[0].functions[0].status, Status::Forbidden);
    assert!(has_problem(&report, "NdisDeregisterProtocol"));
}

#[test]
fn a_section_that_can_be_written_and_executed_is_a_problem() {
    let image = builder().code_flags(0xe000_0020).build();
    assert!(has_problem(&inspect(&image).unwrap(), "section .text"));
}

#[test]
fn what_is_no_image_or_cut_off_is_an_error_that_says_so() {
    let image = builder().build();
    for (data, expected) in [
        (&b""[..], "not a 64-bit PE image"),
        (b"\x7fELF and more", "not a 64-bit PE image"),
        (&image[..0x500], "section .text is cut off"),
        (&image[..0x90], "not a 64-bit PE image"),
    ] {
        let error = inspect(data).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Everything that reads an image.
fn read_all(image: &[u8]) {
    let Ok(pe) = Pe::parse(image) else { return };
    report(&pe, &Symbols::default());
    // Errors are as good as results here.
    let _ = pe.relocations();
    pe.load_config();
    pe.pdb_name();
}

proptest! {
    #[test]
    fn damaged_images_never_panic(
        changes in prop::collection::vec((0..0xa00_usize, any::<u8>()), 1..24),
    ) {
        let mut image = builder().relocation(0x1010).build();
        for (at, byte) in changes {
            image[at] = byte;
        }
        read_all(&image);
    }

    #[test]
    fn cut_images_never_panic(length in 0..0xa00_usize) {
        read_all(&builder().build()[..length]);
    }

    #[test]
    fn arbitrary_bytes_after_the_headers_never_panic(
        tail in prop::collection::vec(any::<u8>(), 0x600),
        directories in prop::collection::vec(any::<u8>(), 128),
    ) {
        let mut image = builder().build();
        image[0x400..].copy_from_slice(&tail);
        image[0x108..0x188].copy_from_slice(&directories);
        read_all(&image);
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..2048)) {
        read_all(&data);
    }
}
