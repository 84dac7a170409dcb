"""Traces: one from a request through its task's message to the statements of the worker, if they are on."""
