//! Blocks of addresses.

use super::{
    rules::network as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cidr, Path};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block whose address and prefix make sense.
pub(super) struct Block {
    address: IpAddr,
    /// The length of the prefix in bits.
    pub(super) prefix: u32,
}

impl Block {
    /// Whether its addresses are private (RFC 1918) or of AWS's shared space.
    pub(super) fn is_private(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => {
                address.is_private() || (address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64)
            }
            IpAddr::V6(_) => false,
        }
    }

    /// The first address of the block.
    fn base(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
        }
    }
}

/// Checks a block, and gives it when it is one.
pub(super) fn check(sheet: &mut Sheet, cidr: &Cidr, at: &Path) -> Option<Block> {
    let (address, prefix) = cidr.as_str().split_once('/')?;
    let prefix: u32 = prefix.parse().ok()?;
    let Ok(address) = address.parse::<IpAddr>() else {
        let separator = if cidr.is_ipv6() { ':' } else { '.' };
        let bad = |part: &&str| match separator {
            '.' => part.parse::<u8>().is_err() || (part.len() > 1 && part.starts_with('0')),
            _ => part.len() > 4,
        };
        let example = if cidr.is_ipv6() { "2001:db8::/56" } else { "203.0.113.0/24" };
        let part = address.split(separator).find(bad).unwrap_or(address);
        sheet.add(&rule::CIDR_OCTET, at.clone(), args! { cidr: cidr, part: part, example: example });
        return None;
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if prefix > bits {
        sheet.add(&rule::CIDR_PREFIX, at.clone(), args! { prefix: prefix, bits: bits });
        return None;
    }
    let block = Block { address, prefix };
    let base = block.base();
    if base != address {
        let args = args! { cidr: cidr, base: format!("{base}/{prefix}"), host: format!("{address}/{bits}") };
        sheet.add(&rule::CIDR_HOST_BITS, at.clone(), args);
        return None;
    }
    Some(block)
}

/// Checks the blocks that may reach a port, named in `what`.
pub(super) fn sources(sheet: &mut Sheet, blocks: &[Cidr], at: &Path, what: &str) {
    for (i, cidr) in blocks.iter().enumerate() {
        let at = at.index(i);
        if check(sheet, cidr, &at).is_some() && cidr.is_open() {
            sheet.add(&rule::OPEN_TO_ALL, at, args! { cidr: cidr, what: what });
        }
    }
}
