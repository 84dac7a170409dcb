"""An HAProxy for the peers, with the settings of the one in front of Conveyor's API."""

from collections.abc import Mapping, Sequence

HEAD = """\
global
    maxconn 4096

defaults
    mode http
    timeout connect 2s
    timeout check 2s
    timeout client 60s
    timeout server 60s
    timeout queue 10s
    timeout http-request 10s
    timeout http-keep-alive 30s
    balance roundrobin
    option forwardfor
    option httpchk GET /healthz
    default-server check inter 1s fastinter 500ms downinter 500ms fall 2 rise 1
"""


def configuration(fronts: Mapping[int, Sequence[int]]) -> str:
    """Return a file in which each port leads to the ports of three API processes."""
    sections = [HEAD]
    for port, servers in fronts.items():
        lines = [f"    server api-{server} 127.0.0.1:{server}" for server in servers]
        sections.append("\n".join([f"listen api-{port}", f"    bind 127.0.0.1:{port}", *lines, ""]))
    return "\n".join(sections)
