"""The worker: takes messages from Redis, runs tasks under the ledger's rules, and relays the outbox."""
