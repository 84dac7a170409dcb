from bench.generators.one_by_one import Followed
from bench.ledger import LedgerTask
from bench.scenarios.bulk import figures_of as bulk_figures
from bench.scenarios.end_to_end import figures_of as end_to_end_figures
from bench.scenarios.extras import AS_IT_COMES, steady_rate
from bench.scenarios.extras import Turn as ExtrasTurn
from bench.scenarios.extras import figures_of as extras_figures
from bench.scenarios.idle_latency import longest_phase, phases_of
from bench.scenarios.memory import details_of
from bench.scenarios.memory import figures_of as memory_figures
from bench.scenarios.steady import figures_of as steady_figures
from bench.scenarios.transport import Turn
from bench.scenarios.transport import figures_of as transport_figures
from bench.usage import Load, Usage


def api(megabytes: int) -> dict[str, Usage]:
    return {
        "api-1": Usage("api", 1, 1, 0.0, megabytes * 1_000_000),
        "worker-1 parent": Usage("worker parents", 2, 1, 0.0, 90_000_000),
    }


def test_the_parts_of_the_latency_add_up_and_the_longest_is_named() -> None:
    followed = [Followed("a", sent=100.0, answered=100.010, seen=100.045)]
    tasks = {"a": LedgerTask("a", "succeeded", "worker-1", 100.005, 100.015, 100.040)}
    phases = phases_of(followed, tasks)
    assert [round(milliseconds) for milliseconds in phases.values()] == [5, 10, 25, 5]
    assert longest_phase(phases) == "Longest part: started → finished, 25.0 of 45.0 ms."


def test_a_task_under_load_is_judged_by_its_tail() -> None:
    result = {"accepted": ["a", "b"], "seconds": 2.0, "milliseconds": [8.0, 12.0]}
    tasks = [
        LedgerTask(name, "succeeded", "", 100.0, 100.0, 100.0 + took)
        for name, took in (("a", 0.1), ("b", 0.7))
    ]
    ledger, answered, accepted = steady_figures(result, tasks)
    assert (ledger.value, ledger.verdict) == ("p50 400.0 · p99 694.0 · max 700.0 ms", "p99 < 500 ms: missed")
    assert answered.value == "p50 10.0 · p99 12.0 · max 12.0 ms"
    assert accepted.value == "1 requests/s"


def test_throughput_tells_how_the_workers_shared_the_tasks() -> None:
    tasks = [
        LedgerTask(str(number), "succeeded", f"worker-{number % 2 + 1}", 0.0, 1.0, 3.0) for number in range(5)
    ]
    rate, _, shares = end_to_end_figures(tasks)
    assert rate.value == "2 tasks/s"
    assert shares.value == "5: worker-1 3, worker-2 2"


def test_memory_misses_its_aim_when_it_grows_beyond_it_under_load() -> None:
    largest_api, largest_parent = memory_figures(api(110), api(130))
    assert (largest_api.value, largest_api.verdict) == (
        "110 MB idle · 130 MB after load",
        "< 120 MB: missed",
    )
    assert largest_parent.verdict == "< 120 MB: met"


def test_a_process_that_was_not_there_at_the_start_has_no_idle_memory() -> None:
    assert details_of({}, api(130))[1] == ["api-1", "1", "-", "130"]


def test_transports_are_compared_by_the_middle_of_their_turns() -> None:
    load = Load(seconds=1, cores=2, tasks=10, busy_seconds=1, disk_wait_seconds=0)
    stock = [Turn(rate, 9.0, load) for rate in (500, 800, 1000)]
    safe = [Turn(rate, 8.5, load) for rate in (900, 1000, 1100)]

    own, other, ratio, commands = transport_figures(stock, safe)

    assert own.value == "800 tasks/s (median of 3: 500-1000)"
    assert other.value == "1000 tasks/s (median of 3: 900-1100)"
    assert (ratio.value, ratio.verdict) == ("1.25", ">= 1.0: met")
    assert commands.value == "9.0 · 8.5"


def test_what_comes_with_a_worker_is_compared_in_its_least_disturbed_turns() -> None:
    load = Load(seconds=1, cores=2, tasks=10, busy_seconds=1, disk_wait_seconds=0)
    as_it_comes = [ExtrasTurn(99, 1.03, load), ExtrasTurn(50, 1.4, load), ExtrasTurn(97, 1.08, load)]
    without = [ExtrasTurn(100, 1.2, load), ExtrasTurn(50, 1.7, load), ExtrasTurn(100, 1.0, load)]
    with_traces = [ExtrasTurn(90, 2.06, load), ExtrasTurn(50, 1.545, load), ExtrasTurn(100, 1.6, load)]

    figures = extras_figures(
        {AS_IT_COMES: as_it_comes, "without metrics": without, "with traces": with_traces}
    )

    assert figures[1].value == (
        "100 tasks/s (median of 3: 50-100), 1.000 ms of CPU per task (least; median 1.200, most 1.700)"
    )
    assert figures[3].what == "CPU per task, as it comes / without metrics"
    assert figures[3].value == "1.030"
    assert figures[3].verdict == "<= 1.05: met"
    assert figures[4].what == "CPU per task, with traces / as it comes"
    assert (figures[4].value, figures[4].verdict) == ("1.500", "")


def test_many_tasks_in_a_request_are_compared_with_one_turn_by_turn() -> None:
    one, many, ratio = bulk_figures([100.0, 200.0, 100.0], [2000.0, 1000.0, 1500.0])
    assert one.value == "100 tasks/s (median of 3: 100-200)"
    assert many.value == "1500 tasks/s (median of 3: 1000-2000)"
    assert ratio.value == "15.0 (20.0 · 5.0 · 15.0)"
    assert ratio.verdict == ">= 10.0: met"


def test_the_first_tasks_of_a_fresh_worker_are_left_out_of_its_rate() -> None:
    starts = [0.0, *(10.0 + number for number in range(4))]
    tasks = [LedgerTask(str(start), "succeeded", "worker-1", 0.0, start, start + 1) for start in starts]

    assert steady_rate(tasks[::-1]) == 1
