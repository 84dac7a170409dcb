import pytest

from stack.ports import NAMES, PortError, fixed_ports, free_ports, require_free


def test_people_find_the_front_on_8090_and_the_rest_in_one_block() -> None:
    ports = fixed_ports({})
    assert ports["http"] == 8090
    assert [ports[name] for name in NAMES] == list(range(18090, 18090 + len(NAMES)))


def test_one_setting_each_moves_the_front_and_the_block() -> None:
    ports = fixed_ports({"CONVEYOR_HTTP_PORT": "9090", "CONVEYOR_BASE_PORT": "19090"})
    assert (ports["http"], ports[NAMES[0]]) == (9090, 19090)


@pytest.mark.parametrize("value", ["web", "80", "70000", "-1"])
def test_a_setting_that_is_no_usable_port_is_named(value: str) -> None:
    with pytest.raises(PortError, match=f"CONVEYOR_HTTP_PORT={value}"):
        fixed_ports({"CONVEYOR_HTTP_PORT": value})


def test_a_block_that_would_leave_the_range_of_ports_is_refused() -> None:
    with pytest.raises(PortError, match="CONVEYOR_BASE_PORT=65530"):
        fixed_ports({"CONVEYOR_BASE_PORT": "65530"})


def test_a_front_port_inside_the_block_is_refused() -> None:
    with pytest.raises(PortError, match="move one of them"):
        fixed_ports({"CONVEYOR_HTTP_PORT": "18095"})


def test_free_ports_are_distinct_and_skip_what_is_taken() -> None:
    ports = free_ports(lambda port: port % 2 == 0)
    assert set(ports) == {"http", *NAMES}
    assert len(set(ports.values())) == len(ports)
    assert all(port % 2 == 0 for port in ports.values())


def test_a_taken_port_is_refused_with_its_owner_and_the_way_out() -> None:
    with pytest.raises(PortError) as refusal:
        require_free({"http": 8090, "redis": 1}, lambda port: f"owner of {port}", lambda port: port == 1)
    assert "http: port 8090 is used by owner of 8090" in str(refusal.value)
    assert "redis" not in str(refusal.value)
    assert "CONVEYOR_HTTP_PORT=" in str(refusal.value)
