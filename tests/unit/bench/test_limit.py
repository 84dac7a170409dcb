from bench.limit import busiest_process, limit_of
from bench.usage import Load, Usage


def load(busy_seconds: float, disk_wait_seconds: float = 0.0, **seconds: Usage) -> Load:
    return Load(10.0, 2, 100, busy_seconds, disk_wait_seconds, seconds)


def test_full_cores_are_the_limit_whoever_fills_them() -> None:
    sentence = limit_of(load(19.0, api=Usage("api", 1, 1, 9.5), redis=Usage("redis", 2, 1, 0.5)))
    assert sentence.startswith("The cores: 95% of 2 were busy")
    assert "work that is not part of this 47%" in sentence
    assert "api 50%" in sentence


def test_a_process_that_fills_one_core_is_the_limit_while_others_are_free() -> None:
    sentence = limit_of(load(11.0, relay=Usage("relays", 1, 1, 9.0), redis=Usage("redis", 2, 1, 1.0)))
    assert sentence == "relay, which kept one core 90% busy while 55% of all 2 were."


def test_a_server_with_many_threads_is_not_bound_to_one_core() -> None:
    sentence = limit_of(load(12.0, mysql=Usage("mysqld", 1, 1, 11.0), redis=Usage("redis", 2, 1, 1.0)))
    assert sentence.startswith("Waiting, not computing")


def test_each_child_has_a_core_of_its_own_to_fill() -> None:
    children, parent = Usage("worker children", 1, 2, 12.0), Usage("worker parents", 1, 1, 7.0)
    assert busiest_process(load(19.0, children=children, parent=parent)) == ("parent", 0.7)


def test_a_group_whose_processes_have_all_ended_is_still_compared() -> None:
    assert busiest_process(load(5.0, children=Usage("worker children", 1, 0, 5.0))) == ("children", 0.5)


def test_idle_cores_mean_waiting_and_the_disks_part_is_said() -> None:
    sentence = limit_of(load(4.0, 3.0, redis=Usage("redis", 2, 1, 2.0)))
    assert sentence.startswith("Waiting, not computing: 20% of 2 cores were busy, redis")
    assert "used 20% of one" in sentence
    assert "15% of the time of the cores passed idle with a disk at work" in sentence
