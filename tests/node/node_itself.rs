//! The suite's own ground: if these fail, the others say nothing about the program.

use k8s_cri::v1::ContainerState;

use crate::harness::node;
use crate::pods::{Recipe, rotate_log};

#[test]
fn pods_are_what_their_recipes_say() {
    let node = node();
    assert!(node.pods.len() >= 20, "{} pods", node.pods.len());
    for (pod, reason, exit_code) in [
        ("crash", "Error", 1),
        ("job", "Completed", 0),
        ("oom", "OOMKilled", 137),
        ("wrong", "StartError", 128),
    ] {
        let id = &node.pods.get(pod).id;
        let newest = node
            .cri
            .containers()
            .into_iter()
            .filter(|c| c.pod_sandbox_id == *id)
            .filter(|c| c.metadata.as_ref().is_some_and(|m| m.name == "app"))
            .max_by_key(|c| c.created_at)
            .unwrap_or_else(|| panic!("{pod} has no container app"));
        let status = node.cri.status(&newest.id);
        assert_eq!(status.state(), ContainerState::ContainerExited, "{pod}");
        assert_eq!(
            (status.reason.as_str(), status.exit_code),
            (reason, exit_code),
            "{pod}: {}",
            status.message
        );
    }
}

#[test]
fn a_rotated_log_goes_on_in_a_new_file() {
    let node = node();
    let pod = node.pods.get("web-2");
    let id = pod.add(&node.cri, "rotated", 0, Recipe::Sleep);
    let path = node.cri.status(&id).log_path;
    let written = crate::support::wait_until(std::time::Duration::from_secs(5), || {
        std::fs::read_to_string(&path).is_ok_and(|log| log.contains("started"))
    });
    assert!(written, "nothing in {path}");
    let old = rotate_log(&node.cri, &id, 0);
    let log = std::fs::read_to_string(&old).expect("the old log");
    assert!(log.contains(" stdout F started"), "{log}");
    node.cri.stop(&id, 0);
    node.cri.remove(&id);
}

#[test]
fn pods_outlive_their_runtime() {
    let mut node = node();
    let before = running(&node.cri);
    node.kill();
    node.ensure_up();
    assert_eq!(running(&node.cri), before);
}

fn running(cri: &crate::cri::Cri) -> Vec<String> {
    let mut ids: Vec<_> = cri
        .containers()
        .into_iter()
        .filter(|c| c.state() == ContainerState::ContainerRunning)
        .map(|c| c.id)
        .collect();
    ids.sort();
    ids
}
