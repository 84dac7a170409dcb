"""The archive of binary logs: what was committed since the last dump, for going back to a chosen second."""
