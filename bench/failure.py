"""The one error that ends a benchmark."""


class BenchError(Exception):
    """A figure could not be measured, or the system did something wrong; the message says which and why."""
