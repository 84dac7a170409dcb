"""The roles of the database's members, as their labels tell them."""

from kube import Kube
from release import Release
from waiting import NotYetError, eventually

ROLE = "conveyor/mysql-role"
LABEL_SECONDS = 30


def roles(release: Release, kube: Kube) -> dict[str, str]:
    """Return the role that each member's label gives it."""
    found = kube.find("Pod", release.selector("mysql"))
    return {item["metadata"]["name"]: item["metadata"]["labels"].get(ROLE, "") for item in found}


def settled_roles(release: Release, kube: Kube) -> dict[str, str]:
    """Return the roles once each member has one: the primary labels a member that is ready already."""

    def labelled() -> dict[str, str]:
        if not all((found := roles(release, kube)).values()):
            raise NotYetError(str(found))
        return found

    return eventually("every member is labelled", labelled, LABEL_SECONDS)


def primary(release: Release, kube: Kube) -> str:
    names = [name for name, role in roles(release, kube).items() if role == "primary"]
    if len(names) != 1:
        raise NotYetError(f"labelled as primary: {', '.join(names) or 'none'}")
    return names[0]
