"""Tasks: the ledger of accepted work, seen from the API."""
