//! The three panels of the home screen.

use crate::model::Noun;

/// One of the three panels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Panel {
    /// Pods.
    #[default]
    Pods,
    /// Containers.
    Containers,
    /// Images.
    Images,
}

impl Panel {
    /// All of them, in the order of their keys.
    pub const ALL: [Self; 3] = [Self::Pods, Self::Containers, Self::Images];

    /// Its place among them.
    pub fn index(self) -> usize {
        self as usize
    }

    /// What its rows are.
    pub fn noun(self) -> Noun {
        [Noun::Pod, Noun::Container, Noun::Image][self.index()]
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        ["Pods", "Containers", "Images"][self.index()]
    }

    /// The next one, or the one before.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        Self::ALL[(self.index() + if forward { 1 } else { 2 }) % 3]
    }
}
