from tests.chaos.faults import Done
from tests.chaos.journal import Try, longest_pause
from tests.chaos.meter import increment, parse, total
from tests.chaos.plan import Fault, Kind
from tests.chaos.recovery import Cost, Costs, Ended, Incident, ended_tasks
from tests.chaos.report import Run, markdown_report, renewed, terminal_report
from tests.chaos.verdict import judge
from tests.unit.chaos.orders import effects, order

KILLED = Done(Fault(Kind.WORKER_KILL, 0.0), "worker-1", began=10.0, ended=10.0)
INCIDENT = Incident((KILLED,), began=10.0, settled=20.0)


def ended(sent: float, finished: float, extra_runs: int = 0, started: float = 0.0) -> Ended:
    return Ended(sent, sent + 0.1, finished, extra_runs, started)


def tried(at: float, status: int) -> Try:
    return Try(f"{at}", at - 0.1, at, status)


def cost(tasks: list[Ended], tries: list[Try]) -> Cost:
    return Costs(tasks, tries, lambda begin, end: round(end - begin)).of(INCIDENT, KILLED)


def test_recovery_counts_from_the_fault_to_later_and_to_earlier_tasks() -> None:
    tasks = [ended(8.0, 9.0), ended(9.0, 14.5, extra_runs=1, started=14.0), ended(11.0, 13.0)]
    found = cost(tasks, [])
    assert (found.serving_again, found.caught_up) == (3.0, 4.5)
    assert (found.run_again, found.published_again) == (1, 10)


def test_a_system_that_never_served_again_has_no_time_for_it() -> None:
    assert cost([ended(8.0, 9.0)], []).serving_again is None


def test_only_answers_of_its_own_time_are_charged_to_a_fault() -> None:
    tries = [tried(9.0, 503), tried(11.0, 503), tried(12.0, 0), tried(13.0, 202), tried(21.0, 503)]
    found = cost([], tries)
    assert (found.refused, found.unanswered, found.longest_pause) == (1, 1, 3.0)


def test_a_pause_counts_only_if_somebody_was_refused_meanwhile() -> None:
    assert longest_pause([tried(11.0, 202), tried(18.0, 202)], 10.0, 20.0) == 0.0
    assert longest_pause([tried(11.0, 202), tried(12.0, 503), tried(18.0, 202)], 10.0, 20.0) == 7.0
    assert longest_pause([tried(11.0, 202), tried(12.0, 503)], 10.0, 20.0) == 9.0


def test_tasks_are_joined_from_both_sides() -> None:
    [task] = ended_tasks([order("a"), order("b", 503)], effects("task-a"))
    assert (task.sent, task.accepted, task.finished, task.extra_runs) == (0.0, 0.5, 2.0, 0)
    [task] = ended_tasks([order("a")], effects("task-a", "task-a", stock=True))
    assert task.extra_runs == 1


def test_a_counter_that_begins_anew_is_that_of_a_new_process() -> None:
    assert increment(3, 5) == 2
    assert increment(5, 2) == 2
    text = '# HELP x_total y\nx_total{reason="a"} 2.0\nx_total{reason="b"} 3.0\nx_total_created 9\n'
    assert parse(text, "x_total") == 5
    assert total([(1.0, 2), (5.0, 3)], 4.0, 6.0) == 3


def run(*, lost: bool) -> Run:
    verdict = judge([order("a")], effects(*(() if lost else ("task-a",)), stock=True))
    again = Cost(0.5, 1.0, 0, 0, 4, 0, 2.0), Cost(1.5, 4.0, 1, 2, 0, 3, 0.0)
    costs = [(Kind.API_KILL, again[0]), (Kind.API_KILL, again[1]), (Kind.REDIS_KILL, again[0])]
    return Run("Conveyor", 3, 90.0, 7, 2, verdict, costs, 3)


def test_the_report_has_a_row_per_kind_of_fault_and_one_of_all() -> None:
    lines = markdown_report(run(lost=False)).splitlines()
    assert "| API, kill -9 | 2 | 1.0 / 1.5 | 2.5 / 4.0 | 1 | 2 | 4 | 3 | 2.0 |" in lines
    assert "| Redis, kill -9 | 1 | 0.5 / 0.5 | 1.0 / 1.0 | 0 | 0 | 4 | 0 | 2.0 |" in lines
    assert any(line.startswith("| all | 3 |") for line in lines)
    assert "| lost | 0 |" in lines


def test_the_report_names_what_was_lost() -> None:
    assert "! 1 accepted, but without a product: task-a" in terminal_report(run(lost=True))
    assert "- 1 accepted, but without a product: task-a" in markdown_report(run(lost=True))


def test_a_page_keeps_all_but_the_tables_of_the_system() -> None:
    page = "# Page\n<!-- Conveyor -->\nold\n<!-- end of Conveyor -->\nkept\n"
    report = markdown_report(run(lost=False))
    assert renewed(page, run(lost=False)) == page.replace("old\n", f"\n{report}\n")
    assert renewed("# Another\n", run(lost=False)) == report
