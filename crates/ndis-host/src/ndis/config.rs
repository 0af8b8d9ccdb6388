//! Configuration: a driver's, an adapter's and a binding's registry values.
//!
//! What a read returns is memory of the configuration handle and goes with it, so that a driver which
//! keeps it is found by special pool.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    NDIS_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_OBJECT_REVISION_1, NDIS_CONFIGURATION_PARAMETER,
    NDIS_HANDLE, NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT, NDIS_PARAMETER_TYPE,
    NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NDIS_STRING, NdisParameterBinary,
    NdisParameterHexInteger, NdisParameterInteger, NdisParameterMultiString, NdisParameterString,
    UNICODE_STRING,
};

use super::adapter::Adapter;
use super::binding::{BindContext, Binding};
use super::driver::{MiniportDriver, ProtocolDriver};
use super::faults::should_fail;
use super::filter::Module;
use super::filter::driver::FilterDriver;
use super::nbl::block;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::policy::{self, MissingKey, ValueTypes};
use super::{device, header, strings, trace};
use crate::nt::registry::{self, Value};
use crate::nt::sched::Monitor;

/// An open registry key.
struct Configuration {
    key: String,
    /// The adapter whose parameters it is, if any.
    adapter: Option<&'static Adapter>,
    /// Memory that reads returned.
    blocks: Monitor<Vec<usize>>,
}

impl Object for Configuration {
    const KIND: Kind = Kind::Configuration;
}

/// The registry path of a protocol's parameters for an adapter, from the services key on.
pub(crate) fn protocol_section(protocol: &ProtocolDriver, adapter: &Adapter) -> String {
    section(protocol.caller().name, adapter.name())
}

/// The registry path of the parameters that the service `protocol` has for the device `device`.
pub fn binding_key(protocol: &str, device: &str) -> String {
    registry::service_path(&section(protocol, device))
}

crate::ddi! { "ndis.sys":
    /// Opens the key that belongs to a handle.
    [PASSIVE..=PASSIVE] fn NdisOpenConfigurationEx(
        ConfigObject: *mut NDIS_CONFIGURATION_OBJECT,
        ConfigurationHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisOpenConfigurationEx";
        // SAFETY: the document makes it a pointer to the caller's object.
        let object = unsafe { &*ConfigObject };
        header::require(
            &object.Header,
            NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
            &[(NDIS_CONFIGURATION_OBJECT_REVISION_1, NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1)],
            NAME,
        );
        let (key, adapter) = key_of(object.NdisHandle, NAME);
        let mut record = trace::call(NAME, &key);
        if should_fail("NdisOpenConfigurationEx") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let opens = || policy::current().missing_key == MissingKey::Opens;
        if !registry::exists(&key) && !opens() {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        let handle = open(key, adapter, object.NdisHandle);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { ConfigurationHandle.write(handle) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Opens a subkey by name.
    [PASSIVE..=APC] fn NdisOpenConfigurationKeyByName(
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        SubKeyName: *mut NDIS_STRING,
        SubKeyHandle: *mut NDIS_HANDLE,
    ) {
        let parent = resolve::<Configuration>(ConfigurationHandle, "NdisOpenConfigurationKeyByName");
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(SubKeyName) };
        let key = format!(r"{}\{name}", parent.key);
        if should_fail("NdisOpenConfigurationKeyByName") || !registry::exists(&key) {
            // SAFETY: the document makes it a pointer to the caller's variable.
            unsafe { Status.write(NDIS_STATUS_FAILURE) };
            return;
        }
        let handle = open(key, parent.adapter, ConfigurationHandle);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { SubKeyHandle.write(handle) };
        // SAFETY: as above.
        unsafe { Status.write(NDIS_STATUS_SUCCESS) };
    }

    /// Opens a subkey by its number, and gives its name.
    [PASSIVE..=APC] fn NdisOpenConfigurationKeyByIndex(
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        Index: u32,
        KeyName: *mut NDIS_STRING,
        KeyHandle: *mut NDIS_HANDLE,
    ) {
        let parent = resolve::<Configuration>(ConfigurationHandle, "NdisOpenConfigurationKeyByIndex");
        let name = registry::keys(&parent.key).into_iter().nth(Index as usize);
        let Some(name) = name.filter(|_| !should_fail("NdisOpenConfigurationKeyByIndex")) else {
            // SAFETY: the document makes it a pointer to the caller's variable.
            unsafe { Status.write(NDIS_STATUS_FAILURE) };
            return;
        };
        let units: Vec<u16> = name.encode_utf16().collect();
        let (buffer, length) = parent.keep(&units);
        let text = UNICODE_STRING {
            Length: length,
            MaximumLength: length,
            Buffer: buffer.cast(),
        };
        // SAFETY: the document makes it a pointer to the caller's string.
        unsafe { KeyName.write(text) };
        let handle = open(format!(r"{}\{name}", parent.key), parent.adapter, ConfigurationHandle);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { KeyHandle.write(handle) };
        // SAFETY: as above.
        unsafe { Status.write(NDIS_STATUS_SUCCESS) };
    }

    /// Reads a value, as it is stored: see [`ValueTypes`].
    [PASSIVE..=PASSIVE] fn NdisReadConfiguration(
        Status: *mut NDIS_STATUS,
        ParameterValue: *mut *mut NDIS_CONFIGURATION_PARAMETER,
        ConfigurationHandle: NDIS_HANDLE,
        Keyword: *mut NDIS_STRING,
        ParameterType: NDIS_PARAMETER_TYPE,
    ) {
        const NAME: &str = "NdisReadConfiguration";
        let configuration = resolve::<Configuration>(ConfigurationHandle, NAME);
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(Keyword) };
        let mut record = trace::call(NAME, &name);
        let value = registry::get(&configuration.key, &name);
        let types = policy::current().value_types;
        let value = value.filter(|it| types == ValueTypes::AsStored || is_of(it, ParameterType));
        let (parameter, status) = match value {
            // Only a value that is there takes memory to read.
            Some(_) if should_fail(NAME) => (ptr::null_mut(), NDIS_STATUS_RESOURCES),
            Some(value) => match configuration.parameter(&value, ParameterType) {
                parameter if parameter.is_null() => (parameter, NDIS_STATUS_FAILURE),
                parameter => (parameter, NDIS_STATUS_SUCCESS),
            },
            None => (ptr::null_mut(), NDIS_STATUS_FAILURE),
        };
        if !parameter.is_null() {
            // SAFETY: the document makes it a pointer to the caller's variable.
            unsafe { ParameterValue.write(parameter) };
        }
        // SAFETY: as above.
        unsafe { Status.write(record.returns(status)) };
    }

    /// Writes a value.
    [PASSIVE..=PASSIVE] fn NdisWriteConfiguration(
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        Keyword: *mut NDIS_STRING,
        ParameterValue: *mut NDIS_CONFIGURATION_PARAMETER,
    ) {
        let configuration = resolve::<Configuration>(ConfigurationHandle, "NdisWriteConfiguration");
        // SAFETY: the document makes it a pointer to a valid string.
        let name = unsafe { strings::read(Keyword) };
        let status = if should_fail("NdisWriteConfiguration") {
            NDIS_STATUS_RESOURCES
        } else {
            // SAFETY: the document makes it a pointer to the caller's parameter.
            let parameter = unsafe { &*ParameterValue };
            // SAFETY: the document makes it valid.
            match unsafe { value_of(parameter) } {
                Some(value) => {
                    registry::set(&configuration.key, &name, value);
                    NDIS_STATUS_SUCCESS
                }
                None => NDIS_STATUS_FAILURE,
            }
        };
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { Status.write(status) };
    }

    /// Reads the address that an administrator set for the adapter.
    [PASSIVE..=PASSIVE] fn NdisReadNetworkAddress(
        Status: *mut NDIS_STATUS,
        NetworkAddress: *mut *mut c_void,
        NetworkAddressLength: *mut u32,
        ConfigurationHandle: NDIS_HANDLE,
    ) {
        let configuration = resolve::<Configuration>(ConfigurationHandle, "NdisReadNetworkAddress");
        let mut record = trace::call("NdisReadNetworkAddress", &configuration.key);
        if let Some(adapter) = configuration.adapter {
            adapter.with_attributes(|attributes| attributes.overwrites_mac = true);
        }
        let bytes = match registry::get(&configuration.key, "NetworkAddress") {
            Some(Value::Sz(text)) if !should_fail("NdisReadNetworkAddress") => hex(&text),
            _ => None,
        };
        let status = match bytes {
            Some(bytes) => {
                let (buffer, length) = configuration.keep(&bytes);
                // SAFETY: the document makes it a pointer to the caller's variable.
                unsafe { NetworkAddress.write(buffer.cast()) };
                // SAFETY: as above.
                unsafe { NetworkAddressLength.write(u32::from(length)) };
                NDIS_STATUS_SUCCESS
            }
            None => NDIS_STATUS_FAILURE,
        };
        // SAFETY: as above.
        unsafe { Status.write(record.returns(status)) };
    }

    /// Closes a key, and frees what reads returned.
    [PASSIVE..=PASSIVE] fn NdisCloseConfiguration(ConfigurationHandle: NDIS_HANDLE) {
        let configuration = resolve::<Configuration>(ConfigurationHandle, "NdisCloseConfiguration");
        let _record = trace::call("NdisCloseConfiguration", &configuration.key);
        super::resources::require_none_of(ConfigurationHandle, "NdisCloseConfiguration");
        object::retire(configuration);
        for address in std::mem::take(&mut *configuration.blocks.lock()) {
            block::free(address as *mut u8);
        }
    }
}

/// Whether a value is of that type.
fn is_of(value: &Value, parameter: NDIS_PARAMETER_TYPE) -> bool {
    match value {
        Value::Dword(_) => matches!(parameter, NdisParameterInteger | NdisParameterHexInteger),
        Value::Sz(_) => parameter == NdisParameterString,
        Value::MultiSz(_) => parameter == NdisParameterMultiString,
        Value::Binary(_) => parameter == NdisParameterBinary,
    }
}

impl Configuration {
    /// Copies `data` to memory that goes with the handle: its address, and its length in bytes.
    fn keep<T: Copy>(&self, data: &[T]) -> (*mut u8, u16) {
        let length = size_of_val(data);
        let Some(block) = block::allocate(length.max(1), TAG) else {
            return (ptr::null_mut(), 0);
        };
        // SAFETY: the block is new and long enough.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr().cast(), block.as_ptr(), length) };
        self.blocks.lock().push(block.as_ptr() as usize);
        (block.as_ptr(), length as u16)
    }

    fn parameter(
        &self,
        value: &Value,
        asked: NDIS_PARAMETER_TYPE,
    ) -> *mut NDIS_CONFIGURATION_PARAMETER {
        let mut parameter = NDIS_CONFIGURATION_PARAMETER::zeroed();
        match value {
            Value::Dword(number) => {
                parameter.ParameterType = match asked {
                    NdisParameterHexInteger => NdisParameterHexInteger,
                    _ => NdisParameterInteger,
                };
                parameter.ParameterData.IntegerData = *number;
            }
            Value::Sz(_) | Value::MultiSz(_) => {
                parameter.ParameterType = match value {
                    Value::Sz(_) => NdisParameterString,
                    _ => NdisParameterMultiString,
                };
                let bytes = value.to_bytes();
                // The documents do not say what NDIS makes of more than its string can say.
                if bytes.len() > usize::from(u16::MAX) {
                    return ptr::null_mut();
                }
                let (buffer, length) = self.keep(&bytes);
                parameter.ParameterData.StringData = UNICODE_STRING {
                    // Without the last null.
                    Length: length.saturating_sub(2),
                    MaximumLength: length,
                    Buffer: buffer.cast(),
                };
            }
            Value::Binary(bytes) => {
                parameter.ParameterType = NdisParameterBinary;
                let (buffer, length) = self.keep(bytes);
                parameter.ParameterData.BinaryData = ndis_sys::BINARY_DATA {
                    Length: length,
                    Buffer: buffer.cast(),
                };
            }
        }
        let (kept, _) = self.keep(&[parameter]);
        kept.cast()
    }
}

/// # Safety
/// A valid parameter.
unsafe fn value_of(parameter: &NDIS_CONFIGURATION_PARAMETER) -> Option<Value> {
    // SAFETY: every member may be read as this one; which counts is looked at first below.
    let text = unsafe { parameter.ParameterData.StringData };
    let text_bytes = || {
        // SAFETY: the caller's contract, where the parameter is a string.
        unsafe { std::slice::from_raw_parts(text.Buffer.cast::<u8>(), usize::from(text.Length)) }
    };
    Some(match parameter.ParameterType {
        NdisParameterInteger | NdisParameterHexInteger => {
            // SAFETY: this member counts.
            Value::Dword(unsafe { parameter.ParameterData.IntegerData })
        }
        NdisParameterString => Value::from_bytes(1, text_bytes()),
        NdisParameterMultiString => Value::from_bytes(7, text_bytes()),
        NdisParameterBinary => {
            // SAFETY: this member counts.
            let binary = unsafe { parameter.ParameterData.BinaryData };
            // SAFETY: the caller's contract.
            let bytes = unsafe {
                std::slice::from_raw_parts(binary.Buffer.cast::<u8>(), usize::from(binary.Length))
            };
            Value::Binary(bytes.to_vec())
        }
        _ => return None,
    })
}

fn open(key: String, adapter: Option<&'static Adapter>, owner: NDIS_HANDLE) -> NDIS_HANDLE {
    let name = format!("configuration {key}");
    let configuration = object::fresh(Configuration {
        key,
        adapter,
        blocks: Monitor::default(),
    });
    handle_of(object::publish_for(configuration, name, owner))
}

/// The key that belongs to a handle, and the adapter if it is one's.
fn key_of(handle: NDIS_HANDLE, function: &str) -> (String, Option<&'static Adapter>) {
    let parameters = |service: &str| registry::service_path(&format!(r"{service}\Parameters"));
    if let Some(key) = SECTIONS.lock().get(&(handle as usize)) {
        return (key.clone(), None);
    }
    let kinds = [
        Kind::MiniportDriver,
        Kind::ProtocolDriver,
        Kind::FilterDriver,
        Kind::FilterModule,
        Kind::Adapter,
        Kind::Binding,
        Kind::BindContext,
    ];
    match object::require(handle, &kinds, function) {
        Kind::MiniportDriver => {
            let driver = resolve::<MiniportDriver>(handle, function);
            (parameters(driver.caller().name), None)
        }
        Kind::ProtocolDriver => {
            let driver = resolve::<ProtocolDriver>(handle, function);
            (parameters(driver.caller().name), None)
        }
        Kind::FilterDriver => {
            let driver = resolve::<FilterDriver>(handle, function);
            (parameters(driver.caller().name), None)
        }
        Kind::FilterModule => {
            let module = resolve::<Module>(handle, function);
            let service = module.driver().caller().name;
            let section = section(service, module.adapter().name());
            (registry::service_path(&section), None)
        }
        Kind::Adapter => {
            let adapter = resolve::<Adapter>(handle, function);
            let device = device::find(adapter.name());
            (
                device.map(|device| device.key).unwrap_or_default(),
                Some(adapter),
            )
        }
        kind => {
            let binding = match kind {
                Kind::Binding => resolve::<Binding>(handle, function),
                _ => resolve::<BindContext>(handle, function).binding,
            };
            let section = protocol_section(binding.protocol(), binding.adapter());
            (registry::service_path(&section), None)
        }
    }
}

/// Makes bind parameters at `address` a handle for their binding's configuration.
pub(super) fn add_section(address: usize, section: &str) {
    SECTIONS
        .lock()
        .insert(address, registry::service_path(section));
}

/// The bind parameters at `address` are gone.
pub(super) fn remove_section(address: usize) {
    SECTIONS.lock().remove(&address);
}

fn section(service: &str, device: &str) -> String {
    let leaf = device.rsplit('\\').next().unwrap_or(device);
    format!(r"{service}\Parameters\Adapters\{leaf}")
}

/// The bytes of a string of hexadecimal digits, with or without dashes.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|character| *character != '-')
        .map(|character| character.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    Some(
        pairs
            .iter()
            .map(|pair| (pair[0] << 4 | pair[1]) as u8)
            .collect(),
    )
}

const TAG: u32 = u32::from_le_bytes(*b"NDcf");

static SECTIONS: Monitor<std::collections::BTreeMap<usize, String>> =
    Monitor::new(std::collections::BTreeMap::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_addresses_are_hexadecimal_with_or_without_dashes() {
        assert_eq!(hex("02AB00000001"), Some(vec![2, 0xab, 0, 0, 0, 1]));
        assert_eq!(hex("02-ab-00-00-00-01"), Some(vec![2, 0xab, 0, 0, 0, 1]));
        assert_eq!(hex("02x"), None);
        assert_eq!(hex("021"), None);
        assert_eq!(hex(""), None);
    }
}
