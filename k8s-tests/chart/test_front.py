"""What leads into the cluster, by Ingress or by Gateway."""

from chart.presets import PRESETS
from chart.rendering import Values, render

FLOWER = {"flower": {"route": True}}


def ingress_paths(values: Values) -> list[tuple[str, str]]:
    (ingress,) = render(values).of("Ingress")
    return [
        (path["path"], path["backend"]["service"]["name"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]


def test_with_no_values_every_host_leads_to_the_api_through_any_controller() -> None:
    (ingress,) = PRESETS["default"].rendered().of("Ingress")
    assert "ingressClassName" not in ingress["spec"]
    assert "annotations" not in ingress["metadata"]
    assert ["host" in rule for rule in ingress["spec"]["rules"]] == [False]
    assert ingress_paths({}) == [("/", "demo-conveyor-api")]


def test_flower_is_led_to_where_that_is_asked_for_but_its_metrics_never_are() -> None:
    assert ingress_paths(FLOWER) == [
        ("/flower/metrics", "demo-conveyor-api"),
        ("/flower", "demo-conveyor-flower"),
        ("/", "demo-conveyor-api"),
    ]


def test_each_host_has_its_rules_and_its_certificate() -> None:
    tls = [{"secretName": "certificate", "hosts": ["a.example.com", "b.example.com"]}]
    values = {"ingress": {"className": "public", "hosts": ["a.example.com", "b.example.com"], "tls": tls}}
    (ingress,) = render(values).of("Ingress")
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["a.example.com", "b.example.com"]
    assert ingress["spec"]["tls"] == tls
    assert ingress["spec"]["ingressClassName"] == "public"


def test_a_gateway_leads_to_the_same_places() -> None:
    manifests = PRESETS["everything"].rendered()
    (route,) = manifests.of("HTTPRoute")
    assert manifests.of("Ingress") == []
    found = [
        (rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["name"])
        for rule in route["spec"]["rules"]
    ]
    assert found == ingress_paths(FLOWER)
    assert route["spec"]["parentRefs"] == [{"name": "gateway"}]
    assert route["spec"]["hostnames"] == ["tasks.example.com"]


def test_metrics_have_no_port_on_the_service_that_the_ingress_leads_to() -> None:
    service = PRESETS["default"].rendered().named()["Service/demo-conveyor-api"]
    assert [port["name"] for port in service["spec"]["ports"]] == ["http"]
