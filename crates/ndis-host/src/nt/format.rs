//! `printf` as the kernel's debug output has it: the Microsoft dialect, arguments from a Win64
//! argument list, no floating point.

use std::ffi::c_char;

use ndis_sys::nt::UNICODE_STRING;

/// The arguments of a variadic function of the Microsoft x64 convention: eight bytes each, in order.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    next: *const u64,
}

impl Arguments {
    /// Arguments that begin at `next`: what `va_start` makes.
    ///
    /// # Safety
    /// As many arguments are there as will be taken.
    #[must_use]
    pub unsafe fn new(next: *const u64) -> Self {
        Self { next }
    }

    fn take(&mut self) -> u64 {
        // SAFETY: the promise of `new`.
        let value = unsafe { self.next.read() };
        self.next = self.next.wrapping_add(1);
        value
    }
}

/// What was formatted.
#[derive(Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// Whether a conversion was of a UTF-16 string or character, which needs PASSIVE_LEVEL.
    pub has_unicode: bool,
}

/// Formats `format` with `arguments`.
///
/// # Safety
/// `format` is null-terminated, and the arguments are of the kinds that it says.
#[must_use]
pub unsafe fn format(format: *const c_char, mut arguments: Arguments) -> Formatted {
    // SAFETY: the caller's own promise.
    let format = unsafe { std::ffi::CStr::from_ptr(format) }.to_bytes();
    let mut out = Formatted {
        text: String::new(),
        has_unicode: false,
    };
    let mut rest = format;
    while let Some(percent) = rest.iter().position(|byte| *byte == b'%') {
        out.text.push_str(&latin(&rest[..percent]));
        let (conversion, length) = Conversion::parse(&rest[percent + 1..], &mut arguments);
        rest = &rest[percent + 1 + length..];
        // SAFETY: the caller's own promise.
        unsafe { conversion.write(&mut out, &mut arguments) };
    }
    out.text.push_str(&latin(rest));
    out
}

#[derive(Debug, Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    size: Size,
    letter: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Size {
    Char,
    Short,
    #[default]
    Int,
    /// `l` and `w`: 32-bit numbers, wide strings.
    Long,
    /// `ll`, `I64`, `I`, `z`, `t`, `j`.
    Wide,
}

impl Conversion {
    /// Parses what follows a `%`; answers with the number of bytes too.
    fn parse(spec: &[u8], arguments: &mut Arguments) -> (Self, usize) {
        let mut parsed = Self::default();
        let mut at = 0;
        while let Some(flag) = spec.get(at) {
            match flag {
                b'-' => parsed.left = true,
                b'+' => parsed.plus = true,
                b' ' => parsed.space = true,
                b'#' => parsed.alternate = true,
                b'0' => parsed.zero = true,
                _ => break,
            }
            at += 1;
        }
        let mut number = |at: &mut usize| {
            if spec.get(*at) == Some(&b'*') {
                *at += 1;
                return arguments.take() as i32;
            }
            let mut number = 0_i32;
            while let Some(digit) = spec.get(*at).filter(|byte| byte.is_ascii_digit()) {
                number = number
                    .saturating_mul(10)
                    .saturating_add(i32::from(digit - b'0'));
                *at += 1;
            }
            number
        };
        let width = number(&mut at);
        parsed.left |= width < 0;
        parsed.width = (width.unsigned_abs() as usize).min(MAX_WIDTH);
        if spec.get(at) == Some(&b'.') {
            at += 1;
            let precision = number(&mut at);
            parsed.precision = usize::try_from(precision).ok();
        }
        let (size, length) = size_prefix(&spec[at..]);
        parsed.size = size;
        at += length;
        parsed.letter = spec.get(at).copied().unwrap_or(b'%');
        (parsed, (at + 1).min(spec.len()))
    }

    /// # Safety
    /// The next argument is of the kind that the conversion says.
    unsafe fn write(&self, out: &mut Formatted, arguments: &mut Arguments) {
        let wide = self.size == Size::Long;
        match self.letter {
            b'%' => out.text.push('%'),
            b'd' | b'i' => {
                let number = self.signed(arguments.take());
                let sign = match number {
                    ..0 => "-",
                    _ if self.plus => "+",
                    _ if self.space => " ",
                    _ => "",
                };
                self.number(&mut out.text, sign, number.unsigned_abs().to_string());
            }
            b'u' => {
                let number = self.unsigned(arguments.take());
                self.number(&mut out.text, "", number.to_string());
            }
            b'x' | b'X' | b'o' => {
                let number = self.unsigned(arguments.take());
                let (digits, prefix) = match self.letter {
                    b'x' => (format!("{number:x}"), "0x"),
                    b'X' => (format!("{number:X}"), "0X"),
                    _ => (format!("{number:o}"), "0"),
                };
                let prefix = if self.alternate && number != 0 {
                    prefix
                } else {
                    ""
                };
                self.number(&mut out.text, prefix, digits);
            }
            b'p' => {
                let digits = format!("{:016X}", arguments.take());
                self.pad(&mut out.text, &digits);
            }
            b'c' | b'C' => {
                let unit = arguments.take();
                let unicode = wide || self.letter == b'C';
                out.has_unicode |= unicode;
                let text = if unicode {
                    String::from_utf16_lossy(&[unit as u16])
                } else {
                    latin(&[unit as u8])
                };
                self.pad(&mut out.text, &text);
            }
            b's' | b'S' => {
                let unicode = wide || (self.letter == b'S' && self.size != Size::Short);
                out.has_unicode |= unicode;
                let pointer = arguments.take();
                // SAFETY: the caller's own promise.
                let text = unsafe { self.string(pointer, unicode) };
                self.pad(&mut out.text, &text);
            }
            b'Z' => {
                out.has_unicode |= wide;
                let pointer = arguments.take();
                // SAFETY: the caller's own promise.
                let text = unsafe { self.counted(pointer, wide) };
                self.pad(&mut out.text, &text);
            }
            b'n' => {
                // It would write to memory; the kernel ignores it too.
                arguments.take();
            }
            other => {
                out.text.push('%');
                out.text.push(char::from(other));
            }
        }
    }

    fn signed(&self, argument: u64) -> i64 {
        match self.size {
            Size::Char => i64::from(argument as i8),
            Size::Short => i64::from(argument as i16),
            Size::Int | Size::Long => i64::from(argument as i32),
            Size::Wide => argument.cast_signed(),
        }
    }

    fn unsigned(&self, argument: u64) -> u64 {
        match self.size {
            Size::Char => u64::from(argument as u8),
            Size::Short => u64::from(argument as u16),
            Size::Int | Size::Long => u64::from(argument as u32),
            Size::Wide => argument,
        }
    }

    /// A null-terminated string; the precision is the most that is read of it.
    ///
    /// # Safety
    /// `pointer` is null or such a string.
    unsafe fn string(&self, pointer: u64, unicode: bool) -> String {
        if pointer == 0 {
            return "(null)".to_owned();
        }
        let most = self.precision.unwrap_or(MAX_STRING);
        if unicode {
            let start = pointer as *const u16;
            let units: Vec<_> = (0..most)
                // SAFETY: no unit after the terminating null is read, nor after the precision.
                .map(|index| unsafe { start.wrapping_add(index).read_unaligned() })
                .take_while(|unit| *unit != 0)
                .collect();
            return String::from_utf16_lossy(&units);
        }
        let start = pointer as *const u8;
        let bytes: Vec<_> = (0..most)
            // SAFETY: no byte after the terminating null is read, nor after the precision.
            .map(|index| unsafe { start.wrapping_add(index).read() })
            .take_while(|byte| *byte != 0)
            .collect();
        latin(&bytes)
    }

    /// A counted string: ANSI_STRING and UNICODE_STRING have the same shape.
    ///
    /// # Safety
    /// `pointer` is null or such a string.
    unsafe fn counted(&self, pointer: u64, unicode: bool) -> String {
        let string = pointer as *const UNICODE_STRING;
        if string.is_null() {
            return "(null)".to_owned();
        }
        // SAFETY: the caller's own promise.
        let string = unsafe { string.read_unaligned() };
        if string.Buffer.is_null() {
            return "(null)".to_owned();
        }
        let length = usize::from(string.Length);
        let buffer = string.Buffer.cast::<u8>();
        // SAFETY: the string's buffer has that many bytes, by the caller's promise.
        let bytes = unsafe { std::slice::from_raw_parts(buffer, length) };
        let most = self.precision.unwrap_or(MAX_STRING);
        if !unicode {
            return latin(&bytes[..length.min(most)]);
        }
        let units: Vec<_> = bytes
            .chunks_exact(2)
            .take(most)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    }

    fn number(&self, out: &mut String, prefix: &str, mut digits: String) {
        if let Some(precision) = self.precision {
            let precision = precision.min(MAX_WIDTH);
            digits.insert_str(0, &"0".repeat(precision.saturating_sub(digits.len())));
        } else if self.zero && !self.left {
            let used = prefix.len() + digits.len();
            digits.insert_str(0, &"0".repeat(self.width.saturating_sub(used)));
        }
        self.pad(out, &format!("{prefix}{digits}"));
    }

    fn pad(&self, out: &mut String, text: &str) {
        let padding = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.left {
            out.push_str(text);
            out.push_str(&padding);
        } else {
            out.push_str(&padding);
            out.push_str(text);
        }
    }
}

/// The size prefix at the start of `spec`, and its length.
fn size_prefix(spec: &[u8]) -> (Size, usize) {
    const PREFIXES: &[(&[u8], Size)] = &[
        (b"I64", Size::Wide),
        (b"I32", Size::Int),
        (b"hh", Size::Char),
        (b"ll", Size::Wide),
        (b"I", Size::Wide),
        (b"z", Size::Wide),
        (b"t", Size::Wide),
        (b"j", Size::Wide),
        (b"h", Size::Short),
        (b"l", Size::Long),
        (b"w", Size::Long),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| spec.starts_with(prefix))
        .map_or((Size::Int, 0), |(prefix, size)| (*size, prefix.len()))
}

/// Bytes as text: UTF-8 where it is, else each byte as the character of that number.
fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

const MAX_WIDTH: usize = 512;
/// A string without its end must not be read for ever.
const MAX_STRING: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::string::UnicodeString;

    fn text(spec: &std::ffi::CStr, arguments: &[u64]) -> String {
        // SAFETY: the tests give as many arguments as their formats take, of the right kinds.
        let arguments = unsafe { Arguments::new(arguments.as_ptr()) };
        // SAFETY: as above.
        unsafe { format(spec.as_ptr(), arguments) }.text
    }

    #[test]
    fn numbers_have_the_size_that_their_prefix_says() {
        let minus_one = u64::MAX;
        assert_eq!(text(c"%d %u", &[minus_one, minus_one]), "-1 4294967295");
        assert_eq!(
            text(c"%I64d %llu", &[minus_one, minus_one]),
            "-1 18446744073709551615"
        );
        assert_eq!(text(c"%hd %hhx", &[0x1_ffff, 0x1ff]), "-1 ff");
        assert_eq!(
            text(c"%Ix %zu %lu", &[1 << 40, 1 << 40, 1 << 40]),
            "10000000000 1099511627776 0"
        );
    }

    #[test]
    fn flags_width_and_precision() {
        assert_eq!(
            text(c"[%5d|%-5d|%05d|%+d]", &[42, 42, 42, 42]),
            "[   42|42   |00042|+42]"
        );
        assert_eq!(
            text(c"%#x %#X %#x %.4x %02X", &[255, 255, 0, 10, 5]),
            "0xff 0XFF 0 000a 05"
        );
        assert_eq!(text(c"%*d|%-*d|", &[4, 7, 4, 7]), "   7|7   |");
        assert_eq!(text(c"%p %o", &[0xbeef, 8]), "000000000000BEEF 10");
    }

    #[test]
    fn strings_of_each_kind() {
        let narrow = c"narrow".as_ptr() as u64;
        let wide: Vec<u16> = "wide\0".encode_utf16().collect();
        let wide = wide.as_ptr() as u64;
        let counted = UnicodeString::new("counted");
        let counted = counted.as_ptr() as u64;
        assert_eq!(
            text(c"%s %.3s %hs", &[narrow, narrow, narrow]),
            "narrow nar narrow"
        );
        assert_eq!(text(c"%ws %ls %S", &[wide, wide, wide]), "wide wide wide");
        assert_eq!(
            text(c"<%wZ> %s %wZ", &[counted, 0, 0]),
            "<counted> (null) (null)"
        );
        assert_eq!(text(c"%c%C", &[u64::from(b'a'), u64::from(b'b')]), "ab");
    }

    #[test]
    fn percent_unknown_conversions_and_a_cut_format_stay_visible() {
        assert_eq!(text(c"100%% %y %", &[]), "100% %y %");
    }

    #[test]
    fn unicode_conversions_are_noticed() {
        let unicode = |spec: &std::ffi::CStr| {
            let null = [0];
            // SAFETY: one null pointer is an argument of each of these conversions.
            let arguments = unsafe { Arguments::new(null.as_ptr()) };
            // SAFETY: as above.
            unsafe { format(spec.as_ptr(), arguments) }.has_unicode
        };
        assert!(unicode(c"%wZ") && unicode(c"%ws") && unicode(c"%S"));
        assert!(!unicode(c"%s") && !unicode(c"%Z") && !unicode(c"%lu"));
    }
}
