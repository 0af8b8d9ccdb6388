//! The macros that every declaration of this crate goes through, and what they record.
//!
//! `structures!` makes a type `repr(C)`, zeroable, and leaves a [`Layout`] that the layout test
//! holds against the published tables; `bits!` names the bit fields inside a word, `constants!` the
//! numbers; `callbacks!` and `functions!` declare each NDIS entry point once. Nothing here knows of
//! NDIS itself.

use crate::nt::KIRQL;

/// Where one structure's fields lie, as this crate declares it.
#[derive(Debug)]
pub struct Layout {
    /// The structure's name.
    pub name: &'static str,
    /// Bytes that one value takes.
    pub size: usize,
    /// Alignment in bytes.
    pub align: usize,
    /// The fields in order of declaration.
    pub fields: &'static [Field],
}

/// One field of a [`Layout`].
#[derive(Debug)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// Bytes from the start of the structure.
    pub offset: usize,
    /// Bytes that the field takes.
    pub size: usize,
    /// The field's type as it is spelled in the declaration.
    pub type_name: &'static str,
}

/// One bit field inside a word of a structure.
#[derive(Debug)]
pub struct Bits {
    /// The structure that has the word.
    pub structure: &'static str,
    /// The field that is the word.
    pub word: &'static str,
    /// The bit field's name.
    pub name: &'static str,
    /// Its lowest bit, counted from the least significant one.
    pub first: u32,
    /// Its highest bit.
    pub last: u32,
}

/// One integer constant.
#[derive(Debug)]
pub struct Constant {
    /// The constant's name.
    pub name: &'static str,
    /// The name of its type.
    pub type_name: &'static str,
    /// Its value, sign-extended where its type has a sign.
    pub value: i64,
}

/// A function that a module of the kernel exports.
#[derive(Debug)]
pub struct Function {
    /// The exported name.
    pub name: &'static str,
    /// The module that exports it, as it stands in an import table.
    pub module: &'static str,
    /// The lowest IRQL it may be called at.
    pub irql_min: KIRQL,
    /// The highest IRQL it may be called at.
    pub irql_max: KIRQL,
}

/// A function of a driver that NDIS calls.
#[derive(Debug)]
pub struct Callback {
    /// The function type's name.
    pub name: &'static str,
    /// The lowest IRQL NDIS calls it at.
    pub irql_min: KIRQL,
    /// The highest IRQL NDIS calls it at.
    pub irql_max: KIRQL,
}

/// Declares structures and unions as C lays them out.
macro_rules! structures {
    ($(
        $(#[$meta:meta])*
        pub $kind:tt $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
        }
    )*) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub $kind $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }

            impl $name {
                /// A value of which every byte is zero, as C code gets it from `RtlZeroMemory`.
                pub const fn zeroed() -> Self {
                    // SAFETY: all fields are integers, raw pointers, `Option`s of function
                    // pointers, or structures of those (this macro's users hold to it); zero is
                    // valid in each.
                    unsafe { core::mem::zeroed() }
                }
            }
        )*

        pub(crate) const LAYOUTS: &[crate::declare::Layout] = &[$(
            crate::declare::Layout {
                name: stringify!($name),
                size: size_of::<$name>(),
                align: align_of::<$name>(),
                fields: &[$(crate::declare::Field {
                    name: stringify!($field),
                    offset: core::mem::offset_of!($name, $field),
                    size: size_of::<$type>(),
                    type_name: stringify!($type),
                },)*],
            },
        )*];
    };
}

/// Names the bit fields of a word: a getter `Name()` and a setter `set_Name(value)` each.
macro_rules! bits {
    ($($structure:ident . $word:ident: $type:ty {
        $($name:ident / $set:ident: $first:literal ..= $last:literal,)*
    })*) => {
        $(impl $structure {
            $(
                #[doc = concat!("Bits ", $first, " to ", $last, " of `", stringify!($word), "`.")]
                pub const fn $name(&self) -> $type {
                    (self.$word >> $first) & (<$type>::MAX >> (<$type>::BITS - 1 - ($last - $first)))
                }

                #[doc = concat!("Sets bits ", $first, " to ", $last, " of `", stringify!($word), "`.")]
                ///
                /// Bits of `value` that do not fit are dropped, as C drops them.
                pub const fn $set(&mut self, value: $type) {
                    let mask = <$type>::MAX >> (<$type>::BITS - 1 - ($last - $first));
                    self.$word = (self.$word & !(mask << $first)) | ((value & mask) << $first);
                }
            )*
        })*

        pub(crate) const BITS: &[crate::declare::Bits] = &[$($(
            crate::declare::Bits {
                structure: stringify!($structure),
                word: stringify!($word),
                name: stringify!($name),
                first: $first,
                last: $last,
            },
        )*)*];
    };
}

/// Declares integer constants, grouped by type: `TYPE { NAME = value, }`.
macro_rules! constants {
    ($($type:ident { $($(#[$meta:meta])* $name:ident = $value:expr,)* })*) => {
        $($(
            $(#[$meta])*
            pub const $name: $type = $value;
        )*)*

        pub(crate) const CONSTANTS: &[crate::declare::Constant] = &[$($(
            crate::declare::Constant {
                name: stringify!($name),
                type_name: stringify!($type),
                value: $name as i64,
            },
        )*)*];
    };
}

/// Declares the types of driver functions: `NAME` is the function pointer, `NAME_HANDLER` the
/// nullable one that stands in structures.
macro_rules! callbacks {
    ($(
        $(#[$meta:meta])*
        fn $name:ident = $handler:ident [$min:expr, $max:expr]
            ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )*) => {
        $(
            $(#[$meta])*
            pub type $name = unsafe extern "efiapi" fn($($argument: $type),*) $(-> $result)?;

            #[doc = concat!("A [`", stringify!($name), "`] or null.")]
            pub type $handler = Option<$name>;
        )*

        pub(crate) const CALLBACKS: &[crate::declare::Callback] = &[$(
            crate::declare::Callback {
                name: stringify!($name),
                irql_min: $min,
                irql_max: $max,
            },
        )*];
    };
}

/// Declares the functions of one module: the import where the target is Windows, a declaration that
/// nothing need provide elsewhere (so that drivers' code type-checks there), the function pointer
/// type in `signature`, and a row of [`Function`]s.
macro_rules! functions {
    ($module:literal; $(
        $(#[$meta:meta])*
        fn $name:ident [$min:expr, $max:expr]
            ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )*) => {
        #[cfg(windows)]
        #[link(name = $module, kind = "raw-dylib", modifiers = "+verbatim")]
        unsafe extern "system" {
            $(
                $(#[$meta])*
                pub fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }

        #[cfg(not(windows))]
        unsafe extern "efiapi" {
            $(
                $(#[$meta])*
                pub fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }

        /// The type of each function here, to check an implementation against.
        pub(super) mod signature {
            use super::*;

            $(
                $(#[$meta])*
                pub type $name = unsafe extern "efiapi" fn($($argument: $type),*) $(-> $result)?;
            )*
        }

        pub(crate) const FUNCTIONS: &[crate::declare::Function] = &[$(
            crate::declare::Function {
                name: stringify!($name),
                module: $module,
                irql_min: $min,
                irql_max: $max,
            },
        )*];
    };
}

/// Declares structures that are only ever pointed to.
macro_rules! opaque {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            pub struct $name {
                _bytes: [u8; 0],
                _not_send_sync_unpin: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
            }
        )*
    };
}

/// Bytes of a structure up to and including a field, as `Header.Size` has them.
macro_rules! size_through {
    ($structure:ty, $field:ident) => {
        (core::mem::offset_of!($structure, $field)
            + crate::declare::field_size(|whole: &$structure| &whole.$field))
            as crate::nt::USHORT
    };
}

/// The size of the field that `_project` names; the closure is never called.
pub(crate) const fn field_size<S, F>(_project: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

pub(crate) use {bits, callbacks, constants, functions, opaque, size_through, structures};
