//! How bindgen reads the kit's headers.

use std::borrow::Borrow;

use bindgen::{Builder, EnumVariation, Formatter, RustEdition, RustTarget};

use crate::{Config, ConfigError};

/// A bindgen builder that is set up for kernel headers.
pub trait BuilderExt: Sized {
    /// A builder with the kit's include paths, definitions and quirks.
    ///
    /// # Errors
    /// When the kit lacks an include folder.
    fn wdk_default(config: impl Borrow<Config>) -> Result<Self, ConfigError>;
}

impl BuilderExt for Builder {
    fn wdk_default(config: impl Borrow<Config>) -> Result<Self, ConfigError> {
        let config = config.borrow();
        let rust = RustTarget::stable(85, 0).expect("bindgen knows Rust 1.85");
        let mut builder = Builder::default()
            .use_core()
            .derive_default(true)
            .generate_cstr(true)
            .detect_include_paths(false)
            .default_enum_style(EnumVariation::ModuleConsts)
            .must_use_type("NTSTATUS")
            .must_use_type("HRESULT")
            .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
            .formatter(Formatter::Prettyplease)
            .rust_target(rust)
            .rust_edition(RustEdition::Edition2024)
            .clang_args(CLANG_FLAGS);
        for path in config.include_paths()? {
            builder = builder.clang_arg(format!("-I{}", path.display()));
        }
        for (name, value) in config.preprocessor_definitions() {
            let value = value.map_or_else(String::new, |value| format!("={value}"));
            builder = builder.clang_arg(format!("-D{name}{value}"));
        }
        for name in NO_LAYOUT {
            builder = builder.opaque_type(name);
        }
        for name in NO_BINDING {
            builder = builder.blocklist_item(name);
        }
        Ok(builder)
    }
}

const CLANG_FLAGS: &[&str] = &[
    // The headers are written for Microsoft's compiler.
    "-fms-compatibility",
    "-fms-extensions",
    "-fdelayed-template-parsing",
    // `size_t` in memcpy and its like becomes usize only without clang's own idea of them.
    "-fno-builtin",
    // Nobody here can mend what the headers are warned about.
    "-w",
];

/// Declared by the headers, but defined in none of them.
const NO_LAYOUT: &[&str] = &["_KGDTENTRY64", "_KIDTENTRY64"];

/// Items that have no correct binding, and pool allocators that Windows has replaced.
const NO_BINDING: &[&str] = &[
    // Bit fields whose units bindgen aligns wrongly.
    ".*MCG_CAP(?:__bindgen.*)?",
    ".*WHEA_XPF_MCA_SECTION",
    ".*WHEA_ARM_BUS_ERROR(?:__bindgen.*)?",
    ".*WHEA_ARM_PROCESSOR_ERROR",
    ".*WHEA_ARM_CACHE_ERROR",
    // An anonymous struct that it does not see.
    ".*ADDRESS0_OWNERSHIP_ACQUIRE",
    // ExAllocatePool2 is the one to use.
    "ExAllocatePool",
    "ExAllocatePoolWithTag",
    "ExAllocatePoolWithTagPriority",
    "ExAllocatePoolWithQuotaTag",
];
