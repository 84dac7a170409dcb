from typing import Any

from workloads import Pod, is_ending, unready, unready_containers


def deployment(spec: int = 3, generation: int = 2, **status: int) -> dict[str, Any]:
    seen = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, **status}
    metadata = {"name": "demo-api", "generation": generation}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": spec}, "status": seen}


def container(name: str, **fields: object) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "containerID": "containerd://1", **fields}


def pod(*containers: dict[str, Any], **status: object) -> dict[str, Any]:
    metadata = {"name": "demo-api-1", "uid": "u", "labels": {"app.kubernetes.io/component": "api"}}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "node1"},
        "status": {"containerStatuses": list(containers), **status},
    }


def test_a_workload_with_all_its_pods_of_the_last_revision_lacks_nothing() -> None:
    assert unready(deployment()) == ""


def test_a_workload_says_what_it_still_lacks() -> None:
    assert unready(deployment(readyReplicas=2)) == (
        "Deployment/demo-api: 2 ready, 3 of this revision, 3 in all, wanted 3"
    )
    assert "4 in all" in unready(deployment(replicas=4))
    assert "1 of this revision" in unready(deployment(updatedReplicas=1))
    assert "has not seen the last change" in unready(deployment(generation=3))


def test_a_workload_of_none_lacks_nothing() -> None:
    item = deployment(spec=0)
    item["status"] = {"observedGeneration": 2}
    assert unready(item) == ""


def test_a_job_is_done_when_it_has_succeeded() -> None:
    job: dict[str, Any] = {"kind": "Job", "metadata": {"name": "demo-migrate"}, "spec": {}, "status": {}}
    assert unready(job) == "Job/demo-migrate has not succeeded"
    assert unready({**job, "status": {"succeeded": 1}}) == ""


def test_a_pod_is_told_in_one_line() -> None:
    ready = pod(container("api", ready=True), conditions=[{"type": "Ready", "status": "True"}])
    assert str(Pod.of(ready)) == "demo-api-1 on node1, 0 restarts: ready"
    crashed = container(
        "api",
        restartCount=2,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
    )
    assert str(Pod.of(pod(crashed))) == (
        "demo-api-1 on node1, 2 restarts: api CrashLoopBackOff back-off; api ended with 1 (Error)"
    )


def test_a_pod_without_a_node_says_why() -> None:
    refusal = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    item = pod(conditions=[refusal])
    del item["spec"]["nodeName"]
    assert str(Pod.of(item)) == "demo-api-1 on no node, 0 restarts: 0/3 nodes are available"


def test_the_logs_to_read_are_of_what_ran_and_is_not_ready() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    item = pod(
        container("done", state={"terminated": {"exitCode": 0}}),
        container("good", ready=True),
        container("never", containerID=""),
        container("slow", state={"running": {}}),
        container("crashed", restartCount=1, state=waiting),
    )
    assert list(unready_containers(item)) == [("slow", False), ("crashed", True)]


def test_a_pod_that_was_told_to_end_is_ending() -> None:
    item = pod()
    assert not is_ending(item)
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert is_ending(item)
