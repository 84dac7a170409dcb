"""A server that speaks S3, beside the release."""

from typing import Any

STORE, STORE_PORT = "store", 9000
# what the page for operators leaves to them
STORE_VARIABLES = {
    "ACCESS_KEY": "accesskey",
    "SECRET_KEY": "secretsecret",
    "BUCKET": "backups",
    "ENDPOINT": f"http://{STORE}:{STORE_PORT}",
    "PORT": str(STORE_PORT),
}


def store_of_objects() -> tuple[dict[str, Any], ...]:
    """Return rclone as a server of S3, its Service, and the keys to it."""
    labels = {"app": STORE}
    access, secret = STORE_VARIABLES["ACCESS_KEY"], STORE_VARIABLES["SECRET_KEY"]
    keys = f"{access},{secret}"
    container = {
        "name": "s3",
        "image": "rclone/rclone:1.76.0",
        "command": ["sh", "-c"],
        "args": [f"mkdir /data/backups && exec rclone serve s3 /data --addr :{STORE_PORT} --auth-key {keys}"],
        "env": [{"name": "HOME", "value": "/data"}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {
        "runAsNonRoot": True,
        "runAsUser": 999,
        "fsGroup": 999,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "containers": [container],
        "securityContext": user,
        "volumes": [{"name": "data", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 1,
    }
    metadata = {"name": STORE, "labels": labels}
    data = {"access-key-id": access, "secret-access-key": secret}
    return (
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": STORE_PORT}]},
        },
    )
