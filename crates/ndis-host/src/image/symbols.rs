//! Function names and source lines of an image, from the PDB beside it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use pdb_addr2line::{Context, ContextPdbData, TypeFormatterFlags, pdb::PDB};

use super::parse::Pe;

/// The symbols of one image, read when first asked for.
#[derive(Default)]
pub(super) struct Symbols {
    path: Option<PathBuf>,
    context: OnceLock<Option<Mutex<Context<'static, 'static>>>>,
}

/// A function that an address lies in.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    /// Its name; the innermost inlined one.
    pub(crate) name: String,
    /// Source file (its name only) and line.
    pub(crate) line: Option<String>,
    /// The function that it is inlined into, if it is.
    pub(crate) within: Option<String>,
}

impl Symbols {
    /// The symbols of the image at `image`, from the PDB [`beside`] it.
    pub(super) fn beside(image: &Path, pe: &Pe) -> Self {
        Self {
            path: beside(image, pe),
            context: OnceLock::new(),
        }
    }

    /// The PDB, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The function at an offset in the image. None while another thread looks one up: reports do
    /// not wait.
    pub(super) fn at(&self, offset: u32) -> Option<Symbol> {
        let context = self.context()?.try_lock().ok()?;
        let found = context.find_frames(offset).ok()??;
        // Inlined frames come first. What a person looks for is the driver's own code.
        let mut named = found.frames.iter().filter(|frame| frame.function.is_some());
        let outermost = found
            .frames
            .iter()
            .rev()
            .find(|frame| frame.function.is_some());
        let frame = named
            .find(|frame| frame.function.as_deref().is_some_and(is_own))
            .or(outermost)?;
        let line = frame.file.as_ref().zip(frame.line).map(|(file, line)| {
            let file = file.rsplit(['\\', '/']).next().unwrap_or_default();
            format!("{file}:{line}")
        });
        let name = shorten(frame.function.as_deref()?);
        let within = outermost.and_then(|frame| frame.function.as_deref().map(shorten));
        Some(Symbol {
            within: within.filter(|within| *within != name),
            name,
            line,
        })
    }

    /// Name and offset of every function.
    pub(super) fn functions(&self) -> Vec<(String, u32)> {
        let Some(context) = self.context().and_then(|context| context.try_lock().ok()) else {
            return Vec::new();
        };
        let functions = context.functions();
        functions
            .filter_map(|function| Some((function.name?, function.start_rva)))
            .collect()
    }

    fn context(&self) -> Option<&Mutex<Context<'static, 'static>>> {
        let context = self.context.get_or_init(|| {
            let file = File::open(self.path.as_ref()?).ok()?;
            let pdb = PDB::open(file).ok()?;
            let data = ContextPdbData::try_from_pdb(pdb).ok()?;
            // Images are few and stay known until the process ends, and so may their symbols.
            let data: &'static _ = Box::leak(Box::new(data));
            let names = TypeFormatterFlags::NAME_ONLY
                | TypeFormatterFlags::NO_ARGUMENTS
                | TypeFormatterFlags::NO_FUNCTION_RETURN;
            let context = data.make_context_with_formatter_flags(names);
            context.ok().map(Mutex::new)
        });
        context.as_ref()
    }
}

/// The PDB of the image at `image`: the file of the same name ending in `.pdb`, or of the name in its
/// debug directory, beside it.
pub(crate) fn beside(image: &Path, pe: &Pe) -> Option<PathBuf> {
    let same_name = Some(image.with_extension("pdb"));
    let named = pe.pdb_name().map(|name| image.with_file_name(name));
    [same_name, named]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}

/// A function's name with what stands between the outermost `<` and `>` left out.
fn shorten(name: &str) -> String {
    let mut depth = 0_usize;
    let mut short = String::new();
    for character in name.strip_prefix("static ").unwrap_or(name).chars() {
        match character {
            '<' if depth == 0 => short.push_str("<..>"),
            '<' | '>' => {}
            other if depth == 0 => short.push(other),
            _ => {}
        }
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    short
}

/// Whether a function is a driver's own, not Rust's library or allocator that was inlined into it.
fn is_own(function: &str) -> bool {
    const LIBRARIES: &[&str] = &["core::", "alloc::", "wdk_alloc::", "enum2$"];
    !LIBRARIES
        .iter()
        .any(|library| function.starts_with(library))
        && !function.contains("__rust")
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").field("path", &self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_generic_arguments() {
        assert_eq!(
            shorten("static ndis::Lock<core::Option<u8> >::with"),
            "ndis::Lock<..>::with"
        );
        assert_eq!(shorten("driver::close"), "driver::close");
    }

    #[test]
    fn library_code_is_not_the_drivers_own() {
        assert!(is_own("static driver::Binding::close"));
        assert!(!is_own("core::ptr::read<u8>") && !is_own("driver::_::__rust_alloc"));
    }
}
