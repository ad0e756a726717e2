//! The pieces of pcapng blocks: byte order, options, interface resolution.

/// Byte order of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

impl Order {
    /// Two bytes at `at`, which must be there.
    #[inline]
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let pair = [bytes[at], bytes[at + 1]];
        if self == Self::Big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    /// Four bytes at `at`, which must be there.
    #[inline]
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let word = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if self == Self::Big { word.swap_bytes() } else { word }
    }

    /// Eight bytes of an option's value; None when it is not eight long.
    pub fn u64(self, value: &[u8]) -> Option<u64> {
        let value: [u8; 8] = value.try_into().ok()?;
        Some(if self == Self::Big { u64::from_be_bytes(value) } else { u64::from_le_bytes(value) })
    }

    /// Options of a block, as pairs of code and value; ends at the first that does not fit.
    pub fn options(self, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
        std::iter::from_fn(move || {
            if bytes.len() < 4 {
                return None;
            }
            let (code, length) = (self.u16(bytes, 0), usize::from(self.u16(bytes, 2)));
            let value = bytes.get(4..4 + length)?;
            bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// A unit is so many nanoseconds.
    Nanos(u64),
    /// So many units are a second, 10 to a power above 9.
    PerSecond(u128),
    /// 2 to the power of so many units are a second.
    Binary(u32),
}

/// Clock of an interface: options `if_tsresol` and `if_tsoffset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    unit: Unit,
    offset_seconds: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { unit: Unit::Nanos(1000), offset_seconds: 0 }
    }
}

impl Clock {
    /// Takes `if_tsresol`: a power of ten, or of two when the upper bit is set.
    pub fn set_resolution(&mut self, value: u8) {
        let power = u32::from(value & 0x7f);
        self.unit = match power {
            _ if value & 0x80 != 0 => Unit::Binary(power),
            0..=9 => Unit::Nanos(10u64.pow(9 - power)),
            // A unit of less than 1e-38 s never adds up to a nanosecond in 64 bits.
            _ => Unit::PerSecond(10u128.checked_pow(power).unwrap_or(u128::MAX)),
        };
    }

    /// Takes `if_tsoffset`, seconds to be added.
    pub fn set_offset(&mut self, seconds: i64) {
        self.offset_seconds = seconds;
    }

    /// Nanoseconds since the epoch; saturates where 64 bits do not reach.
    #[inline]
    pub fn nanos(&self, units: u64) -> i64 {
        if let (Unit::Nanos(factor), 0) = (self.unit, self.offset_seconds) {
            return units.checked_mul(factor).and_then(|nanos| i64::try_from(nanos).ok()).unwrap_or(i64::MAX);
        }
        self.nanos_in_full(units)
    }

    fn nanos_in_full(&self, units: u64) -> i64 {
        const SECOND: u128 = 1_000_000_000;
        let units = u128::from(units);
        let nanos = match self.unit {
            Unit::Nanos(factor) => units * u128::from(factor),
            Unit::PerSecond(count) => match units.checked_mul(SECOND) {
                Some(product) => product / count,
                None => units / count * SECOND,
            },
            Unit::Binary(power) => (units * SECOND).checked_shr(power).unwrap_or(0),
        };
        let total =
            i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset_seconds) * 1_000_000_000);
        i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX })
    }
}
