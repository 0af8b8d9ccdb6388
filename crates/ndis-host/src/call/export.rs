//! The table of functions that images may import, and the macro that fills it.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::ndis;
use crate::nt::{self, irql::Irql};

/// What the documents say of an exported function, as far as each call is checked against it.
#[derive(Debug)]
pub struct Function {
    /// The module that exports it, as import tables spell it: `ndis.sys`, `ntoskrnl.exe`.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The levels at which it may be called.
    pub irql: RangeInclusive<Irql>,
}

/// A function that the loader can bind an import to.
#[derive(Debug)]
pub struct Export {
    /// Its documented side.
    pub function: Function,
    /// The address of its code in this process.
    pub address: fn() -> usize,
}

/// The export that an import of `name` from `module` binds to. Modules compare without case, and
/// `hal.dll` is part of ntoskrnl.exe, as it is on Windows 10 and newer.
#[must_use]
pub fn find(module: &str, name: &str) -> Option<&'static Export> {
    static INDEX: OnceLock<HashMap<&'static str, Vec<&'static Export>>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let mut index: HashMap<_, Vec<_>> = HashMap::new();
        for export in all() {
            index.entry(export.function.name).or_default().push(export);
        }
        index
    });
    let module = canonical(module);
    let candidates = index.get(name)?;
    candidates
        .iter()
        .copied()
        .find(|export| export.function.module == module)
}

/// Every export of the host.
pub fn all() -> impl Iterator<Item = &'static Export> {
    tables().flat_map(|table| table.iter())
}

fn tables() -> impl Iterator<Item = &'static [Export]> {
    let nt = nt::EXPORTS.iter().chain(nt::io::EXPORTS).copied();
    nt.chain(ndis::exports())
}

/// A module's name as the tables here have it.
fn canonical(module: &str) -> String {
    let module = module.to_ascii_lowercase();
    match module.as_str() {
        "hal.dll" | "hal.sys" => "ntoskrnl.exe".to_owned(),
        _ => module,
    }
}

/// Declares functions that driver images import from one module:
///
/// ```ignore
/// ddi! { "ndis.sys":
///     /// What it does here.
///     [PASSIVE..=DISPATCH] fn NdisFoo(handle: NDIS_HANDLE, x: u32) -> NDIS_STATUS { ... }
/// }
/// ```
///
/// Each becomes `pub(crate) unsafe extern "efiapi" fn`: that is the Microsoft x64 convention. Its body runs
/// after [`call::enter`](crate::call::enter), and it is held at compile time against
/// `ndis_sys::signature::<Name>`; `[PASSIVE..=DISPATCH, unchecked]` says that ndis-sys does not
/// declare it. All of them form the module's `EXPORTS`.
#[macro_export]
macro_rules! ddi {
    ($module:literal : $(
        $(#[$attribute:meta])*
        [$low:ident ..= $high:ident $(, $unchecked:ident)?]
        fn $name:ident ( $($argument:ident : $type:ty),* $(,)? ) $(-> $result:ty)? $body:block
    )*) => {
        $(
            $(#[$attribute])*
            ///
            /// # Safety
            /// A driver image calls this by its import: the arguments are as the function's
            /// document requires.
            pub(crate) unsafe extern "efiapi" fn $name($($argument: $type),*) $(-> $result)? {
                static FUNCTION: $crate::call::Called =
                    $crate::call::Called::new($crate::call::Function {
                        module: $module,
                        name: stringify!($name),
                        irql: $crate::nt::irql::Irql::$low ..= $crate::nt::irql::Irql::$high,
                    });
                let _call = $crate::call::enter(&FUNCTION);
                $body
            }
            $crate::ddi!(@check $name $($unchecked)?);
        )*

        /// What this module exports to driver images.
        pub(crate) const EXPORTS: &[$crate::call::Export] = &[$(
            $crate::call::Export {
                function: $crate::call::Function {
                    module: $module,
                    name: stringify!($name),
                    irql: $crate::nt::irql::Irql::$low ..= $crate::nt::irql::Irql::$high,
                },
                address: || $name as *const () as usize,
            },
        )*];
    };
    (@check $name:ident unchecked) => {};
    (@check $name:ident) => {
        const _: ndis_sys::signature::$name = $name;
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_export_is_found_under_its_own_name_once() {
        let mut names: Vec<_> = all().map(|export| export.function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name is exported twice");
        for export in all() {
            let function = &export.function;
            let found = find(function.module, function.name).expect("it is in the table");
            assert_eq!((found.address)(), (export.address)());
        }
    }

    #[test]
    fn modules_compare_without_case_and_hal_is_the_kernel() {
        assert!(find("NTOSKRNL.EXE", "KfRaiseIrql").is_some());
        assert!(find("hal.dll", "KfRaiseIrql").is_some());
        assert!(find("ndis.sys", "KfRaiseIrql").is_none());
    }
}
