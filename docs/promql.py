"""What an expression of PromQL is made of."""

import promql_parser as promql


def nodes(expression: promql.Expr) -> list[promql.Expr]:
    """Return every part of an expression, itself among them."""
    found: list[promql.Expr] = []
    promql.walk(expression, found.append)
    return found


def metric_names(expression: str) -> set[str]:
    """Return the names of the metrics it asks for, those of histograms with their suffix."""
    selectors = (one for one in nodes(promql.parse(expression)) if isinstance(one, promql.VectorSelector))
    return {selector.name for selector in selectors if selector.name}
