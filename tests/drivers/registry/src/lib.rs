//! Registry values that a test driver reads and writes: a test steers the driver by the ones, and
//! looks into it by the others.
//!
//! Whose values they are, the handle says by which the configuration is opened: an adapter's, a
//! binding's or a filter module's. Everything here runs at PASSIVE_LEVEL.

#![no_std]

use core::ptr;

use ndis_sys as sys;

/// An open configuration, closed when it is dropped.
pub struct Configuration(sys::NDIS_HANDLE);

/// A value's name.
pub struct Name<const N: usize>([u16; N]);

impl<const N: usize> Name<N> {
    /// An ASCII name.
    ///
    /// # Panics
    /// At compile time, if it is not ASCII.
    #[must_use]
    pub const fn new(text: &[u8; N]) -> Self {
        assert!(text.is_ascii());
        let mut units = [0; N];
        let mut at = 0;
        while at < N {
            units[at] = text[at] as u16;
            at += 1;
        }
        Self(units)
    }

    /// The name as a structure for NDIS, which only reads it.
    #[must_use]
    pub const fn as_raw(&'static self) -> sys::UNICODE_STRING {
        let bytes = (N * 2) as u16;
        sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: self.0.as_ptr().cast_mut(),
        }
    }
}

impl Configuration {
    /// Opens the configuration of a handle. None if there is none, or no memory for it.
    ///
    /// # Safety
    /// The handle is one that `NdisOpenConfigurationEx` takes, and outlives the result; the IRQL is
    /// PASSIVE_LEVEL as long as that lives.
    #[must_use]
    pub unsafe fn open(owner: sys::NDIS_HANDLE) -> Option<Self> {
        let mut object = sys::NDIS_CONFIGURATION_OBJECT {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                sys::NDIS_CONFIGURATION_OBJECT_REVISION_1,
                sys::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1,
            ),
            NdisHandle: owner,
            Flags: 0,
        };
        let mut handle = ptr::null_mut();
        // SAFETY: the caller's contract.
        let status = unsafe { sys::NdisOpenConfigurationEx(&raw mut object, &raw mut handle) };
        // Not made before it is known to be open: its drop closes it.
        (status == sys::NDIS_STATUS_SUCCESS).then(|| Self(handle))
    }

    /// Reads a number.
    #[must_use]
    pub fn number<const N: usize>(&self, name: &'static Name<N>) -> Option<u32> {
        let parameter = self.read(&mut name.as_raw(), sys::NdisParameterInteger)?;
        // SAFETY: NDIS was asked for an integer, and converts what it finds.
        Some(unsafe { parameter.ParameterData.IntegerData })
    }

    /// Writes a number. A test that misses it says so; here there is nobody to tell.
    pub fn write<const N: usize>(&self, name: &'static Name<N>, number: u32) {
        let mut parameter = sys::NDIS_CONFIGURATION_PARAMETER {
            ParameterType: sys::NdisParameterInteger,
            ParameterData: sys::NDIS_CONFIGURATION_PARAMETER_DATA {
                IntegerData: number,
            },
        };
        let mut keyword = name.as_raw();
        let mut status = sys::NDIS_STATUS_SUCCESS;
        // SAFETY: the configuration is open, and the rest are locals.
        unsafe {
            sys::NdisWriteConfiguration(
                &raw mut status,
                self.0,
                &raw mut keyword,
                &raw mut parameter,
            );
        };
    }

    /// The Ethernet address that is configured for an adapter.
    #[must_use]
    pub fn network_address(&self) -> Option<[u8; 6]> {
        let (mut status, mut address, mut length) = (sys::NDIS_STATUS_FAILURE, ptr::null_mut(), 0);
        // SAFETY: the configuration is open, and the rest are locals.
        unsafe {
            sys::NdisReadNetworkAddress(&raw mut status, &raw mut address, &raw mut length, self.0);
        };
        if status != sys::NDIS_STATUS_SUCCESS || length != 6 {
            return None;
        }
        // SAFETY: NDIS keeps so many bytes there until the configuration is closed.
        unsafe { address.cast::<[u8; 6]>().as_ref() }.copied()
    }

    fn read(
        &self,
        keyword: &mut sys::UNICODE_STRING,
        kind: sys::NDIS_PARAMETER_TYPE,
    ) -> Option<&sys::NDIS_CONFIGURATION_PARAMETER> {
        let mut status = sys::NDIS_STATUS_FAILURE;
        let mut parameter = ptr::null_mut();
        // SAFETY: the configuration is open, and the rest are locals.
        unsafe {
            sys::NdisReadConfiguration(&raw mut status, &raw mut parameter, self.0, keyword, kind);
        };
        if status != sys::NDIS_STATUS_SUCCESS {
            return None;
        }
        // SAFETY: NDIS keeps the parameter until the configuration is closed.
        unsafe { parameter.as_ref() }
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        // SAFETY: the configuration is open, and nothing that was read from it is kept.
        unsafe { sys::NdisCloseConfiguration(self.0) };
    }
}
