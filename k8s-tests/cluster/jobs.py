"""What Jobs say when they are done."""

import re

from release import Release
from waiting import NotYetError


def said(release: Release, component: str, pattern: str) -> str:
    """Return what a Job that succeeded says, such as the name of the file that it has written."""
    for item in release.kube.find("Pod", release.selector(component)):
        if item["status"]["phase"] == "Succeeded":
            log = release.kube.logs(item["metadata"]["name"], component)
            if found := re.search(pattern, log, re.MULTILINE):
                return found[1]
            raise NotYetError(f"{component} says: {log}")
    raise NotYetError(f"no {component} has succeeded")
