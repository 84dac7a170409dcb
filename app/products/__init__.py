"""Products: what the tasks make."""
