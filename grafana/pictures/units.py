"""Figures with their units, as short as they can be read."""

import math

TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
COUNTS = ((1e9, " G"), (1e6, " M"), (1e4, " k"), (1.0, ""))
PER_SECOND = {"ops": "/s", "reqps": "/s"}


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """Return a value as people write it."""
    if not math.isfinite(value):
        return "-"
    if unit == "percentunit":
        return f"{_number(value * 100, decimals)} %"
    if unit == "s":
        return _scaled(value, TIMES, decimals)
    if unit == "bytes":
        return _scaled(value, BYTES, decimals)
    if unit in PER_SECOND:
        return f"{_number(value, decimals)} {PER_SECOND[unit]}"
    size, suffix = next(((size, suffix) for size, suffix in COUNTS if abs(value) >= size), (1.0, ""))
    return f"{_number(value / (1000 if suffix == ' k' else size), decimals)}{suffix}"


def _scaled(value: float, scale: tuple[tuple[float, str], ...], decimals: int | None) -> str:
    if value == 0:
        return f"0 {'s' if scale is TIMES else 'B'}"
    size, name = next(((size, name) for size, name in scale if abs(value) >= size), scale[-1])
    return f"{_number(value / size, decimals)} {name}"


def _number(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    digits = max(0, 2 - int(math.log10(abs(value)))) if value else 0
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
