"""The dashboard: the whole system on one page, rendered here, refreshed by htmx, usable without it."""
