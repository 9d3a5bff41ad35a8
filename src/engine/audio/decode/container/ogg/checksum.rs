//! Page checksums: verification, and location of a single wrong byte.
//!
//! CRCs are linear: a single wrong byte changes the checksum by that byte's own contribution. Pure
//! computation.

use crate::engine::audio::decode::integers::u32_le;

/// Offset of a page's 4-byte checksum.
pub const SUM: usize = 22;

/// XOR of a page's computed and stated checksum; 0 if correct.
pub fn fault(page: &[u8]) -> u32 {
    let checked = page.iter().enumerate();
    let sum =
        checksum(checked.map(|(at, &byte)| if (SUM..SUM + 4).contains(&at) { 0 } else { byte }));
    sum ^ u32_le(page, SUM).unwrap_or_default()
}

/// Offset and bit difference of the one wrong byte that explains the checksum mismatch. About one
/// page in some thousands with other damage matches by chance.
pub fn single_fault(page: &[u8]) -> Option<(usize, u8)> {
    let mut fault = Some(fault(page)).filter(|&fault| fault != 0)?;
    let stated = fault.to_le_bytes();
    if let [at] = (0..4).filter(|&at| stated[at] != 0).collect::<Vec<_>>()[..] {
        return Some((SUM + at, stated[at]));
    }
    for at in (0..page.len()).rev() {
        // State of the checksum before the byte at `at`, if all later bytes were 0.
        let byte = BYTES[(fault & 255) as usize];
        fault = (fault ^ TABLE[usize::from(byte)]) >> 8 | u32::from(byte) << 24;
        if fault << 8 == 0 {
            return (!(SUM..SUM + 4).contains(&at)).then_some((at, byte));
        }
    }
    None
}

/// Writes a page's checksum into it.
pub fn seal(page: &mut [u8]) {
    page[SUM..SUM + 4].fill(0);
    let sum = checksum(page.iter().copied());
    page[SUM..SUM + 4].copy_from_slice(&sum.to_le_bytes());
}

/// Checksums of single bytes.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & (1 << 31) == 0 { crc << 1 } else { (crc << 1) ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};
/// Inverse of `TABLE` by the lowest byte of its entries.
const BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut index = 0;
    while index < 256 {
        bytes[(TABLE[index] & 255) as usize] = index as u8;
        index += 1;
    }
    bytes
};

/// CRC-32 with the polynomial 0x04c11db7, neither reflected nor inverted.
fn checksum(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0, |crc, byte| (crc << 8) ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::{super::page::pages_of, *};

    #[test]
    fn the_checksum_locates_a_wrong_byte() {
        let page = pages_of(&[(0..2000).map(|at| (at * at % 251) as u8).collect()], 7, 3);
        assert_eq!((fault(&page), single_fault(&page)), (0, None));
        for at in (0..page.len()).step_by(7).chain(0..30) {
            let mut damaged = page.clone();
            damaged[at] ^= 0x41;
            assert_eq!(single_fault(&damaged), Some((at, 0x41)), "{at}");
            damaged[(at + 900) % 2000] ^= 1;
            assert_eq!(single_fault(&damaged), None, "{at}");
        }
    }
}
