"""Enforces NetworkPolicies for the pods of one node: a double of what a network plugin does.

Only what is forwarded is judged. A node may always speak to its own pods, as probes have to.
"""

import subprocess
import sys
from pathlib import Path

from node.api import ApiClient
from node.plan import API_PORT, CONTROL_ADDRESS
from node.policies.rules import MAIN, TABLE, Chains, chains, restore_input
from node.policies.selectors import world
from node.reconcile import Listed, reconcile

WATCHED = ("/api/v1/pods", "/api/v1/namespaces", "/apis/networking.k8s.io/v1/networkpolicies")
COMMAND_SECONDS = 10


class IptablesError(Exception):
    """iptables refused the rules."""


class Enforcer:
    def __init__(self, node: str) -> None:
        self._node = node
        self._enforced: Chains = {}

    def act(self, listed: Listed) -> None:
        wanted = chains(world(*listed), self._node)
        if wanted == self._enforced:
            return
        saved = _run(("iptables-save", "-t", TABLE)).splitlines()
        present = [line.split()[0].removeprefix(":") for line in saved if line.startswith(":")]
        _run(("iptables-restore", "--noflush", "--wait", "5"), restore_input(wanted, present))
        if f"-A FORWARD -j {MAIN}" not in saved:
            _run(("iptables", "--wait", "5", "-t", TABLE, "-A", "FORWARD", "-j", MAIN))
        self._enforced = wanted
        print(f"{len(wanted) - 1} chains for the pods of {self._node}", flush=True)


def _run(argv: tuple[str, ...], stdin: str = "") -> str:
    result = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    if result.returncode:
        raise IptablesError(f"{' '.join(argv)}: {result.stderr.strip()}\n{stdin}")
    return result.stdout


if __name__ == "__main__":
    pki, node = sys.argv[1:]
    client = ApiClient(str(CONTROL_ADDRESS), API_PORT, Path(pki), "network-policy")
    reconcile(client, WATCHED, Enforcer(node).act, (IptablesError,))
