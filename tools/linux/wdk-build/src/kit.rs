//! Where things lie in a kit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{ConfigError, IoError};

/// A kit's folders for one architecture.
#[derive(Debug, Clone)]
pub(crate) struct Kit {
    include: PathBuf,
    lib: PathBuf,
    user_mode_lib: PathBuf,
}

impl Kit {
    /// The newest version in the kit at `root`, with the libraries of `arch` (`x64`, `arm64`).
    pub(crate) fn find(root: &Path, arch: &str) -> Result<Self, ConfigError> {
        let include = root.join("Include");
        let newest = entries(&include)?
            .into_iter()
            .filter(|path| path.join("km").is_dir())
            .filter_map(|path| Some((version(&path)?, path)))
            .max()
            .ok_or_else(|| ConfigError::NotInKit(include.join("10.0.*/km")))?
            .1;
        let libraries = root
            .join("Lib")
            .join(newest.file_name().unwrap_or_default());
        Ok(Self {
            include: newest,
            lib: ignoring_case(&libraries.join("km"), arch)?,
            user_mode_lib: libraries.join("um").join(arch),
        })
    }

    /// The header folders, first those that win.
    pub(crate) fn include_paths(&self) -> Result<Vec<PathBuf>, ConfigError> {
        ["km/crt", "km", "shared"]
            .into_iter()
            .map(|folder| {
                let path = self.include.join(folder);
                if path.is_dir() {
                    Ok(path)
                } else {
                    Err(ConfigError::NotInKit(path))
                }
            })
            .collect()
    }

    /// The file of the library that the linker is asked for as `name`.
    pub(crate) fn library(&self, name: &str) -> Result<PathBuf, ConfigError> {
        ignoring_case(&self.lib, &format!("{name}.lib"))
    }

    /// The same for a library of user mode, which comes with the SDK: a WDK need not have it.
    pub(crate) fn user_mode_library(&self, name: &str) -> Option<PathBuf> {
        ignoring_case(&self.user_mode_lib, &format!("{name}.lib")).ok()
    }
}

/// `10.0.26100.0` as numbers; `None` for a folder that is not named by a version.
fn version(path: &Path) -> Option<Vec<u32>> {
    path.file_name()?
        .to_str()?
        .split('.')
        .map(|part| part.parse().ok())
        .collect()
}

/// The entry of `folder` whose name is `name` but for the case of its letters.
fn ignoring_case(folder: &Path, name: &str) -> Result<PathBuf, ConfigError> {
    entries(folder)?
        .into_iter()
        .find(|path| {
            path.file_name()
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        })
        .ok_or_else(|| ConfigError::NotInKit(folder.join(name)))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|source| IoError::with_path(folder, source).into())
}
