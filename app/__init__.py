"""The Conveyor API: accepts tasks, shows them, and owns the ledger they are kept in."""
