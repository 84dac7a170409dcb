"""Problems as a person needs them: what happened, and what to do."""

from dataclasses import dataclass
from typing import Self

from app.problems import Problem

TITLES = {
    403: "Not from here",
    404: "Not found",
    409: "Too late",
    422: "That does not fit",
    503: "The database cannot take this now",
}
CURES = {
    403: "Open the dashboard itself and press the button there.",
    404: "Check the address, or start again from the dashboard.",
    409: "Reload the task to see its state.",
    413: "Send less at a time.",
    422: "Correct what is named above and try again.",
    503: "A new primary is usually elected within ten seconds. Press the button again then: "
    "repeating it is safe, the work is done once.",
}
READ_CURE = "This page asks again by itself. A new primary is usually elected within ten seconds."
UNFORESEEN_CURE = "Try again. If it stays, look for the request below in the log of the API."


@dataclass(frozen=True)
class ProblemWords:
    """A problem in words."""

    status: int
    title: str
    detail: str
    cure: str

    @classmethod
    def of(cls, problem: Problem, method: str) -> Self:
        """Put a problem into words."""
        status = problem.status
        cure = CURES.get(status, UNFORESEEN_CURE)
        return cls(
            status=status,
            title=TITLES.get(status, problem.title),
            detail=_invalid_input(problem) or problem.detail,
            cure=READ_CURE if (status, method) == (503, "GET") else cure,
        )


def _invalid_input(problem: Problem) -> str | None:
    if not problem.errors:
        return None
    return "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in problem.errors if error.get("loc"))
