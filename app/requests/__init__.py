"""The log of requests: who answered what, and which tasks were done."""
