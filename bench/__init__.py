"""Latency, throughput and memory of a whole system on one machine, and what limits them."""
