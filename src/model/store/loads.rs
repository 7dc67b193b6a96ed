//! What rows use.

use super::Store;
use crate::domain::{IdMap, PodId};
use crate::model::rows::ContainerRow;
use crate::stats::Load;

impl Store {
    /// Takes over what each container uses now; a pod uses what its containers do.
    pub fn set_loads(&mut self, of: impl Fn(&ContainerRow) -> Load) {
        let pods = self.rows.pods.keys();
        let mut sums: IdMap<&PodId, Load> = pods.map(|id| (id, Load::default())).collect();
        for row in self.rows.containers.values() {
            let load = of(row);
            if let Some(sum) = sums.get_mut(&row.container.pod_id) {
                *sum = sum.plus(&load);
            }
            self.dirty.containers |= row.load.set(load);
        }
        for (id, row) in &self.rows.pods {
            let load = sums.remove(id).unwrap_or_default();
            self.dirty.pods |= row.load.set(load);
        }
    }
}
