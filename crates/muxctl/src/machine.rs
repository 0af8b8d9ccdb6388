//! A machine, as far as VLAN adapters need one.
//!
//! Each method is one step that is done or not done. The machine knows nothing of their order; the
//! [engine](crate::engine) does.

/// A network adapter of the machine, initialized or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its device name, `\Device\{…}`.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Whether its device is a virtual miniport's.
    pub is_virtual: bool,
}

/// How a device control request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The NTSTATUS.
    pub status: u32,
    /// What the driver returned.
    pub output: Vec<u8>,
}

/// A step that a machine could not do.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The driver's control device is not there.
    #[error("the driver is not loaded")]
    NoDriver,
    /// The caller may not do it.
    #[error("access is denied")]
    Denied,
    /// The machine cannot be reached or used at all.
    #[error("{0}")]
    Unreachable(String),
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
}

/// A machine.
pub trait Machine {
    /// The network adapters.
    ///
    /// # Errors
    /// [`MachineError`].
    fn adapters(&mut self) -> Result<Vec<Adapter>, MachineError>;

    /// Sends a device control request to the driver's control device.
    ///
    /// # Errors
    /// [`MachineError::NoDriver`] if there is no such device; what the driver answers is none.
    fn control(&mut self, code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError>;

    /// Makes the device of a virtual miniport, for which the name `name` is meant, and answers its
    /// device name. The driver is loaded by it, if it is not yet.
    ///
    /// # Errors
    /// [`MachineError`]; there is no device then.
    fn create_device(&mut self, name: &str) -> Result<String, MachineError>;

    /// Sees to it that people know the device by that name.
    ///
    /// # Errors
    /// [`MachineError`]; it may have the name or not.
    fn name_device(&mut self, device: &str, name: &str) -> Result<(), MachineError>;

    /// Removes the device of a virtual miniport, and what the registry holds for it.
    ///
    /// # Errors
    /// [`MachineError`]; it may be there or not.
    fn remove_device(&mut self, device: &str) -> Result<(), MachineError>;
}
