//! PostgreSQL's old checksum, by which some of its values are told apart and ordered.

/// The table of CRC-32 for reflected bits, read in the other direction.
pub fn legacy(bytes: &[u8]) -> u32 {
    let entry = |index: u32| {
        (0..8).fold(index, |word, _| if word & 1 == 1 { word >> 1 ^ 0xedb8_8320 } else { word >> 1 })
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| entry((crc >> 24 ^ u32::from(*byte)) & 0xff) ^ crc << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_no_plain_crc_32() {
        assert_eq!(legacy(b""), 0);
        assert_ne!(legacy(b"123456789"), 0xcbf4_3926);
    }
}
