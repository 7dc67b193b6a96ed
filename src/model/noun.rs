//! What keys are about.

/// What a key can be about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Noun {
    /// The list of pods.
    Pod,
    /// The list of containers.
    Container,
    /// The list of images.
    Image,
    /// A page of text.
    Page,
    /// The view of logs.
    Logs,
    /// The list of forwarded ports.
    Forward,
    /// The view of a tree.
    Tree,
    /// The view of events.
    Events,
    /// A container from outside.
    Inside,
    /// Its files.
    File,
    /// Statistics of a pod or a container.
    Stats,
    /// The page of the node.
    Node,
    /// Why something fares as it does.
    Why,
    /// What could hurt.
    Audit,
    /// One finding of that.
    Finding,
    /// Lines of the node's files.
    Lines,
    /// The changes of this run.
    Deed,
}
