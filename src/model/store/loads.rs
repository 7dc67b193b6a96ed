//! What rows use.

use super::Store;
use crate::model::rows::ContainerRow;
use crate::stats::Load;

impl Store {
    /// Takes over what each container uses now; a pod uses what its containers do.
    pub fn set_loads(&mut self, of: impl Fn(&ContainerRow) -> Load) {
        for row in self.rows.containers.values() {
            self.dirty.containers |= row.load.set(of(row));
        }
        for (id, row) in &self.rows.pods {
            let load = self
                .containers_in(id)
                .fold(Load::default(), |sum, row| sum.plus(&row.load.get()));
            self.dirty.pods |= row.load.set(load);
        }
    }
}
