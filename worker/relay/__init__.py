"""The relay: publishes what was promised and not published, and publishes again what was lost."""
