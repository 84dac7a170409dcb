"""Several short tasks of one kind, executed in one transaction."""
