"""Deliveries: how a message and the attempt behind it stay with the worker that runs it."""
