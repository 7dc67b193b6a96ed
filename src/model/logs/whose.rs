//! Whose logs, from what the runtime tells.

use crate::logs::viewer::Whose;
use crate::model::rows::ContainerRow;
use crate::model::{Model, Subject};
use crate::text::Text;

/// Whose logs are those of `subject`.
pub(super) fn whose(model: &Model, subject: &Subject) -> Option<Whose> {
    let store = &model.store;
    let (pod, container) = match subject {
        Subject::Pod(id) => (id, None),
        Subject::Container(id) => {
            let container = &store.container(id)?.container;
            (&container.pod_id, Some(container.name.clone()))
        }
        Subject::Image(_) => return None,
    };
    let rows = store.attempts_in(pod);
    let mut known: Vec<(Text, Option<Text>)> = Vec::new();
    for row in &rows {
        let path = row
            .detail
            .as_ref()
            .and_then(|detail| detail.log_path.clone());
        let name = &row.container.name;
        // The newest attempt of each comes first.
        match known.iter_mut().find(|(known, _)| known == name) {
            Some((_, told)) => *told = told.take().or(path),
            None => known.push((name.clone(), path)),
        }
    }
    let of_row = |row: &ContainerRow| {
        let label = |key| crate::domain::label(&row.container.labels, key).cloned();
        Whose {
            namespace: row.namespace().into(),
            pod: row.pod_name().into(),
            uid: label("io.kubernetes.pod.uid").unwrap_or_default(),
            ..Whose::default()
        }
    };
    let named = match store.pod(pod) {
        Some(row) => Whose {
            namespace: row.pod.namespace.clone(),
            pod: row.pod.name.clone(),
            uid: row.pod.uid.clone(),
            ..Whose::default()
        },
        None => of_row(rows.first()?),
    };
    Some(Whose {
        container,
        known,
        ..named
    })
}

/// The attempt of a container that a view of logs is about, if the runtime still knows it.
pub fn attempt<'a>(
    model: &'a Model,
    subject: &Subject,
    name: &Text,
    attempt: u32,
) -> Option<&'a ContainerRow> {
    let pod = match subject {
        Subject::Pod(id) => id.clone(),
        Subject::Container(id) => model.store.container(id)?.container.pod_id.clone(),
        Subject::Image(_) => return None,
    };
    let rows = model.store.attempts_in(&pod).into_iter();
    let mut rows = rows.filter(|row| row.container.name == *name);
    rows.find(|row| row.container.attempt == attempt)
        .map(|row| &**row)
}
