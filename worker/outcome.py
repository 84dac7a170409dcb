"""How the handling of one message can end."""

from enum import StrEnum


class Outcome(StrEnum):
    """Every message ends as exactly one of these."""

    SUCCEEDED = "succeeded"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"
    # Another attempt has the task now; nothing of this one took effect.
    LOST_LEASE = "lost_lease"
    # The connection broke during COMMIT: the ledger knows, and whoever reads it next finds out.
    UNCERTAIN = "uncertain"
    # The failure could not be written; the lease runs out and the task is run again.
    UNRECORDED = "unrecorded"
    SKIPPED = "skipped"
    # The database cannot be asked who may run the task, so the message goes back to the queue.
    REQUEUED = "requeued"
