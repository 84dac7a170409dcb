"""Configuration of HAProxy for a set of routes. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from node.ingress.routes import Backend, Route
from node.ingress.slots import SLOTS, VACANT

Assignments = Mapping[Backend, Mapping[str, str]]


def configuration(routes: Sequence[Route], assignments: Assignments, door: int, control: str) -> str:
    """Return haproxy.cfg, to listen on the inherited socket `door` and for commands at the path `control`."""
    lines = [
        *_start(control),
        "",
        "frontend ingress",
        f"    bind fd@{door}",
        "    http-request set-header X-Forwarded-Proto http",
        "    http-request set-header X-Forwarded-Host %[req.hdr(host)]",
        *(line for route in routes for line in _choice(route)),
        "    default_backend nothing",
        "",
        "backend nothing",
        '    http-request return status 404 content-type text/plain string "no Ingress leads here\\n"',
    ]
    for backend in dict.fromkeys(route.backend for route in routes):
        lines += ["", *_servers(backend, assignments.get(backend, {}))]
    return "\n".join(lines) + "\n"


def _start(control: str) -> list[str]:
    return [
        "global",
        "    maxconn 4000",
        f"    stats socket {control} mode 600 level admin",
        # an old process ends once its clients have sent their next request
        "    hard-stop-after 60s",
        "",
        "defaults",
        "    mode http",
        "    option forwardfor",
        "    option idle-close-on-response",
        "    option redispatch 1",
        "    retries 3",
        # only what the server cannot have seen
        "    retry-on conn-failure",
        "    timeout connect 1s",
        "    timeout client 60s",
        "    timeout server 60s",
        "    timeout tunnel 1h",
        "    timeout http-request 10s",
    ]


def _choice(route: Route) -> Iterator[str]:
    host = _host(route.host)
    backend = f"    use_backend {route.backend.name} if {host}"
    whole = route.path.rstrip("/")
    if route.exact:
        yield f"{backend}{{ path -m str {route.path} }}"
    elif not whole:
        yield f"{backend}{{ path_beg / }}"
    else:  # /a matches /a and /a/b, but not /ab
        yield f"{backend}{{ path -m str {whole} }}"
        yield f"{backend}{{ path_beg {whole}/ }}"


def _host(host: str) -> str:
    if not host:
        return ""
    if host.startswith("*."):
        suffix = host[1:].replace(".", r"\.")
        return f"{{ req.hdr(host),host_only -i -m reg ^[^.]+{suffix}$ }} "
    return f"{{ req.hdr(host),host_only -i -m str {host} }} "


def _servers(backend: Backend, assigned: Mapping[str, str]) -> Iterator[str]:
    yield f"backend {backend.name}"
    for slot in SLOTS:
        if address := assigned.get(slot):
            yield f"    server {slot} {address}"
        else:
            yield f"    server {slot} {VACANT} disabled"
