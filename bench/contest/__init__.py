"""Conveyor and what people would pick instead, on the same machine and the same work."""
