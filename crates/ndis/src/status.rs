//! `NDIS_STATUS` as a value and as a `Result`: the one place where the two meet.

use core::fmt;

use ndis_sys as sys;

/// An `NDIS_STATUS`. Values that this crate has no name for survive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(sys::NDIS_STATUS);

/// What a fallible NDIS operation gives. The error is never `NDIS_STATUS_SUCCESS` or
/// `NDIS_STATUS_PENDING`.
pub type Result<T = ()> = core::result::Result<T, Status>;

impl Status {
    /// `NDIS_STATUS_SUCCESS`.
    pub const SUCCESS: Self = Self(sys::NDIS_STATUS_SUCCESS);
    /// `NDIS_STATUS_PENDING`.
    pub const PENDING: Self = Self(sys::NDIS_STATUS_PENDING);
    /// `NDIS_STATUS_FAILURE`.
    pub const FAILURE: Self = Self(sys::NDIS_STATUS_FAILURE);
    /// `NDIS_STATUS_RESOURCES`: an allocation failed.
    pub const RESOURCES: Self = Self(sys::NDIS_STATUS_RESOURCES);
    /// `NDIS_STATUS_PAUSED`: a send reached an adapter that is not running.
    pub const PAUSED: Self = Self(sys::NDIS_STATUS_PAUSED);
    /// `NDIS_STATUS_CLOSING`: the binding below is being closed.
    pub const CLOSING: Self = Self(sys::NDIS_STATUS_CLOSING);
    /// `NDIS_STATUS_LOW_POWER_STATE`: the adapter below sleeps.
    pub const LOW_POWER_STATE: Self = Self(sys::NDIS_STATUS_LOW_POWER_STATE);
    /// `NDIS_STATUS_NOT_ACCEPTED`.
    pub const NOT_ACCEPTED: Self = Self(sys::NDIS_STATUS_NOT_ACCEPTED);
    /// `NDIS_STATUS_NOT_SUPPORTED`.
    pub const NOT_SUPPORTED: Self = Self(sys::NDIS_STATUS_NOT_SUPPORTED);
    /// `NDIS_STATUS_INVALID_LENGTH`.
    pub const INVALID_LENGTH: Self = Self(sys::NDIS_STATUS_INVALID_LENGTH);
    /// `NDIS_STATUS_INVALID_DATA`.
    pub const INVALID_DATA: Self = Self(sys::NDIS_STATUS_INVALID_DATA);
    /// `NDIS_STATUS_INVALID_PARAMETER`.
    pub const INVALID_PARAMETER: Self = Self(sys::NDIS_STATUS_INVALID_PARAMETER);
    /// `NDIS_STATUS_INVALID_OID`.
    pub const INVALID_OID: Self = Self(sys::NDIS_STATUS_INVALID_OID);
    /// `NDIS_STATUS_BUFFER_TOO_SHORT`.
    pub const BUFFER_TOO_SHORT: Self = Self(sys::NDIS_STATUS_BUFFER_TOO_SHORT);
    /// `NDIS_STATUS_MULTICAST_FULL`: more multicast addresses than the adapter takes.
    pub const MULTICAST_FULL: Self = Self(sys::NDIS_STATUS_MULTICAST_FULL);
    /// `NDIS_STATUS_REQUEST_ABORTED`.
    pub const REQUEST_ABORTED: Self = Self(sys::NDIS_STATUS_REQUEST_ABORTED);
    /// `NDIS_STATUS_UNSUPPORTED_MEDIA`.
    pub const UNSUPPORTED_MEDIA: Self = Self(sys::NDIS_STATUS_UNSUPPORTED_MEDIA);
    /// `NDIS_STATUS_INVALID_DEVICE_REQUEST`: a device does not know such a request.
    pub const INVALID_DEVICE_REQUEST: Self = Self(sys::NDIS_STATUS_INVALID_DEVICE_REQUEST);
    /// `NDIS_STATUS_BAD_VERSION`.
    pub const BAD_VERSION: Self = Self(sys::NDIS_STATUS_BAD_VERSION);

    /// The status with this number.
    #[must_use]
    pub const fn from_raw(raw: sys::NDIS_STATUS) -> Self {
        Self(raw)
    }

    /// Its number.
    #[must_use]
    pub const fn raw(self) -> sys::NDIS_STATUS {
        self.0
    }

    /// `Ok` for success, the status itself otherwise.
    ///
    /// `NT_SUCCESS` would not do: refusals like `NDIS_STATUS_NOT_ACCEPTED` are no errors by their number.
    ///
    /// # Errors
    /// The status, if it is not success.
    pub const fn ok(self) -> Result {
        match self {
            Self::SUCCESS => Ok(()),
            refused => Err(refused),
        }
    }

    /// The status of a result.
    #[must_use]
    pub const fn of(result: Result) -> Self {
        match result {
            Ok(()) => Self::SUCCESS,
            Err(status) => status,
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn a_refusal_is_no_success_whatever_its_number() {
        assert_eq!(Status::SUCCESS.ok(), Ok(()));
        for refused in [Status::NOT_ACCEPTED, Status::PENDING, Status::FAILURE] {
            assert_eq!(refused.ok(), Err(refused));
        }
    }
}
