"""Command line of the local stack."""

import argparse
import os
import sys
from pathlib import Path

from stack.apt import AptError
from stack.client import STORES, client
from stack.commands import clean, down, known_parts, status, supervise
from stack.follow import show_log
from stack.packages import MissingDaemonError, find_daemons
from stack.part import StackError
from stack.ports import PortError, fixed_ports
from stack.service import TopologyError
from stack.supervisor import ROOT, StackConfig
from stack.terminal import RED, Progress, paint
from stack.up import up


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    directory = Path(os.environ.get("CONVEYOR_STATE_DIR") or ROOT / ".stack").resolve()
    try:
        return _run(options, directory)
    except (AptError, MissingDaemonError, PortError, StackError, TopologyError) as error:
        print(paint(f"error: {error}", RED), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of `logs | head` has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace, directory: Path) -> int:
    match options.command:
        case "up":
            # people read this log; tests and clusters get JSON
            os.environ.setdefault("LOG_FORMAT", "console")
            progress = Progress()
            find_daemons(progress)
            return up(directory, fixed_ports(), progress)
        case "supervise":
            parts = tuple(os.environ.get("CONVEYOR_PARTS", "").replace(",", " ").split())
            return supervise(StackConfig(directory, fixed_ports(), find_daemons(print), parts=parts))
        case "logs":
            shown = known_parts(directory, options.parts)
            return show_log(directory / "log", shown, options.lines, follow=not options.no_follow)
        case "client":
            return client(directory, find_daemons(print), options.store, options.arguments)
        case command:
            return {"down": down, "status": status, "clean": clean}[command](directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("up", help="start everything and return when it is ready")
    commands.add_parser("down", help="stop everything, keep the data")
    commands.add_parser("status", help="show each part")
    logs = commands.add_parser("logs", help="follow the log")
    logs.add_argument("parts", nargs="*", metavar="part", help="only these, e.g. api-1 or worker")
    logs.add_argument("-n", "--lines", type=int, default=100, help="lines to begin with (%(default)s)")
    logs.add_argument("--no-follow", action="store_true", help="end after the last line")
    shell = commands.add_parser("client", help="ask Redis or the primary of MySQL, logged in")
    shell.add_argument("store", choices=STORES)
    shell.add_argument("arguments", nargs=argparse.REMAINDER, help="for redis-cli, or mysql")
    commands.add_parser("clean", help="remove the data and the downloaded daemons")
    commands.add_parser("supervise")
    return parser


if __name__ == "__main__":
    sys.exit(main())
