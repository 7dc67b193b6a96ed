//! What rows use. Only rows whose shown numbers have changed are made anew.

use std::sync::Arc;

use super::Store;
use crate::model::rows::ContainerRow;
use crate::stats::Load;

impl Store {
    /// Takes over what each container uses now; a pod uses what its containers do.
    pub fn set_loads(&mut self, of: impl Fn(&ContainerRow) -> Load) {
        for row in self.rows.containers.values_mut() {
            let load = of(row);
            if row.load != load {
                Arc::make_mut(row).load = load;
                self.dirty.containers = true;
            }
        }
        for (id, row) in &mut self.rows.pods {
            let members = self.index.members(id);
            let members = members.filter_map(|id| self.rows.containers.get(id));
            let load = members.fold(Load::default(), |sum, row| sum.plus(&row.load));
            if row.load != load {
                Arc::make_mut(row).load = load;
                self.dirty.pods = true;
            }
        }
    }
}
