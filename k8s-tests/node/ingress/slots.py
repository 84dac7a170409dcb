"""Which of HAProxy's fixed servers stands for which endpoint, so that new pods need no reload. Pure."""

from collections.abc import Iterable, Mapping

SLOTS = tuple(f"slot{number}" for number in range(1, 17))
VACANT = "127.0.0.1:1"


def assign(current: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """Return address by slot: endpoints that stay keep their slot, new ones take those that are free."""
    kept = {slot: address for slot, address in current.items() if address in set(wanted)}
    new = sorted(set(wanted) - set(kept.values()))
    free = [slot for slot in SLOTS if slot not in kept]
    return kept | dict(zip(free, new, strict=False))


def commands(backend: str, current: Mapping[str, str], target: Mapping[str, str]) -> list[str]:
    """Return what to tell a running HAProxy; requests under way at a server that goes may end there."""
    told = []
    for slot in SLOTS:
        old, new = current.get(slot), target.get(slot)
        if old == new:
            continue
        server = f"{backend}/{slot}"
        if old:
            told.append(f"set server {server} state maint")
        if new:
            address, _, port = new.rpartition(":")
            told += [f"set server {server} addr {address} port {port}", f"set server {server} state ready"]
    return told
