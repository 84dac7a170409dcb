"""A run of many failures, each under load and with a verdict of its own."""

import time
from collections.abc import Callable, Mapping

from tests.failover import disks, faults
from tests.failover.network import CLIENTS
from tests.failover.plan import Fault, Kind
from tests.failover.system import NOTHING_UNUSUAL, SMALL_DISK, Outcome, System
from tests.failover.verdict import Expected
from tests.stack.mysql_group import ORDINALS

Deed = Callable[[System, Fault], None]
# longer than it takes a member to suspect another one and to expel it
NOTICED_SECONDS = 8.0


def carry_out(system: System, fault: Fault) -> Outcome:
    """Do one thing to the system, wait until it is whole again and judge."""

    def deed() -> None:
        DEEDS[fault.kind](system, fault)
        if fault.kind.is_noticed_late:
            time.sleep(NOTICED_SECONDS)

    return endured(system, fault.kind.value, deed, Expected(reads_refused=fault.kind.leaves_nobody))


def endured(
    system: System, case: str, deed: Callable[[], None], expected: Expected = NOTHING_UNUSUAL
) -> Outcome:
    """Return what something cost that is done under load; a broken promise is told there.

    Raises:
        AssertionError: the system did not become whole again.
    """
    before = len(system.outcomes)
    try:
        with system.under_load(case, expected):
            deed()
    except AssertionError:
        if len(system.outcomes) == before:
            raise
    return system.outcomes[-1]


def _kill_primary(system: System, _: Fault) -> None:
    faults.kill(system, faults.primary(system))


def _kill_primary_again(system: System, _: Fault) -> None:
    faults.kill_again(system, faults.primary(system))


def _stop_primary(system: System, _: Fault) -> None:
    faults.hand_over(system, faults.primary(system))


def _freeze_primary(system: System, fault: Fault) -> None:
    faults.freeze(system, faults.primary(system), fault.seconds)


def _cut_primary(system: System, fault: Fault) -> None:
    with faults.isolated(system, faults.primary(system), from_clients=False):
        time.sleep(fault.seconds)


def _lose_primary(system: System, fault: Fault) -> None:
    with faults.isolated(system, faults.primary(system)):
        time.sleep(fault.seconds)


def _primary_unheard(system: System, fault: Fault) -> None:
    _drop(system, fault, faults.primary(system), _replica(system, fault))


def _replica_unheard(system: System, fault: Fault) -> None:
    _drop(system, fault, _replica(system, fault), faults.primary(system))


def _drop(system: System, fault: Fault, source: int, target: int) -> None:
    with system.network.without((system.group.server(source), system.group.server(target))):
        time.sleep(fault.seconds)


def _mute_primary(system: System, fault: Fault) -> None:
    with system.network.without((system.group.server(faults.primary(system)), CLIENTS)):
        time.sleep(fault.seconds)


def _lose_replica(system: System, fault: Fault) -> None:
    with faults.isolated(system, _replica(system, fault)):
        time.sleep(fault.seconds)


def _fill_disk(system: System, fault: Fault) -> None:
    disks.make_primary(system, SMALL_DISK)
    with disks.full(system):
        time.sleep(fault.seconds)
        faults.kill(system, SMALL_DISK)
        faults.successor(system, SMALL_DISK)


def _kill_replica(system: System, fault: Fault) -> None:
    faults.kill(system, _replica(system, fault))


def _stop_replica(system: System, fault: Fault) -> None:
    faults.hand_over(system, _replica(system, fault))


def _freeze_replica(system: System, fault: Fault) -> None:
    faults.freeze(system, _replica(system, fault), fault.seconds)


def _cut_replica(system: System, fault: Fault) -> None:
    with faults.isolated(system, _replica(system, fault), from_clients=False):
        time.sleep(fault.seconds)


def _wipe(system: System, fault: Fault) -> None:
    disks.wipe(system, _replica(system, fault) if fault.seconds > 15 else faults.primary(system))


def _copy(system: System, fault: Fault) -> None:
    disks.expire_binary_logs(system)
    disks.wipe(system, _replica(system, fault))


def _kill_two(system: System, fault: Fault) -> None:
    faults.kill(system, faults.primary(system), _replica(system, fault))


def _kill_all(system: System, _: Fault) -> None:
    faults.kill(system, *ORDINALS)


def _stop_all(system: System, fault: Fault) -> None:
    group, others = system.group, faults.replicas(system)
    with group.held_down(group.server(faults.primary(system))):
        faults.kill(system, *others)
        time.sleep(fault.seconds)


def _kill_agents(system: System, _: Fault) -> None:
    for ordinal in ORDINALS:
        system.stack.service(system.group.agent(ordinal)).kill()


def _hold_lock(system: System, fault: Fault) -> None:
    with faults.lock_held(system):
        faults.kill(system, *ORDINALS)
        time.sleep(fault.seconds)


def _roll(system: System, _: Fault) -> None:
    faults.roll(system)


def _replica(system: System, fault: Fault) -> int:
    return faults.replicas(system)[fault.number]


DEEDS: Mapping[Kind, Deed] = {
    Kind.PRIMARY_KILL: _kill_primary,
    Kind.PRIMARY_KILL_AGAIN: _kill_primary_again,
    Kind.PRIMARY_STOP: _stop_primary,
    Kind.PRIMARY_FREEZE: _freeze_primary,
    Kind.PRIMARY_CUT: _cut_primary,
    Kind.PRIMARY_LOST: _lose_primary,
    Kind.PRIMARY_UNHEARD: _primary_unheard,
    Kind.PRIMARY_MUTE: _mute_primary,
    Kind.PRIMARY_FULL: _fill_disk,
    Kind.REPLICA_KILL: _kill_replica,
    Kind.REPLICA_STOP: _stop_replica,
    Kind.REPLICA_FREEZE: _freeze_replica,
    Kind.REPLICA_CUT: _cut_replica,
    Kind.REPLICA_LOST: _lose_replica,
    Kind.REPLICA_UNHEARD: _replica_unheard,
    Kind.DISK_WIPE: _wipe,
    Kind.DISK_COPY: _copy,
    Kind.TWO_KILL: _kill_two,
    Kind.ALL_KILL: _kill_all,
    Kind.ALL_STOP: _stop_all,
    Kind.AGENTS_KILL: _kill_agents,
    Kind.LOCK_HELD: _hold_lock,
    Kind.ROLL: _roll,
}
