"""Python's collector of cycles, kept from looking again and again at what stays."""

import gc

# 700 by default, which a few requests at once go beyond though they leave no cycles behind.
THRESHOLD = 10_000


def pass_over_what_is_loaded() -> None:
    """Leave all objects that exist now alone from here on, and look less often at those that come."""
    gc.freeze()
    gc.set_threshold(THRESHOLD)
