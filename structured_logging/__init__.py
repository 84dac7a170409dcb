"""The log of every process: JSON, an object per line, without secrets and payloads, or coloured text."""
