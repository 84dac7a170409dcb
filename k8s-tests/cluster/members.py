"""The roles of the database's members, as their labels tell them."""

from kube import Kube
from release import Release
from waiting import NotYetError

ROLE = "conveyor/mysql-role"


def roles(release: Release, kube: Kube) -> dict[str, str]:
    """Return the role that each member's label gives it."""
    found = kube.find("Pod", release.selector("mysql"))
    return {item["metadata"]["name"]: item["metadata"]["labels"].get(ROLE, "") for item in found}


def primary(release: Release, kube: Kube) -> str:
    names = [name for name, role in roles(release, kube).items() if role == "primary"]
    if len(names) != 1:
        raise NotYetError(f"labelled as primary: {', '.join(names) or 'none'}")
    return names[0]
