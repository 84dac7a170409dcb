"""The version of Conveyor; pyproject.toml says the same, which a test holds to."""

VERSION = "0.1.0"
