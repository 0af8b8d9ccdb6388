//! The checksum of a PE file, which Windows requires of drivers to be right.

/// Where the checksum is, from the start of the NT headers.
pub(super) const FIELD: usize = 24 + 64;

/// The checksum of `data`, whose own checksum field is at `field` and counts as 0: the file's 16-bit
/// words added up with the carries, plus the file's length.
pub(super) fn compute(data: &[u8], field: usize) -> u32 {
    let mut sum: u32 = 0;
    for (index, word) in data.chunks(2).enumerate() {
        let at = index * 2;
        // Only whole words of the field are skipped: it is aligned in every real image.
        if at == field || at == field + 2 {
            continue;
        }
        let word = match word {
            [low, high] => u16::from_le_bytes([*low, *high]),
            [low] => u16::from(*low),
            _ => 0,
        };
        sum += u32::from(word);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum.wrapping_add(data.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_are_added_and_the_field_counts_as_zero() {
        assert_eq!(compute(&[1, 0, 2, 0], 100), 3 + 4);
        assert_eq!(compute(&[0xff, 0xff, 2, 0], 100), 2 + 4);
        assert_eq!(compute(&[1, 0, 9, 9, 9, 9, 2, 0], 2), 3 + 8);
        assert_eq!(compute(&[1, 0, 7], 100), 8 + 3);
    }
}
