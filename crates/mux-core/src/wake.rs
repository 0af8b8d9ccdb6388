//! What a virtual miniport is told to wake the computer for: nothing, so far.
//!
//! A virtual miniport shows no wake-up capability, so NDIS may not enable one on it; what an adapter below
//! can wake for is enabled on that adapter itself, where NDIS knows it. NDIS still sends
//! `OID_PM_PARAMETERS` before a sleep, and that is taken if it enables nothing.
//!
//! Not here: the wake-up capabilities of the adapter below, and patterns.
//!
//! Sources: `NDIS_PM_PARAMETERS`, "OID_PM_PARAMETERS".

/// The length of `NDIS_PM_PARAMETERS` of the first revision, in bytes: a header of four, and three words.
pub const PARAMETERS_LENGTH: usize = 16;

/// Whether these `NDIS_PM_PARAMETERS`, of any revision, enable anything: a packet pattern, a protocol
/// offload or a wake-up event. Short data enables nothing.
pub fn enables_anything(parameters: &[u8]) -> bool {
    let words = parameters.get(HEADER_LENGTH..).unwrap_or_default();
    words.iter().any(|byte| *byte != 0)
}

const HEADER_LENGTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_word_is_set_enables_something() {
        for length in [PARAMETERS_LENGTH, 20] {
            let mut parameters = [0; 20];
            // Type, revision and size.
            parameters[..HEADER_LENGTH].copy_from_slice(&[0x80, 1, 16, 0]);
            assert!(!enables_anything(&parameters[..length]));
            for at in HEADER_LENGTH..length {
                let mut parameters = parameters;
                parameters[at] = 0x10;
                assert!(enables_anything(&parameters[..length]), "byte {at}");
            }
        }
    }

    #[test]
    fn short_data_enables_nothing() {
        for length in 0..=HEADER_LENGTH {
            assert!(!enables_anything(&[0xFF; HEADER_LENGTH][..length]));
        }
    }
}
