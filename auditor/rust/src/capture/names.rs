//! pcapng name resolution blocks: what the capturing machine called the addresses. Hearsay; never evidence.

use std::net::IpAddr;

use super::blocks::Order;

/// Names of one file that are kept.
const MAX_NAMES: usize = 10_000;
/// Bytes of a name that are kept, as many as DNS allows.
const MAX_NAME: usize = 255;

const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// Addresses and the names that a file gives them, in its order, each pair once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pairs: Vec<(IpAddr, String)>,
}

impl Names {
    /// Takes a block's body.
    pub(super) fn take(&mut self, order: Order, body: &[u8]) {
        // Records are laid out like options, and 0 ends them.
        for (kind, value) in order.options(body) {
            let address = match kind {
                IPV4 => value.first_chunk::<4>().map(|&bytes| (IpAddr::from(bytes), 4)),
                IPV6 => value.first_chunk::<16>().map(|&bytes| (IpAddr::from(bytes), 16)),
                _ => None,
            };
            let Some((address, length)) = address else { continue };
            for name in value[length..].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
                if self.pairs.len() == MAX_NAMES {
                    return;
                }
                let name = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]).into_owned();
                self.pairs.push((address, name));
            }
        }
    }

    /// The pairs, sorted, each once.
    #[must_use]
    pub fn into_pairs(mut self) -> Vec<(IpAddr, String)> {
        self.pairs.sort();
        self.pairs.dedup();
        self.pairs
    }
}
