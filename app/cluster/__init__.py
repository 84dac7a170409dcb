"""The state of the whole system, as one answer."""
