"""Removes rows that nobody needs any more."""
