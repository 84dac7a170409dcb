"""The local runner: Conveyor's processes and daemons on one machine, without root or containers."""
