"""The outbox: what has to be published, and published again."""
