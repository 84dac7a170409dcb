"""Clients that load the system, each in a process of its own so that measuring does not slow them."""
