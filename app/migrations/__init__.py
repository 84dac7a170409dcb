"""Migrations of the schema, run once per release by `python -m app.migrations`."""
