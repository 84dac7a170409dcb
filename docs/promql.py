"""Which metrics an expression of PromQL asks for."""

import re

TEXTS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
SELECTORS = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
LABEL_LISTS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
# A name before a parenthesis is a function's; one after a digit is a duration's unit.
NAMES = re.compile(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?![\w:]|\s*\()")
OPERATORS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "group_left", "group_right"}


def metric_names(expression: str) -> set[str]:
    """Return the names of the metrics, those of histograms with their suffix."""
    for part in (TEXTS, SELECTORS, LABEL_LISTS):
        expression = part.sub(" ", expression)
    return {name for name in NAMES.findall(expression) if name.lower() not in OPERATORS}
