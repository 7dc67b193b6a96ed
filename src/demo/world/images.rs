//! Images by id and by name.

use super::super::chance::digest;
use super::super::scenario::ImageSpec;
use super::{Image, World};

impl World {
    /// Adds an image, if none has its first tag yet, and gives its id.
    pub(in crate::demo) fn add_image(&mut self, spec: ImageSpec) -> String {
        let id = digest(spec.tags.first().map_or("<none>", String::as_str));
        let digests: Vec<String> = spec
            .tags
            .iter()
            .filter(|tag| !tag.starts_with("localhost/"))
            .filter_map(|tag| tag.rsplit_once(':'))
            .map(|(name, _)| format!("{name}@sha256:{}", digest(name)))
            .collect();
        for name in spec.tags.iter().chain(&digests) {
            self.names.entry(name.clone()).or_insert_with(|| id.clone());
        }
        self.images.entry(id.clone()).or_insert_with(|| Image {
            id: id.clone(),
            tags: spec.tags.clone(),
            digests,
            spec,
            item: None,
        });
        id
    }

    /// Removes an image with all its names.
    pub(in crate::demo) fn remove_image(&mut self, id: &str) {
        self.images.remove(id);
        self.names.retain(|_, named| named != id);
        self.containers.values_mut().for_each(|c| c.item = None);
    }

    /// The image that `name` (a tag, a digest, an id or the beginning of one) means.
    pub(in crate::demo) fn image(&self, name: &str) -> Option<&Image> {
        let named = self.names.get(name).or_else(|| {
            let last = name.rsplit('/').next()?;
            let untagged = !last.contains([':', '@']);
            self.names
                .get(&format!("{name}:latest"))
                .filter(|_| untagged)
        });
        if let Some(id) = named {
            return self.images.get(id);
        }
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let (id, image) = self.images.range(digits.to_owned()..).next()?;
        (!digits.is_empty() && id.starts_with(digits)).then_some(image)
    }
}
