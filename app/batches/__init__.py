"""Batches: several short tasks that take effect in one transaction."""
