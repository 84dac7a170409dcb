"""Command line of the local cluster: `python -m node up`, `install`, `down`, `status`, `missing`."""

import argparse
import sys

from node.preflight import missing_packages

COMMANDS = {
    "up": "start the cluster, or say where it is",
    "install": "start the cluster and install Conveyor, or upgrade it",
    "down": "end the cluster and leave nothing",
    "status": "show each machine",
    "missing": "list Debian's packages that the nodes need and this machine lacks",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m node", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text)
    command = parser.parse_args(arguments).command
    if (
        command == "missing"
    ):  # asked before there is a virtual environment, so only the standard library may be needed
        for package in missing_packages():
            print(package)
        return 0
    from node.commands import run

    return run(command)


if __name__ == "__main__":
    sys.exit(main())
