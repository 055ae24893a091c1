//! Blocks of addresses and their parts.

/// An IPv4 block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    address: u32,
    prefix: u32,
}

/// The smallest subnet that a VPC takes.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
const SMALLEST: u32 = 28;

impl Block {
    /// Reads `10.42.0.0/16`; what cannot be read is the default network.
    pub(super) fn parse(text: &str) -> Self {
        Self::try_parse(text).unwrap_or(Self { address: u32::from_be_bytes([10, 42, 0, 0]), prefix: 16 })
    }

    fn try_parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: std::net::Ipv4Addr = address.parse().ok()?;
        let prefix = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
        Some(Self { address: u32::from(address) & (u32::MAX << (32 - prefix)), prefix })
    }

    /// How many parts of `2^-bits` there are that a subnet can still be made of.
    pub(super) fn parts(self, bits: u32) -> u32 {
        1 << self.bits(bits)
    }

    /// The `index`-th of the parts of `2^-bits`; parts never get smaller than /28.
    pub(super) fn part(self, bits: u32, index: u32) -> Self {
        let prefix = self.prefix + self.bits(bits);
        let step = 1_u64 << (32 - prefix);
        let offset = u64::from(index % self.parts(bits)) * step;
        Self { address: self.address.wrapping_add(offset as u32), prefix }
    }

    fn bits(self, bits: u32) -> u32 {
        bits.min(SMALLEST.saturating_sub(self.prefix))
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", std::net::Ipv4Addr::from(self.address), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_cut_into_eighths() {
        let all = Block::parse("10.42.0.0/16");
        assert_eq!(all.part(3, 0).to_string(), "10.42.0.0/19");
        assert_eq!(all.part(3, 2).to_string(), "10.42.64.0/19");
        assert_eq!(all.part(3, 0).part(3, 1).to_string(), "10.42.4.0/22");
    }

    #[test]
    fn no_part_is_smaller_than_a_subnet_may_be() {
        let public = Block::parse("10.0.0.0/24").part(3, 0);
        assert_eq!((public.to_string().as_str(), public.parts(3)), ("10.0.0.0/27", 2));
        assert_eq!(public.part(3, 1).to_string(), "10.0.0.16/28");
        assert_eq!(public.part(3, 2).to_string(), "10.0.0.0/28");
    }

    #[test]
    fn nonsense_is_the_default_network() {
        assert_eq!(Block::parse("fd00::/56").to_string(), "10.42.0.0/16");
    }
}
