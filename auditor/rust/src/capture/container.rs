//! What the container of a capture tells beside its frames.

/// What a container tells about itself beside its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Bytes kept of each frame at most; the smallest where interfaces differ, None for no limit.
    pub snaplen: Option<u32>,
    /// Packets that the capturing program says it dropped.
    pub drops: Option<u64>,
}
