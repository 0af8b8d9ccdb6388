//! Small images for tests, put together byte by byte: x64, native, with a section of code at 0x1000,
//! one of constants and tables at 0x2000, and one of data at 0x3000.

use super::Pe;

/// An image in the making.
pub(crate) struct Builder {
    image: Vec<u8>,
    imports: u32,
}

impl Builder {
    /// An image whose entry point, at 0x1000, is this code.
    pub(crate) fn new(code: &[u8]) -> Self {
        let mut builder = Self {
            image: vec![0; 0xa00],
            imports: 0,
        };
        builder.write_headers();
        builder.write_sections();
        builder.put(0x1000, code);
        // One import descriptor: names at 0x2040, the module at 0x2080, slots at 0x20a0.
        builder.put_u32(0x2000, 0x2040);
        builder.put_u32(0x200c, 0x2080);
        builder.put_u32(0x2010, 0x20a0);
        builder.put(0x2080, b"ntoskrnl.exe\0");
        builder
    }

    /// Puts bytes at an offset in the loaded image.
    pub(crate) fn put(&mut self, offset: u32, bytes: &[u8]) -> &mut Self {
        let at = in_file(offset);
        self.image[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Imports a function from the module; its slot is at 0x20a0 plus 8 for each import before.
    pub(crate) fn import(&mut self, name: &str) -> &mut Self {
        let at = 0x2100 + self.imports * 0x40;
        self.put(0x2040 + self.imports * 8, &u64::from(at).to_le_bytes());
        self.put(0x20a0 + self.imports * 8, &u64::from(at).to_le_bytes());
        self.put(at + 2, name.as_bytes());
        self.imports += 1;
        self
    }

    /// The module that everything is imported from; `ntoskrnl.exe` if not said.
    pub(crate) fn module(&mut self, name: &[u8; 13]) -> &mut Self {
        self.put(0x2080, name)
    }

    /// Adds a function with that unwind information.
    pub(crate) fn function(&mut self, index: u32, begin: u32, unwind: &[u8]) -> &mut Self {
        let (entry, info) = (0x2190 + index * 12, 0x21c0 + index * 16);
        self.put_u32(entry, begin);
        self.put_u32(entry + 4, begin + 0x40);
        self.put_u32(entry + 8, info);
        self.put_directory(3, 0x2190, (index + 1) * 12);
        self.put(info, unwind)
    }

    /// Adds a relocation of the 64-bit address at an offset in the code section.
    pub(crate) fn relocation(&mut self, offset: u32) -> &mut Self {
        self.put_directory(5, 0x3100, 12);
        self.put_u32(0x3100, 0x1000);
        self.put_u32(0x3104, 12);
        self.put_u32(0x3108, 0xa000 | (offset - 0x1000))
    }

    /// The flags of the code section.
    pub(crate) fn code_flags(&mut self, flags: u32) -> &mut Self {
        let at = SECTIONS + 36;
        self.image[at..at + 4].copy_from_slice(&flags.to_le_bytes());
        self
    }

    /// The image as it is, its checksum 0.
    pub(crate) fn without_checksum(&self) -> Vec<u8> {
        self.image.clone()
    }

    /// The image with its checksum.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut image = self.image.clone();
        let computed = Pe::parse(&image)
            .expect("the test's image is whole")
            .computed_checksum;
        image[NT + 88..NT + 92].copy_from_slice(&computed.to_le_bytes());
        image
    }

    fn write_headers(&mut self) {
        let mut put = |at: usize, bytes: &[u8]| {
            self.image[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, b"MZ");
        put(0x3c, &(NT as u32).to_le_bytes());
        put(NT, b"PE\0\0");
        put(NT + 4, &0x8664_u16.to_le_bytes());
        put(NT + 6, &3_u16.to_le_bytes()); // sections
        put(NT + 20, &240_u16.to_le_bytes()); // size of the optional header
        put(OPTIONAL, &0x20b_u16.to_le_bytes());
        put(OPTIONAL + 16, &0x1000_u32.to_le_bytes()); // entry
        put(OPTIONAL + 24, &PREFERRED_BASE.to_le_bytes());
        put(OPTIONAL + 32, &0x1000_u32.to_le_bytes()); // alignment of sections
        put(OPTIONAL + 36, &0x200_u32.to_le_bytes());
        put(OPTIONAL + 56, &0x4000_u32.to_le_bytes()); // size of the image
        put(OPTIONAL + 60, &0x400_u32.to_le_bytes()); // size of the headers
        put(OPTIONAL + 68, &1_u16.to_le_bytes()); // native
        put(OPTIONAL + 108, &16_u32.to_le_bytes()); // data directories
        self.put_directory(1, 0x2000, 40);
    }

    fn write_sections(&mut self) {
        let sections = [
            (b".text\0\0\0", 0x1000_u32, 0x6000_0020_u32),
            (b".rdata\0\0", 0x2000, 0x4000_0040),
            (b".data\0\0\0", 0x3000, 0xc000_0040),
        ];
        for (index, (name, offset, flags)) in sections.into_iter().enumerate() {
            let mut header = Vec::from(name);
            header.extend(0x200_u32.to_le_bytes());
            header.extend(offset.to_le_bytes());
            header.extend(0x200_u32.to_le_bytes());
            header.extend((in_file(offset) as u32).to_le_bytes());
            header.extend([0; 12]);
            header.extend(flags.to_le_bytes());
            let at = SECTIONS + index * 40;
            self.image[at..at + 40].copy_from_slice(&header);
        }
    }

    /// Sets a data directory.
    pub(crate) fn put_directory(&mut self, index: usize, offset: u32, size: u32) {
        let at = OPTIONAL + 112 + index * 8;
        self.image[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        self.image[at + 4..at + 8].copy_from_slice(&size.to_le_bytes());
    }

    fn put_u32(&mut self, offset: u32, number: u32) -> &mut Self {
        self.put(offset, &number.to_le_bytes())
    }
}

/// Where the bytes of an offset in the loaded image are in the file.
pub(crate) fn in_file(offset: u32) -> usize {
    let section = offset / 0x1000;
    (0x400 + (section - 1) * 0x200 + offset % 0x1000) as usize
}

/// The address that the images are linked for.
pub(crate) const PREFERRED_BASE: u64 = 0x1_4000_0000;
const NT: usize = 0x80;
const OPTIONAL: usize = NT + 24;
const SECTIONS: usize = OPTIONAL + 240;
