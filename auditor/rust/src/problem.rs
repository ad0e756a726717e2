//! Everything in a capture that could not be read or decoded, by name, counted.

macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One kind of trouble with a file, a frame or a header. The discriminant indexes [`PROBLEMS`].
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Problem { $($(#[doc = $doc])+ $variant,)+ }

        /// Names of [`Problem`], in order of the discriminants.
        pub const PROBLEMS: &[&str] = &[$($name,)+];
    };
}

problems! {
    /// The file ends inside a record or block.
    CutRecord = "cut-record",
    /// A record claims more bytes than any frame has.
    OversizedRecord = "oversized-record",
    /// A record header that cannot be right, and behind which no other comes.
    BadRecord = "bad-record",
    /// A pcapng block whose length is impossible or differs at its two ends.
    BadBlockLength = "bad-block-length",
    /// A pcapng block whose content contradicts its length or the blocks before it.
    BadBlock = "bad-block",
    /// A read failed in the middle of the file.
    ReadError = "read-error",
    /// Compressed data that ends before its end, or contradicts itself.
    DamagedCompression = "damaged-compression",
    /// Compressed data that unpacks to more than is believable.
    UnpackingLimit = "unpacking-limit",
    /// Wireshark, which was asked to dissect the frames, failed.
    DissectorFailed = "dissector-failed",
    /// The file changed its length while it was read.
    FileChanged = "file-changed",
    /// A frame without a time (pcapng simple packet block); it was given the time of the frame before it.
    FrameWithoutTime = "frame-without-time",
    /// A frame of a link type that is not decoded.
    UnsupportedLinkType = "unsupported-link-type",
    /// A frame that carries no IP: ARP, LLDP, spanning tree and the like.
    NotIp = "not-ip",
    /// A frame of a wireless network whose content is encrypted on the air.
    EncryptedFrame = "encrypted-frame",
    /// A fragment of a wireless frame, which is not put together.
    LinkFragment = "link-fragment",
    /// Frames within frames, more than any network has.
    TooManyLayers = "too-many-layers",
    /// The snaplen cut the frame inside its link header, or the frame is shorter than one.
    CutLinkHeader = "cut-link-header",
    /// The snaplen cut the frame inside its IP header.
    CutIpHeader = "cut-ip-header",
    /// An IP header that contradicts itself.
    MalformedIpHeader = "malformed-ip-header",
    /// An IP header that claims more bytes than its frame had on the wire.
    IpLengthBeyondFrame = "ip-length-beyond-frame",
    /// The snaplen cut the frame inside its transport header.
    CutTransportHeader = "cut-transport-header",
    /// A transport header that contradicts itself or the IP length.
    MalformedTransportHeader = "malformed-transport-header",
    /// An IP fragment whose first fragment never came: credited to a flow with ports 0.
    FragmentWithoutFirst = "fragment-without-first",
}

/// A counter for each [`Problem`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems([u64; PROBLEMS.len()]);

impl Problems {
    /// Counts one.
    pub fn count(&mut self, problem: Problem) {
        self.add(problem, 1);
    }

    /// Counts several at once.
    pub fn add(&mut self, problem: Problem, times: u64) {
        self.0[problem as usize] += times;
    }

    /// Adds what another counted.
    pub fn absorb(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
    }

    /// How often `problem` was met.
    #[must_use]
    pub fn get(&self, problem: Problem) -> u64 {
        self.0[problem as usize]
    }

    /// Names and counts of those that were met.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        PROBLEMS.iter().copied().zip(self.0).filter(|&(_, count)| count > 0)
    }
}
