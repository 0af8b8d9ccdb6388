//! Loading small images and running their code.

use std::path::PathBuf;

use super::*;
use crate::call::{self, CodeAddress, StackId, callback, stub};
use crate::image::testing::{Builder, PREFERRED_BASE};
use crate::nt::irql::{self, Irql};
use crate::rules;
use crate::rules::testing::assert_broken;

/// An image file that is gone with the test.
struct ImageFile(PathBuf);

impl ImageFile {
    fn new(name: &str, image: &[u8]) -> Self {
        let name = format!("ndis-host-{}-{name}.sys", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, image).expect("the temporary folder can be written");
        Self(path)
    }
}

impl Drop for ImageFile {
    fn drop(&mut self) {
        // Should it stay, it is a file of two kilobytes in the temporary folder.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn load(name: &str, builder: &Builder) -> Result<Image, Error> {
    let file = ImageFile::new(name, &builder.build());
    Image::load(&file.0)
}

fn run(image: &Image) -> i32 {
    let entry = image.entry();
    let null = std::ptr::null_mut();
    callback("DriverEntry", Irql::PASSIVE..=Irql::DISPATCH, || {
        // SAFETY: the tests' code takes no arguments and returns a number.
        unsafe { entry(null, null.cast()) }
    })
}

/// `sub rsp, 28h; call [slot]; add rsp, 28h; movzx eax, al; ret`, calling the first import.
const CALL_IMPORT: &[u8] = &[
    0x48, 0x83, 0xec, 0x28, 0xff, 0x15, 0x96, 0x10, 0x00, 0x00, 0x48, 0x83, 0xc4, 0x28, 0x0f, 0xb6,
    0xc0, 0xc3,
];

#[test]
fn code_runs_and_calls_its_imports() {
    let mut builder = Builder::new(CALL_IMPORT);
    builder.import("KeGetCurrentIrql");
    let image = load("import", &builder).unwrap();
    assert_eq!(run(&image), 0);
    assert_eq!(irql::at(Irql::DISPATCH, || run(&image)), 2);
}

#[test]
fn a_call_knows_where_in_the_image_it_came_from() {
    let mut builder = Builder::new(CALL_IMPORT);
    builder.import("KeGetCurrentIrql");
    let image = load("caller", &builder).unwrap();
    run(&image);
    let events = crate::call::last_events();
    let call = events
        .iter()
        .rev()
        .find(|event| event.name == "KeGetCurrentIrql")
        .expect("the call is in the thread's history");
    assert_eq!(call.caller, image.base() + 0x100a);
    let place = place_of(call.caller).unwrap();
    assert_eq!((place.image_name(), place.offset()), (image.name(), 0x100a));
}

#[test]
fn addresses_are_relocated() {
    // mov rax, imm64 (an address in the image); mov eax, [rax]; ret
    let mut code = vec![0x48, 0xb8];
    code.extend((PREFERRED_BASE + 0x3010).to_le_bytes());
    code.extend([0x8b, 0x00, 0xc3]);
    let mut builder = Builder::new(&code);
    builder
        .relocation(0x1002)
        .put(0x3010, &77_u32.to_le_bytes());
    let image = load("relocation", &builder).unwrap();
    assert_ne!(image.base() as u64, PREFERRED_BASE);
    assert_eq!(run(&image), 77);
}

#[test]
fn every_missing_import_is_named() {
    let mut builder = Builder::new(&[0xc3]);
    builder
        .import("KeNoSuchFunction")
        .import("KeGetCurrentIrql");
    let error = load("missing", &builder).unwrap_err().to_string();
    assert!(error.contains("ntoskrnl.exe!KeNoSuchFunction"), "{error}");
    assert!(!error.contains("KeGetCurrentIrql"), "{error}");
}

#[test]
fn what_windows_would_refuse_is_refused() {
    let mut wrong_checksum = Builder::new(&[0xc3]).build();
    wrong_checksum[0x400] = 0x90;
    let file = ImageFile::new("checksum", &wrong_checksum);
    let error = Image::load(&file.0).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");

    let mut builder = Builder::new(&[0xc3]);
    builder.code_flags(0xe000_0020);
    let error = load("wx", &builder).unwrap_err().to_string();
    assert!(error.contains("written and executed"), "{error}");
}

#[test]
fn writing_to_code_breaks_the_read_only_rule_and_names_both_places() {
    assert_broken(
        &rules::WRITE_TO_READONLY,
        &[
            "a write at",
            ".sys+0x1000, in section .text (r-x)",
            ".sys+0x1007",
        ],
        || {
            // lea rax, [image+0x1000]; mov byte [rax], 0; ret
            let code = [
                0x48, 0x8d, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xc6, 0x00, 0x00, 0xc3,
            ];
            run(&load("write", &Builder::new(&code)).unwrap())
        },
    );
}

#[test]
fn calling_an_unloaded_image_breaks_its_rule() {
    assert_broken(
        &rules::UNLOADED_WITH_PENDING,
        &["+0x1000, which was unloaded"],
        || {
            let image = load("unloaded", &Builder::new(&[0xc3])).unwrap();
            let entry = image.entry();
            image.unload();
            crate::nt::sched::prepare_thread();
            let null = std::ptr::null_mut();
            // SAFETY: nothing is there, which is what the fault is to say.
            unsafe { entry(null, null.cast()) }
        },
    );
}

#[test]
fn a_read_near_null_is_explained_with_the_instruction() {
    assert_broken(
        &rules::NULL_CHECK,
        &[
            "a read at 0x8, where there is no memory, near NULL",
            ".sys+0x1002",
        ],
        || {
            // xor eax, eax; mov eax, [rax+8]; ret
            let code = [0x31, 0xc0, 0x8b, 0x40, 0x08, 0xc3];
            run(&load("null", &Builder::new(&code)).unwrap())
        },
    );
}

#[test]
fn a_fault_in_an_unguarded_function_names_the_drivers_call() {
    assert_broken(&rules::NULL_CHECK, &[".sys+0x1016"], || {
        // sub rsp, 28h; xor ecx, ecx; mov edx, [data]; mov r8d, 8; call memcpy; ...
        let code = [
            0x48, 0x83, 0xec, 0x28, 0x31, 0xc9, 0x31, 0xd2, 0x90, 0x90, 0x41, 0xb8, 0x08, 0x00,
            0x00, 0x00, 0xff, 0x15, 0x8a, 0x10, 0x00, 0x00, 0x48, 0x83, 0xc4, 0x28, 0xc3,
        ];
        let mut builder = Builder::new(&code);
        builder.import("memcpy");
        run(&load("memcpy", &builder).unwrap())
    });
}

#[test]
fn a_failed_check_of_the_drivers_own_is_named() {
    assert_broken(
        &rules::SECURITY_CHECK_FAILURE,
        &["a list entry is corrupt", ".sys+0x1005"],
        || {
            run(&load(
                "int29",
                &Builder::new(&[0xb9, 3, 0, 0, 0, 0xcd, 0x29, 0xc3]),
            )
            .unwrap())
        },
    );
}

#[test]
fn the_irql_register_is_the_irql() {
    // mov rax, cr8; mov ecx, 2; mov cr8, rcx; mov rdx, cr8; mov cr8, rax; lea eax, [rax*8+rdx]; ret
    let code = [
        0x44, 0x0f, 0x20, 0xc0, 0xb9, 0x02, 0x00, 0x00, 0x00, 0x44, 0x0f, 0x22, 0xc1, 0x44, 0x0f,
        0x20, 0xc2, 0x44, 0x0f, 0x22, 0xc0, 0x8d, 0x04, 0xc2, 0xc3,
    ];
    let image = load("cr8", &Builder::new(&code)).unwrap();
    let (before, raised) = (0, 2);
    assert_eq!(run(&image), before * 8 + raised);
    let before = 1;
    assert_eq!(irql::at(Irql::APC, || run(&image)), before * 8 + raised);
    assert_eq!(irql::current(), Irql::PASSIVE);
}

/// What a driver's calls of `probe` saw.
static SEEN: std::sync::Mutex<Vec<(Vec<CodeAddress>, StackId)>> = std::sync::Mutex::new(Vec::new());

extern "efiapi" fn probe() {
    static PROBE: call::Called = call::Called::new(call::Function {
        module: "ndis.sys",
        name: "Probe",
        irql: Irql::PASSIVE..=Irql::DISPATCH,
    });
    let _call = call::enter(&PROBE);
    let seen = (call::driver_stack(), call::stack_id("Probe"));
    SEEN.lock().expect("no probe panics").push(seen);
}

#[test]
fn a_call_knows_the_drivers_functions_that_led_to_it() {
    let probe = stub::make("Probe", probe as *const () as usize) as *mut std::ffi::c_void;
    let mut builder = Builder::new(&[
        0x48, 0x83, 0xec, 0x28, // sub rsp, 28h
        0xe8, 0x37, 0x00, 0x00, 0x00, // call the function at 0x1040
        0x48, 0x83, 0xc4, 0x28, 0xc3, // add rsp, 28h; ret
    ]);
    // push rbx; sub rsp, 20h; xor ebx, ebx; call rcx; add rsp, 20h; pop rbx; ret
    let inner = [
        0x53, 0x48, 0x83, 0xec, 0x20, 0x31, 0xdb, 0xff, 0xd1, 0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3,
    ];
    builder
        .put(0x1040, &inner)
        .function(0, 0x1000, &[1, 4, 1, 0, 4, 0x42])
        .function(1, 0x1040, &[1, 5, 2, 0, 5, 0x32, 1, 0x30]);
    let image = load("stack", &builder).unwrap();
    // The same image again, elsewhere in memory: the way is the same.
    let file = ImageFile::new("stack", &builder.build());
    let again = Image::load(&file.0).unwrap();
    for image in [&image, &again] {
        let entry = image.entry();
        callback("DriverEntry", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: the code above hands its first argument on and calls it, a function without
            // arguments.
            unsafe { entry(probe, std::ptr::null_mut()) }
        });
    }
    let seen = SEEN.lock().expect("no probe panics");
    let offsets = |index: usize| {
        let stack: &Vec<CodeAddress> = &seen[index].0;
        stack
            .iter()
            .map(|address| address.offset)
            .collect::<Vec<_>>()
    };
    assert_eq!(offsets(0), [0x1049, 0x1009]);
    assert_eq!(seen[0].0[0].address, image.base() + 0x1049);
    assert_eq!(offsets(1), offsets(0));
    assert_eq!(seen[0].1, seen[1].1);
}

#[test]
fn a_spoiled_stack_cookie_is_named() {
    assert_broken(
        &rules::STACK_BUFFER_OVERRUN,
        &["a stack buffer was overrun"],
        || {
            let code = [0xb9, 2, 0, 0, 0, 0xcd, 0x29, 0xc3];
            run(&load("cookie", &Builder::new(&code)).unwrap())
        },
    );
}
