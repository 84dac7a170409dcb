from typing import Any

import pytest

from node.ingress.rendering import configuration
from node.ingress.routes import Backend, Observed, Route, addresses, routes
from node.ingress.slots import SLOTS, assign, commands

API = Backend("shop", "api", "http")
CLASS = "conveyor-test"


def ingress(*paths: dict[str, Any], host: str = "", ingress_class: str = CLASS) -> dict[str, Any]:
    rule = {"http": {"paths": list(paths)}} | ({"host": host} if host else {})
    return {
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {"ingressClassName": ingress_class, "rules": [rule]},
    }


def path(value: str, service: str = "api", kind: str = "Prefix") -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"name": "http"}}}
    return {"path": value, "pathType": kind, "backend": backend}


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "api", "namespace": "shop"}, "spec": {"ports": list(ports)}}


def endpoints(*items: tuple[str, bool | None], name: str = "http", port: int = 8000) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "api"}},
        "ports": [{"name": name, "port": port}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}} for address, ready in items],
    }


def test_only_ingresses_of_the_class_lead_anywhere() -> None:
    observed = Observed((ingress(path("/"), ingress_class="nginx"),), (), ())
    assert routes(observed, CLASS) == ()


def test_the_longer_path_and_the_named_host_come_first() -> None:
    everywhere = ingress(path("/"), path("/flower", "flower"), path("/flower", "exact", "Exact"))
    named = ingress(path("/", "named"), host="example.org")
    found = routes(Observed((everywhere, named), (), ()), CLASS)
    assert [route.backend.service for route in found] == ["named", "exact", "flower", "api"]


def test_endpoints_that_are_not_ready_get_no_requests() -> None:
    observed = Observed(
        (),
        (service({"name": "http", "port": 80}),),
        (endpoints(("10.244.1.2", True), ("10.244.1.3", False), ("10.244.2.2", None)),),
    )
    assert addresses(API, observed) == {"10.244.1.2:8000", "10.244.2.2:8000"}


@pytest.mark.parametrize("port", ["http", "80"])
def test_a_port_of_the_service_is_found_by_name_and_by_number(port: str) -> None:
    ports = ({"name": "http", "port": 80}, {"name": "metrics", "port": 9100})
    slices = (
        endpoints(("10.244.1.2", True)),
        endpoints(("10.244.1.2", True), name="metrics", port=9100),
    )
    observed = Observed((), (service(*ports),), slices)
    assert addresses(Backend("shop", "api", port), observed) == {"10.244.1.2:8000"}


def test_a_service_of_the_same_name_elsewhere_is_another_one() -> None:
    observed = Observed((), (service({"name": "http", "port": 80}),), (endpoints(("10.244.1.2", True)),))
    assert addresses(Backend("other", "api", "http"), observed) == frozenset()


def test_an_endpoint_that_stays_keeps_its_slot() -> None:
    before = assign({}, ["10.0.0.1:80", "10.0.0.2:80"])
    after = assign(before, ["10.0.0.2:80", "10.0.0.3:80"])
    assert after == {"slot1": "10.0.0.3:80", "slot2": "10.0.0.2:80"}


def test_more_endpoints_than_slots_fill_the_slots() -> None:
    assert len(assign({}, [f"10.0.0.{number}:80" for number in range(1, 40)])) == len(SLOTS)


def test_a_slot_that_changes_hands_is_closed_before_it_is_opened() -> None:
    told = commands("api", {"slot1": "10.0.0.1:80"}, {"slot1": "10.0.0.2:80"})
    assert told == [
        "set server api/slot1 state maint",
        "set server api/slot1 addr 10.0.0.2 port 80",
        "set server api/slot1 state ready",
    ]


def test_nothing_is_told_where_nothing_changed() -> None:
    assert commands("api", {"slot1": "10.0.0.1:80"}, {"slot1": "10.0.0.1:80"}) == []


def test_a_prefix_matches_whole_parts_of_a_path() -> None:
    text = configuration([Route("", "/flower", exact=False, backend=API)], {}, 5, "/run/control")
    assert "use_backend shop_api_http if { path -m str /flower }" in text
    assert "use_backend shop_api_http if { path_beg /flower/ }" in text
    assert "path_beg /flower }" not in text


def test_a_host_is_matched_whatever_its_case_and_port() -> None:
    text = configuration([Route("example.org", "/", exact=False, backend=API)], {}, 5, "/run/control")
    assert "if { req.hdr(host),host_only -i -m str example.org } { path_beg / }" in text


def test_a_wildcard_stands_for_one_label() -> None:
    text = configuration([Route("*.example.org", "/", exact=False, backend=API)], {}, 5, "/run/control")
    assert r"-m reg ^[^.]+\.example\.org$" in text


def test_assigned_servers_are_open_and_the_others_closed() -> None:
    route = Route("", "/", exact=False, backend=API)
    text = configuration([route], {API: {"slot2": "10.244.1.2:8000"}}, 5, "/run/control")
    assert "server slot2 10.244.1.2:8000\n" in text
    assert "server slot1 127.0.0.1:1 disabled\n" in text
    assert "bind fd@5" in text
