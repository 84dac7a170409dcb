"""Ending in order: what tells a program to end interrupts it, so that what it started is stopped."""

import signal

EXIT_CODE = 130


def interrupt_at_signals() -> None:
    """Have SIGTERM and SIGHUP raise KeyboardInterrupt, with the signal's name, as Ctrl-C does."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)


def _interrupt(signum: int, _: object) -> None:
    raise KeyboardInterrupt(signal.Signals(signum).name)


def describe(interrupt: KeyboardInterrupt) -> str:
    """Return a line for whoever interrupted it."""
    return f"interrupted{f' by {interrupt}' if interrupt.args else ''}; all is stopped"
