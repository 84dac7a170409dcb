"""Who did how well: ratios turn by turn, tables and pictures of a contest."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.charts import Bar, bar_chart
from bench.contest.contender import WORKER
from bench.contest.conveyor import GROUPS as OWN_GROUPS
from bench.contest.conveyor import NAME
from bench.contest.noop import NoopFigures
from bench.contest.peer_system import GROUPS as PEER_GROUPS
from bench.contest.turn import Turn
from bench.results import Chart, Figure, Table
from bench.usage import Load

STOCK = "celery"
Turns = Mapping[str, Sequence[Turn]]
Value = Callable[[Turn], float]
COLUMNS = ("worker", "API", "Redis", "mysqld", "HAProxy", "relays")
LEAST_RATE, MOST_CPU, LEAST_REQUESTS, MOST_P99, LEAST_NOOPS = 1.5, 0.5, 1.0, 1.0, 2.0


def cpu_per_thousand(name: str, load: Load) -> dict[str, float]:
    """Return the CPU seconds per 1,000 tasks of each kind of process that took part."""
    groups = OWN_GROUPS if name == NAME else PEER_GROUPS
    columns = dict.fromkeys(COLUMNS, 0.0)
    for group, seconds in load.by_group().items():
        if group in groups:
            columns[groups[group]] += seconds / load.tasks * 1000
    return columns


def worker_cpu(name: str, turn: Turn) -> float:
    return cpu_per_thousand(name, turn.working)[WORKER]


def figures_of(turns: Turns) -> list[Figure]:
    """Compare Conveyor with the best peer and with stock Celery, each turn with its own."""
    counts = sorted({turn.processes for turn in turns[NAME]})
    figures = []
    for processes in counts:
        workers = f"{processes} worker process{'es' if processes > 1 else ''}"
        rate = _ratios(turns, lambda turn: turn.tasks_per_second, max, processes)
        costs = _against(turns, STOCK, worker_cpu, processes)
        figures += [
            _judged(f"tasks/s, {workers}, Conveyor / best peer", rate, least=LEAST_RATE),
            _judged(f"worker CPU per task, {workers}, Conveyor / stock Celery", costs, most=MOST_CPU),
        ]
    requests = _against(turns, STOCK, lambda _, turn: turn.requests_per_second)
    slowest = _against(turns, STOCK, lambda _, turn: turn.milliseconds.p99)
    return [
        *figures,
        _judged("requests/s, Conveyor / stock Celery", requests, least=LEAST_REQUESTS),
        _judged("p99 of a request, Conveyor / stock Celery", slowest, most=MOST_P99),
    ]


def noop_figures(noops: NoopFigures) -> list[Figure]:
    figures = [Figure("tasks that do nothing per CPU second of a worker: stock Celery", spread(noops.stock))]
    for how, own in (("in batches", noops.batched), ("one by one", noops.alone)):
        ratios = [mine / theirs for mine, theirs in zip(own, noops.stock, strict=True)]
        figures += [
            Figure(f"Conveyor, {how}", spread(own)),
            _judged(f"Conveyor, {how} / stock Celery", ratios, least=LEAST_NOOPS),
        ]
    return figures


def tables_of(turns: Turns, parallel: Mapping[str, str]) -> list[Table]:
    return [
        Table("Peers: waiting tasks worked off", _work_rows(turns, parallel)),
        Table("Peers: requests accepted", _request_rows(turns)),
    ]


def charts_of(turns: Turns) -> list[Chart]:
    counts = sorted({turn.processes for turn in turns[NAME]})
    pictures: Sequence[tuple[str, str, Callable[[str, Turn], float], Sequence[int | None], int]] = (
        (
            "peers-tasks.svg",
            "Tasks per second, each a committed row",
            lambda _, t: t.tasks_per_second,
            counts,
            0,
        ),
        ("peers-cpu.svg", "CPU seconds of the worker per 1,000 tasks", worker_cpu, counts, 2),
        # while requests are accepted no worker runs
        ("peers-requests.svg", "Requests accepted per second", lambda _, t: t.requests_per_second, [None], 0),
    )
    return [
        Chart(
            file,
            title,
            bar_chart(title, [bar for count in wanted for bar in _bars(turns, value, count)], digits),
        )
        for file, title, value, wanted, digits in pictures
    ]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Show the middle, the least and the most."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def _bars(turns: Turns, value: Callable[[str, Turn], float], processes: int | None) -> list[Bar]:
    bars = []
    for name, played in turns.items():
        values = [value(name, turn) for turn in played if processes in {None, turn.processes}]
        label = f"{name}, {processes} worker" if processes else name
        bars.append(Bar(label, min(values), median(values), max(values), own=name == NAME))
    return bars


def _ratios(turns: Turns, value: Value, best: Callable[..., float], processes: int) -> list[float]:
    rounds = zip(*turns.values(), strict=True)
    names = list(turns)
    ratios = []
    for played in rounds:
        by_name = dict(zip(names, played, strict=True))
        own = by_name.pop(NAME)
        if own.processes == processes:
            ratios.append(value(own) / best(map(value, by_name.values())))
    return ratios


def _against(
    turns: Turns, other: str, value: Callable[[str, Turn], float], processes: int | None = None
) -> list[float]:
    pairs = zip(turns[NAME], turns[other], strict=True)
    return [
        value(NAME, own) / value(other, theirs) for own, theirs in pairs if processes in {None, own.processes}
    ]


def _judged(what: str, ratios: Sequence[float], least: float = 0, most: float = 0) -> Figure:
    middle = median(ratios)
    met = middle >= least if least else middle <= most
    value = f"{middle:.2f} (turn by turn {' · '.join(f'{ratio:.2f}' for ratio in ratios)})"
    return Figure(what, value, f">= {least}" if least else f"<= {most}", met=met)


def _work_rows(turns: Turns, parallel: Mapping[str, str]) -> list[list[str]]:
    costs = [f"{column} CPU s/1,000" for column in COLUMNS if column != "API"]
    head = ["contender", "worker processes", "tasks/s", *costs]
    rows = [[*head, "Redis commands per task", "transactions per task", "lost · doubled"]]
    for processes in sorted({turn.processes for turn in turns[NAME]}):
        for name, played in turns.items():
            chosen = [turn for turn in played if turn.processes == processes]
            cpu = [cpu_per_thousand(name, turn.working) for turn in chosen]
            each = parallel.get(name, "2 children")
            rows.append([
                name,
                f"{processes} of {each}",
                spread([turn.tasks_per_second for turn in chosen]),
                *(spread([one[column] for one in cpu], 2) for column in COLUMNS if column != "API"),
                f"{median(turn.commands_per_task for turn in chosen):.1f}",
                f"{median(turn.transactions_per_task for turn in chosen):.2f}",
                f"{sum(turn.lost for turn in chosen)} · {sum(turn.doubled for turn in chosen)}",
            ])  # fmt: skip
    return rows


def _request_rows(turns: Turns) -> list[list[str]]:
    costs = [f"{column} CPU s/1,000" for column in ("API", "Redis", "mysqld", "HAProxy")]
    rows = [
        [
            "contender",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "other answers",
            *costs,
            "load generator, share of a core",
        ]
    ]
    for name, played in turns.items():
        cpu = [cpu_per_thousand(name, turn.accepting) for turn in played]
        rows.append([
            name,
            spread([turn.requests_per_second for turn in played]),
            spread([turn.milliseconds.p50 for turn in played], 1),
            spread([turn.milliseconds.p99 for turn in played], 1),
            str(sum(turn.wrong_answers for turn in played)),
            *(spread([one[column] for one in cpu], 2) for column in ("API", "Redis", "mysqld", "HAProxy")),
            f"{median(turn.generator_share for turn in played):.0%}",
        ])  # fmt: skip
    return rows
