//! Configuration in the registry. What is read is as an administrator or another program wrote it:
//! the driver checks it.

use alloc::vec::Vec;
use core::{marker::PhantomData, ptr, slice};

use ndis_sys as sys;

use crate::{
    irql::Passive,
    mem::try_to_vec,
    protocol::BindParameters,
    status::{Result, Status},
    string,
};

/// An open configuration: the registry values of a driver, an adapter or a binding.
///
/// # Invariants
/// The handle is open and its owner outlives `'owner`.
pub struct Configuration<'owner> {
    handle: sys::NDIS_HANDLE,
    owner: PhantomData<&'owner ()>,
}

/// The key of a binding's configuration, by its path: NDIS opens it, but neither NDIS nor anybody else is
/// said to make it.
///
/// # Invariants
/// The path ends in NUL.
pub struct Section {
    path: Vec<u16>,
}

impl Section {
    /// The one that the bind parameters name: `ProtocolSection`.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub fn try_of(parameters: &BindParameters<'_>) -> Result<Self> {
        Ok(Self {
            path: terminated(parameters.section())?,
        })
    }

    /// Makes the key, and those above it up to the service's own, as far as they are not there.
    ///
    /// # Errors
    /// [`Status::RESOURCES`], or what `RtlCreateRegistryKey` says.
    pub fn make(&self, _at: Passive<'_>) -> Result {
        let mut made = Status::SUCCESS;
        let mut path = try_to_vec(&self.path)?;
        for end in 0..path.len() {
            let unit = path[end];
            if unit != u16::from(b'\\') && unit != 0 {
                continue;
            }
            path[end] = 0;
            // SAFETY: the IRQL is PASSIVE_LEVEL, and the path ends in NUL here at the latest
            // (RtlCreateRegistryKey).
            let status =
                unsafe { sys::RtlCreateRegistryKey(sys::RTL_REGISTRY_SERVICES, path.as_ptr()) };
            made = Status::from_raw(status);
            path[end] = unit;
        }
        // Whatever became of those above, the last one counts.
        made.ok()
    }

    /// Deletes a value, if it is there: NDIS has no function for that.
    ///
    /// # Errors
    /// [`Status::RESOURCES`], or what `RtlDeleteRegistryValue` says.
    pub fn delete_value(&self, name: &[u16], _at: Passive<'_>) -> Result {
        let name = terminated(name)?;
        // SAFETY: the IRQL is PASSIVE_LEVEL, and both texts end in NUL (RtlDeleteRegistryValue).
        let status = unsafe {
            sys::RtlDeleteRegistryValue(
                sys::RTL_REGISTRY_SERVICES,
                self.path.as_ptr(),
                name.as_ptr(),
            )
        };
        match status {
            sys::STATUS_OBJECT_NAME_NOT_FOUND => Ok(()),
            status => Status::from_raw(status).ok(),
        }
    }
}

/// A copy that ends in NUL.
fn terminated(units: &[u16]) -> Result<Vec<u16>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(units.len() + 1)
        .map_err(|_| Status::RESOURCES)?;
    copy.extend_from_slice(units);
    copy.push(0);
    Ok(copy)
}

/// A value, copied.
#[derive(Debug)]
pub enum Value {
    /// REG_DWORD.
    Dword(u32),
    /// REG_SZ: the units without a terminator.
    Text(Vec<u16>),
    /// REG_MULTI_SZ: the units with the terminators between and after the strings.
    MultiText(Vec<u16>),
    /// REG_BINARY.
    Binary(Vec<u8>),
    /// A value of a type that NDIS does not read.
    Other,
}

/// As what type a value is read first. One page says that NDIS ignores the type, another that what it
/// returns has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// A number.
    Integer,
    /// Text.
    Text,
    /// Several texts.
    MultiText,
    /// Bytes.
    Binary,
}

impl Configuration<'_> {
    /// Opens the configuration that belongs to a handle.
    ///
    /// # Safety
    /// The handle is one that NdisOpenConfigurationEx takes, valid for longer than the result; the
    /// IRQL is PASSIVE_LEVEL.
    pub(crate) unsafe fn open(owner: sys::NDIS_HANDLE) -> Result<Self> {
        let mut object = sys::NDIS_CONFIGURATION_OBJECT {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                Revision: sys::NDIS_CONFIGURATION_OBJECT_REVISION_1,
                Size: sys::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1,
            },
            NdisHandle: owner,
            Flags: 0,
        };
        let mut handle = ptr::null_mut();
        // SAFETY: as the caller says (NdisOpenConfigurationEx).
        let status = unsafe { sys::NdisOpenConfigurationEx(&raw mut object, &raw mut handle) };
        Status::from_raw(status).ok()?;
        Ok(Self {
            handle,
            owner: PhantomData,
        })
    }

    /// Reads a value. `None` if NDIS does not find it as any type that it knows, which is all that it says
    /// of a value of another type too.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if there is no memory for a copy.
    pub fn read(
        &mut self,
        name: &[u16],
        read_as: ReadAs,
        at: Passive<'_>,
    ) -> Result<Option<Value>> {
        if let Some(value) = self.read_as(name, read_as, at)? {
            return Ok(Some(value));
        }
        for other in ReadAs::ALL.into_iter().filter(|it| *it != read_as) {
            if let Some(value) = self.read_as(name, other, at)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn read_as(
        &mut self,
        name: &[u16],
        read_as: ReadAs,
        _at: Passive<'_>,
    ) -> Result<Option<Value>> {
        let mut keyword = string::raw(name);
        let mut status = sys::NDIS_STATUS_FAILURE;
        let mut parameter = ptr::null_mut();
        // SAFETY: the handle is open, and reads are serialised by `&mut self`
        // (NdisReadConfiguration).
        unsafe {
            sys::NdisReadConfiguration(
                &raw mut status,
                &raw mut parameter,
                self.handle,
                &raw mut keyword,
                read_as.raw(),
            );
        }
        if status == sys::NDIS_STATUS_RESOURCES {
            return Err(Status::RESOURCES);
        }
        if Status::from_raw(status).ok().is_err() || parameter.is_null() {
            return Ok(None);
        }
        // SAFETY: NDIS keeps the parameter until the configuration is closed.
        let parameter = unsafe { &*parameter };
        // SAFETY: the same goes for what it points at.
        unsafe { Value::copy_of(parameter) }
    }

    /// Writes a text.
    ///
    /// # Errors
    /// [`Status::INVALID_LENGTH`] if it is longer than a `UNICODE_STRING` can say with its terminator,
    /// or what `NdisWriteConfiguration` says: the value is as it was.
    pub fn write_text(&mut self, name: &[u16], text: &[u16], at: Passive<'_>) -> Result {
        self.write(name, sys::NdisParameterString, &terminated(text)?, at)
    }

    /// Writes a text that has its terminator. Needs no memory of the driver's.
    ///
    /// # Errors
    /// What `NdisWriteConfiguration` says: the value is as it was.
    pub fn write_terminated(&mut self, name: &[u16], text: &[u16], at: Passive<'_>) -> Result {
        self.write(name, sys::NdisParameterString, text, at)
    }

    /// Writes several texts: `value` has a terminator after each, and one more.
    ///
    /// # Errors
    /// As for [`write_text`](Self::write_text).
    pub fn write_multi_text(&mut self, name: &[u16], value: &[u16], at: Passive<'_>) -> Result {
        self.write(name, sys::NdisParameterMultiString, value, at)
    }

    /// The documents do not say whether NDIS adds the terminators that the registry wants, so `value`
    /// has them.
    fn write(
        &mut self,
        name: &[u16],
        value_type: sys::NDIS_PARAMETER_TYPE,
        value: &[u16],
        _at: Passive<'_>,
    ) -> Result {
        if value.len() > string::MAXIMUM_UNITS {
            return Err(Status::INVALID_LENGTH);
        }
        let mut keyword = string::raw(name);
        let mut parameter = sys::NDIS_CONFIGURATION_PARAMETER::zeroed();
        parameter.ParameterType = value_type;
        parameter.ParameterData.StringData = string::raw(value);
        let mut status = sys::NDIS_STATUS_FAILURE;
        // SAFETY: the handle is open, writes are serialised by `&mut self`, and the strings are only read
        // (NdisWriteConfiguration).
        unsafe {
            sys::NdisWriteConfiguration(
                &raw mut status,
                self.handle,
                &raw mut keyword,
                &raw mut parameter,
            );
        }
        Status::from_raw(status).ok()
    }
}

impl Drop for Configuration<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nothing read through it is kept (NdisCloseConfiguration).
        unsafe { sys::NdisCloseConfiguration(self.handle) };
    }
}

impl Value {
    /// # Safety
    /// The parameter came from NdisReadConfiguration, and its configuration is still open.
    unsafe fn copy_of(parameter: &sys::NDIS_CONFIGURATION_PARAMETER) -> Result<Option<Self>> {
        let data = &parameter.ParameterData;
        Ok(Some(match parameter.ParameterType {
            sys::NdisParameterInteger | sys::NdisParameterHexInteger => {
                // SAFETY: the type says that the integer is the member in use.
                Self::Dword(unsafe { data.IntegerData })
            }
            sys::NdisParameterString => {
                // SAFETY: the type says that the string is the member in use.
                let text = unsafe { &data.StringData };
                // SAFETY: the string is valid while the configuration is open.
                let units = unsafe { string::units(text) };
                // NDIS counts the terminator of the value as the registry has it.
                let end = units
                    .iter()
                    .position(|&unit| unit == 0)
                    .unwrap_or(units.len());
                Self::Text(try_to_vec(&units[..end])?)
            }
            sys::NdisParameterMultiString => {
                // SAFETY: the type says that the string is the member in use.
                let text = unsafe { &data.StringData };
                // SAFETY: the string is valid while the configuration is open.
                Self::MultiText(try_to_vec(unsafe { string::units(text) })?)
            }
            sys::NdisParameterBinary => {
                // SAFETY: the type says that the bytes are the member in use.
                let binary = unsafe { &data.BinaryData };
                if binary.Buffer.is_null() {
                    return Ok(Some(Self::Binary(Vec::new())));
                }
                let length = usize::from(binary.Length);
                // SAFETY: the bytes are valid while the configuration is open.
                let bytes = unsafe { slice::from_raw_parts(binary.Buffer.cast(), length) };
                Self::Binary(try_to_vec(bytes)?)
            }
            _ => Self::Other,
        }))
    }
}

impl ReadAs {
    const ALL: [Self; 4] = [Self::Integer, Self::Text, Self::MultiText, Self::Binary];

    const fn raw(self) -> sys::NDIS_PARAMETER_TYPE {
        match self {
            Self::Integer => sys::NdisParameterInteger,
            Self::Text => sys::NdisParameterString,
            Self::MultiText => sys::NdisParameterMultiString,
            Self::Binary => sys::NdisParameterBinary,
        }
    }
}
