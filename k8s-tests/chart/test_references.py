"""Whatever a pod needs is there: Secrets, ConfigMaps, scripts, volumes, accounts."""

from collections.abc import Iterator

from kubernetes.client import V1Container

from chart.manifests import Manifests, Pod
from chart.presets import PRESETS, Preset

SECRET_KEYS = {
    "redis-password",
    "db-password",
    "db-admin-password",
    "mysql-agent-password",
    "mysql-recovery-password",
    "secret-key",
    "flower-basic-auth",
}
MADE_BY_KUBERNETES = {"kube-root-ca.crt"}


def secret_references(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers:
        for variable in container.env or []:
            if variable.value_from and variable.value_from.secret_key_ref:
                reference = variable.value_from.secret_key_ref
                yield str(reference.name), reference.key


def test_every_password_is_a_key_of_the_one_secret(manifests: Manifests, preset: Preset) -> None:
    secret = preset.values.get("credentials", {}).get("existingSecret", "demo-conveyor-credentials")
    found = {reference for pod in manifests.pods for reference in secret_references(pod)}
    # a bucket's keys are its owner's
    bucket = preset.values.get("backup", {}).get("s3", {}).get("existingSecret")
    assert {key for name, key in found if name == bucket} <= {"access-key-id", "secret-access-key"}
    ours = {reference for reference in found if reference[0] != bucket}
    assert {name for name, _ in ours} == {secret}
    assert {key for _, key in ours} <= SECRET_KEYS


def test_the_secret_is_made_in_the_cluster_and_is_in_no_manifest(manifests: Manifests) -> None:
    assert manifests.of("Secret") == []
    jobs = [pod for pod in manifests.pods if pod.component == "credentials"]
    for pod in jobs:
        env = {variable.name: variable.value for variable in pod.container("credentials").env or []}
        assert env["CREDENTIALS_SECRET"] == "demo-conveyor-credentials"


def test_an_existing_secret_takes_the_place_of_the_job_and_its_rights() -> None:
    names = PRESETS["existing-secret"].rendered().named()
    assert [name for name in names if "credentials" in name] == []


def config_maps(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        for source in container.env_from or []:
            yield str(source.config_map_ref and source.config_map_ref.name)
    for volume in pod.spec.volumes or []:
        if volume.config_map:
            yield str(volume.config_map.name)
        for projected in (volume.projected and volume.projected.sources) or []:
            if projected.config_map:
                yield str(projected.config_map.name)


def test_every_config_map_that_a_pod_reads_is_there(manifests: Manifests) -> None:
    present = {document["metadata"]["name"] for document in manifests.of("ConfigMap")} | MADE_BY_KUBERNETES
    for pod in manifests.pods:
        assert set(config_maps(pod)) <= present, pod.owner


def test_every_mount_has_its_volume_and_every_volume_is_mounted(manifests: Manifests) -> None:
    for pod in manifests.pods:
        volumes = {volume.name for volume in pod.spec.volumes or []} | claims(manifests, pod)
        mounts = {mount.name for container in pod.containers for mount in container.volume_mounts or []}
        assert mounts == volumes, pod.owner


def claims(manifests: Manifests, pod: Pod) -> set[str]:
    templates = manifests.named()[pod.owner]["spec"].get("volumeClaimTemplates") or []
    return {template["metadata"]["name"] for template in templates}


def test_every_script_that_a_pod_runs_is_in_the_volume_it_comes_from(manifests: Manifests) -> None:
    data = {
        document["metadata"]["name"]: document.get("data") or {} for document in manifests.of("ConfigMap")
    }
    seen = 0
    for pod in manifests.pods:
        volumes = {volume.name: volume for volume in pod.spec.volumes or []}
        for container in pod.containers:
            mounts = {mount.mount_path: mount.name for mount in container.volume_mounts or []}
            for word in (*(container.command or []), *hooks(container)):
                folder, _, file = word.rpartition("/")
                if folder in {"/etc/conveyor", "/tests"}:
                    source = volumes[mounts[folder]].config_map
                    assert source, word
                    assert file in data[str(source.name)], f"{word} of {pod.owner}"
                    seen += 1
    assert seen > 0


def hooks(container: V1Container) -> list[str]:
    before_stop = container.lifecycle and container.lifecycle.pre_stop
    command = before_stop and before_stop.model_dump(by_alias=True).get("exec")
    return list(command["command"]) if command else []


def test_every_pod_has_an_account_of_its_own(manifests: Manifests) -> None:
    accounts = {account["metadata"]["name"] for account in manifests.of("ServiceAccount")}
    used = {str(pod.spec.service_account_name) for pod in manifests.pods}
    assert used == accounts
    owners = [pod for pod in manifests.pods if pod.owner.startswith(("Deployment", "StatefulSet"))]
    assert len({pod.spec.service_account_name for pod in owners}) == len(owners)


def test_every_binding_leads_to_an_account_and_a_role(manifests: Manifests) -> None:
    names = manifests.named()
    for binding in manifests.of("RoleBinding"):
        assert f"Role/{binding['roleRef']['name']}" in names
        for subject in binding["subjects"]:
            assert f"ServiceAccount/{subject['name']}" in names
            assert subject["namespace"] == "platform"


def test_a_rotation_starts_everything_anew_that_has_read_a_password_for_good(preset: Preset) -> None:
    manifests = preset.rendered()
    rotating = manifests.pods_of("rotate")
    own = not preset.values.get("credentials", {}).get("existingSecret")
    assert bool(rotating) == own
    for pod in rotating:
        env = {variable.name: variable.value for variable in pod.container("rotate").env or []}
        told = [f"Deployment/{name}" for name in str(env["ROTATION_DEPLOYMENTS"]).split(",")]
        told += [f"StatefulSet/{name}" for name in str(env["ROTATION_STATEFULSETS"]).split(",")]
        readers = {
            pod.owner
            for pod in manifests.pods
            if pod.owner.startswith(("Deployment/", "StatefulSet/")) and list(secret_references(pod))
        }
        assert set(told) == readers
        assert told[-1].endswith("-mysql"), "its members take longest, and all others have to know by then"
