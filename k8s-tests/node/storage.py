"""Objects of the local-path provisioner: volumes are folders of the node on which their first pod runs."""

import json

from node.control_plane import PROVISIONER, PROVISIONER_CONFIG, PROVISIONER_NAMESPACE
from node.rbac import READ, Resource, Rule, rule

STORAGE_CLASS = "local-path"
FOLDER = "/var/lib/local-path"
# any image of the nodes that has a shell
HELPER_IMAGE = "docker.io/library/redis:8"
# Pods that do not run as root must be able to enter, whatever their number.
SETUP = '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n'
TEARDOWN = '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n'


def storage_objects() -> list[Resource]:
    namespace: Resource = {
        "apiVersion": "v1",
        "kind": "Namespace",
        # its pods make folders on their node
        "metadata": {
            "name": PROVISIONER_NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
        },
    }
    return [namespace, _settings(), _storage_class()]


def provisioner_rules() -> list[Rule]:
    every = [*READ, "create", "patch", "update", "delete"]
    return [
        rule(READ, "", "nodes", "persistentvolumeclaims", "configmaps", "pods/log"),
        rule(every, "", "persistentvolumes", "pods", "events"),
        rule(READ, "storage.k8s.io", "storageclasses"),
    ]


def _settings() -> Resource:
    paths = {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [FOLDER]}]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": PROVISIONER_CONFIG, "namespace": PROVISIONER_NAMESPACE},
        "data": {
            "config.json": json.dumps(paths),
            "setup": SETUP,
            "teardown": TEARDOWN,
            "helperPod.yaml": json.dumps(_helper_pod()),
        },
    }


def _helper_pod() -> Resource:
    container = {
        "name": "helper-pod",
        "image": HELPER_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsUser": 0},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def _storage_class() -> Resource:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {
                "storageclass.kubernetes.io/is-default-class": "true",
                # other than hostPath, it is given to the pod's fsGroup
                "defaultVolumeType": "local",
            },
        },
        "provisioner": PROVISIONER,
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
