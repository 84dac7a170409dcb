"""Attempts: how a worker claims a task, keeps it, and ends it."""
