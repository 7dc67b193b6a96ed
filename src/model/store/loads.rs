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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Changes, Container, ContainerId, ContainerState, ImageId, Pod, PodState};

    fn pod(id: &str) -> Arc<Pod> {
        Arc::new(Pod {
            id: PodId::new(id),
            uid: id.into(),
            name: id.into(),
            namespace: "n".into(),
            attempt: 0,
            state: PodState::Ready,
            created_at: None,
            runtime_handler: None,
            labels: vec![],
            annotations: vec![],
        })
    }

    fn container(pod: &str, name: &str) -> Arc<Container> {
        Arc::new(Container {
            id: ContainerId::new(&format!("{pod}-{name}")),
            pod_id: PodId::new(pod),
            name: name.into(),
            attempt: 0,
            state: ContainerState::Running,
            created_at: None,
            image: "i".into(),
            image_id: ImageId::new("i"),
            labels: vec![],
            annotations: vec![],
        })
    }

    #[test]
    fn a_pod_uses_what_its_containers_do() {
        let mut store = Store::default();
        let now = Timestamp::UNIX_EPOCH;
        store.set_pods(&Changes::all(vec![pod("a"), pod("b"), pod("empty")]), now);
        let all = [("a", "x"), ("a", "y"), ("b", "x"), ("gone", "x")];
        let all = all.map(|(pod, name)| container(pod, name));
        store.set_containers(&Changes::all(all.into()), now);
        store.set_loads(|row| Load {
            cpu: Some(if row.container.name == "x" { 3 } else { 20 }),
            ..Load::default()
        });
        let cpu = |id: &str| store.pod(&PodId::new(id)).unwrap().load.get().cpu;
        assert_eq!(
            [cpu("a"), cpu("b"), cpu("empty")],
            [Some(23), Some(3), None]
        );
        store.set_loads(|_| Load::default());
        assert_eq!(store.pod(&PodId::new("a")).unwrap().load.get().cpu, None);
    }
}
