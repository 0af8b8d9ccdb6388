//! One build's configuration: what the build scripts of the WDK crates ask for.

use std::{
    env,
    ffi::OsString,
    fs,
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{ConfigError, IoError, kit::Kit};

/// A build's driver model, target architecture and kit.
#[derive(Debug, Clone)]
pub struct Config {
    /// The driver model; always [`DriverConfig::Wdm`] here.
    pub driver_config: DriverConfig,
    architecture: Architecture,
    kit: Kit,
}

/// The driver models that `wdk-sys` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverConfig {
    /// Windows Driver Model.
    Wdm,
    /// Kernel Mode Driver Framework; never configured here.
    Kmdf(KmdfConfig),
    /// User Mode Driver Framework; never configured here.
    Umdf(UmdfConfig),
}

/// The framework's version in a KMDF driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KmdfConfig {
    /// Major version.
    pub kmdf_version_major: u8,
    /// Minor version.
    pub target_kmdf_version_minor: u8,
}

/// The framework's version in a UMDF driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UmdfConfig {
    /// Major version.
    pub umdf_version_major: u8,
    /// Minor version.
    pub target_umdf_version_minor: u8,
}

/// Groups of headers that `wdk-sys` asks for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiSubset {
    /// What every kernel driver needs.
    Base,
    /// The driver frameworks: nothing, for a WDM driver.
    Wdf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Architecture {
    X64,
    Arm64,
}

impl Config {
    /// The configuration for the package whose build script is running.
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        println!("cargo::rerun-if-env-changed=WDKContentRoot");
        let root = variable("WDKContentRoot")?;
        let target = variable("TARGET")?.to_string_lossy().into_owned();
        let architecture = match target.as_str() {
            "x86_64-pc-windows-msvc" => Architecture::X64,
            "aarch64-pc-windows-msvc" => Architecture::Arm64,
            _ => return Err(ConfigError::Target(target)),
        };
        Ok(Self {
            driver_config: DriverConfig::Wdm,
            architecture,
            kit: Kit::find(Path::new(&root), architecture.folder())?,
        })
    }

    /// The header folders, first those that win.
    ///
    /// # Errors
    /// When the kit lacks one of them.
    pub fn include_paths(&self) -> Result<impl Iterator<Item = PathBuf>, ConfigError> {
        Ok(self.kit.include_paths()?.into_iter())
    }

    /// The macros that must be defined before the headers are read.
    pub fn preprocessor_definitions(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let architecture: &[(&str, Option<&str>)] = match self.architecture {
            Architecture::X64 => &[("_WIN64", None), ("_AMD64_", None), ("AMD64", None)],
            Architecture::Arm64 => &[
                ("_ARM64_", None),
                ("ARM64", None),
                ("_USE_DECLSPECS_FOR_SAL", Some("1")),
                ("STD_CALL", None),
            ],
        };
        architecture
            .iter()
            .chain(&[("_KERNEL_MODE", None)])
            .map(|(name, value)| (name.to_string(), value.map(str::to_owned)))
    }

    /// The headers of an API subset.
    ///
    /// # Errors
    /// None here; the type is the interface's.
    pub fn headers(
        &self,
        subset: ApiSubset,
    ) -> Result<impl Iterator<Item = String> + use<>, ConfigError> {
        let names: &[&str] = match subset {
            ApiSubset::Base => &["ntifs.h", "ntddk.h", "ntstrsafe.h"],
            ApiSubset::Wdf => &[],
        };
        Ok(names.iter().map(|name| (*name).to_owned()))
    }

    /// A C source that includes the headers of `subsets`.
    ///
    /// # Errors
    /// As [`Config::headers`].
    pub fn bindgen_header_contents(
        &self,
        subsets: impl IntoIterator<Item = ApiSubset>,
    ) -> Result<String, ConfigError> {
        let mut source = String::new();
        for subset in subsets {
            for header in self.headers(subset)? {
                source += &format!("#include \"{header}\"\n");
            }
        }
        Ok(source)
    }

    /// Rust source for the bindings of `subset`: the libraries that its functions are linked from.
    #[must_use]
    pub fn bindgen_library_link_raw_lines(&self, subset: ApiSubset) -> Option<String> {
        match subset {
            ApiSubset::Base => Some(
                self.libraries()
                    .map(|name| {
                        format!(
                            "#[cfg(not(any(test, feature = \"suppress-wdk-linking\")))]\n\
                             #[link(name = \"{name}\", kind = \"static\", modifiers = \"-bundle\")]\n\
                             unsafe extern \"C\" {{}}\n"
                        )
                    })
                    .collect(),
            ),
            ApiSubset::Wdf => None,
        }
    }

    /// The symbol of a framework driver's function table: none for a WDM driver.
    #[must_use]
    pub fn compute_wdffunctions_symbol_name(&self) -> Option<String> {
        None
    }

    /// Tells Cargo the `cfg` that the WDK crates select their code by.
    pub(crate) fn emit_cfg(&self) {
        println!(
            "cargo::rustc-check-cfg=cfg(driver_model__driver_type, values(\"WDM\", \"KMDF\", \"UMDF\"))"
        );
        println!("cargo::rustc-cfg=driver_model__driver_type=\"WDM\"");
    }

    /// Tells Cargo how to link a driver image.
    pub(crate) fn emit_link_arguments(&self) -> Result<(), ConfigError> {
        let features = variable("CARGO_CFG_TARGET_FEATURE")?;
        if !features
            .to_string_lossy()
            .split(',')
            .any(|feature| feature == "crt-static")
        {
            return Err(ConfigError::DynamicCrt);
        }

        self.emit_link_search()?;
        for argument in LINK_ARGUMENTS {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
        Ok(())
    }

    /// Tells Cargo where the kit's libraries are.
    pub(crate) fn emit_link_search(&self) -> Result<(), ConfigError> {
        // The linker looks a library up by the name that the bindings ask for; a kit on a file system
        // that tells cases apart may spell it another way.
        let search = Path::new(&variable("OUT_DIR")?).join("lib");
        fs::create_dir_all(&search).map_err(|source| IoError::with_path(&search, source))?;
        for name in self.libraries() {
            offer(&self.kit.library(name)?, &search, name)?;
        }
        for name in USER_MODE_LIBRARIES {
            if let Some(file) = self.kit.user_mode_library(name) {
                offer(&file, &search, name)?;
            }
        }
        println!("cargo::rustc-link-search=native={}", search.display());
        Ok(())
    }

    fn libraries(&self) -> impl Iterator<Item = &'static str> {
        let architecture: &[&str] = match self.architecture {
            Architecture::X64 => &[],
            Architecture::Arm64 => &["arm64rt"],
        };
        ["BufferOverflowFastFailK", "ntoskrnl", "hal", "wmilib"]
            .iter()
            .chain(architecture)
            .copied()
    }
}

impl Architecture {
    /// The name of its library folder in a kit.
    fn folder(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }
}

fn variable(name: &'static str) -> Result<OsString, ConfigError> {
    env::var_os(name).ok_or(ConfigError::Missing(name))
}

/// Puts a library where the linker looks for `name`.
fn offer(file: &Path, search: &Path, name: &str) -> Result<(), ConfigError> {
    println!("cargo::rerun-if-changed={}", file.display());
    link(file, &search.join(format!("{name}.lib")))
}

/// Makes `to` name the file `from`, whatever it named before.
fn link(from: &Path, to: &Path) -> Result<(), ConfigError> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(IoError::with_path(to, error).into());
        }
        _ => {}
    }
    symlink(from, to).map_err(|source| IoError::with_path(to, source).into())
}

/// Libraries that crates name for functions that no driver calls; rustc finds them by itself on Windows.
const USER_MODE_LIBRARIES: &[&str] = &["rpcrt4"];

/// What the WDK's own project files pass to the linker for a WDM driver.
const LINK_ARGUMENTS: &[&str] = &[
    "/DRIVER",
    "/NODEFAULTLIB",
    "/SUBSYSTEM:NATIVE",
    "/KERNEL",
    "/ENTRY:DriverEntry",
    "/NXCOMPAT",
    "/DYNAMICBASE",
    "/MAP",
    "/OPT:REF,ICF",
    "/INTEGRITYCHECK",
    "/MANIFEST:NO",
];
