//! The kit that the driver is built against on Linux: headers, libraries, and how clang reads them.
//!
//! With `WDKContentRoot` set, that is the WDK there, as it is. Otherwise a kit of the same layout is
//! made from free parts: the DDK headers of MinGW-w64 with what they lack (`tools/linux/kit`), and
//! import libraries made from module definition files.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::Target;
use crate::{
    process,
    repository::{create_folder, entries, read, write},
};

/// A kit, ready for use.
pub(super) struct Kit {
    /// What `WDKContentRoot` is set to.
    pub(super) root: PathBuf,
    /// Whether the headers are the free ones.
    free: bool,
}

/// The folder of `libclang.so`, and that of the compiler's own headers which belong to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clang {
    version: u32,
    /// The folder of the shared library.
    pub(super) library: PathBuf,
    headers: PathBuf,
}

/// The WDK that the environment names.
pub(super) fn wdk() -> Option<PathBuf> {
    std::env::var_os("WDKContentRoot")
        .filter(|root| !root.is_empty())
        .map(PathBuf::from)
}

/// The newest clang library of this machine.
pub(super) fn clang() -> Option<Clang> {
    let installed = entries(Path::new("/usr/lib")).ok()?;
    installed.iter().filter_map(|path| clang_at(path)).max()
}

/// Whether the free headers are there.
pub(super) fn has_headers() -> bool {
    Path::new(HEADERS).join("ddk/ntifs.h").is_file()
}

/// The kit for `target`; the free one is laid out in `folder`.
pub(super) fn prepare(
    repository: &Path,
    folder: &Path,
    target: Target,
    linker: &Path,
) -> Result<Kit> {
    if let Some(root) = wdk() {
        let root = root
            .canonicalize()
            .with_context(|| format!("WDKContentRoot names {}", root.display()))?;
        if !root.join("Include").is_dir() {
            bail!(
                "WDKContentRoot names {}, which is no WDK: it has no folder Include",
                root.display()
            );
        }
        return Ok(Kit { root, free: false });
    }

    let parts = repository.join("tools/linux/kit");
    let include = folder.join("Include").join(VERSION);
    for header in ["ntifs.h", "armddk.h"] {
        write(&include.join("km").join(header), read(&parts.join(header))?)?;
    }
    create_folder(&include.join("km/crt"))?;
    create_folder(&include.join("shared"))?;
    make_libraries(&parts, folder, target, linker)?;

    Ok(Kit {
        root: folder.to_path_buf(),
        free: true,
    })
}

impl Kit {
    /// What bindgen must pass to `clang` on top of its usual arguments.
    pub(super) fn clang_arguments(&self, clang: &Clang, target: Target) -> Option<String> {
        self.free.then(|| clang.arguments(target))
    }
}

impl Clang {
    /// The arguments with which this clang reads the free headers for `target`.
    ///
    /// They are written for GCC on x86-64 and 32-bit ARM, so they are read in its mode; the last of
    /// two contradicting arguments counts, and these come last.
    fn arguments(&self, target: Target) -> String {
        let mut arguments: Vec<OsString> = vec!["-fno-ms-compatibility".into()];
        arguments.push(match target {
            Target::X64 => "--target=x86_64-w64-windows-gnu".into(),
            Target::Arm64 => "--target=aarch64-w64-windows-gnu".into(),
        });
        if target == Target::Arm64 {
            // The DDK headers stop at architectures that they do not know, as 64-bit ARM. What they
            // have for 32-bit ARM is a few processor routines, in a header that the kit replaces.
            arguments.push("-D_M_ARM".into());
        }
        let ddk = Path::new(HEADERS).join("ddk");
        for folder in [&self.headers, &ddk, Path::new(HEADERS)] {
            arguments.push("-isystem".into());
            arguments.push(folder.into());
        }
        // Tile registers, which bindgen has no type for: their headers are made to seem read.
        for guard in self.guards("__AMX") {
            arguments.push(format!("-D{guard}").into());
        }
        arguments
            .iter()
            .map(|argument| format!("'{}'", argument.display()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The include guards of the compiler's own headers that begin with `prefix`.
    fn guards(&self, prefix: &str) -> Vec<String> {
        let headers = entries(&self.headers).unwrap_or_default();
        headers
            .iter()
            .filter_map(|path| read(path).ok())
            .filter_map(|text| {
                let guard = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("#ifndef "))
                    .find(|guard| guard.starts_with(prefix))?;
                Some(guard.trim().to_owned())
            })
            .collect()
    }
}

/// The clang library in `/usr/lib/llvm-19`, if that is there with its headers.
fn clang_at(llvm: &Path) -> Option<Clang> {
    let name = llvm.file_name()?.to_str()?;
    let version: u32 = name.strip_prefix("llvm-")?.parse().ok()?;
    let library = llvm.join("lib");
    let has_library = entries(&library).ok()?.iter().any(|path| {
        path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            (name.starts_with("libclang.so") || name.starts_with("libclang-"))
                && name.contains(".so")
                && path.exists()
        })
    });
    let headers = library.join(format!("clang/{version}/include"));
    (has_library && headers.join("stddef.h").is_file()).then_some(Clang {
        version,
        library,
        headers,
    })
}

/// Makes the libraries that the image is linked with: two have imports, the others are empty.
fn make_libraries(parts: &Path, folder: &Path, target: Target, linker: &Path) -> Result<()> {
    let libraries = |mode| {
        let folder = folder.join("Lib").join(VERSION).join(mode);
        folder.join(target.kit_name())
    };
    for name in ["hal", "wmilib", "BufferOverflowFastFailK", "arm64rt"] {
        let library = libraries("km").join(name).with_extension("lib");
        write(&library, b"!<arch>\n")?;
    }
    for (name, mode) in [("ntoskrnl", "km"), ("rpcrt4", "um")] {
        let definition = parts.join(name).with_extension("def");
        make_import_library(&definition, &libraries(mode).join(name), target, linker)?;
    }
    Ok(())
}

/// Makes `library` (without its extension) of a module definition, if that has changed.
fn make_import_library(
    definition: &Path,
    library: &Path,
    target: Target,
    linker: &Path,
) -> Result<()> {
    let (used, library) = (library.with_extension("def"), library.with_extension("lib"));
    let text = read(definition)?;
    if library.is_file() && read(&used).is_ok_and(|before| before == text) {
        return Ok(());
    }
    if let Some(folder) = library.parent() {
        create_folder(folder)?;
    }
    let mut librarian = Command::new(linker);
    librarian
        .args(["/lib", "/nologo"])
        .arg(format!("/machine:{}", target.kit_name()))
        .arg(format!("/def:{}", definition.display()))
        .arg(format!("/out:{}", library.display()));
    process::run(
        &mut librarian,
        &format!("make an import library of {}", definition.display()),
    )?;
    write(&used, text)
}

/// Where Debian's package mingw-w64-common has its headers.
const HEADERS: &str = "/usr/share/mingw-w64/include";

/// The version that the free kit claims to be.
const VERSION: &str = "10.0.0.0";
