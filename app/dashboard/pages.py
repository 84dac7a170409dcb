"""Rendering: templates with what each of them may use."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.dashboard.static_files import Assets
from app.dashboard.wording import ago, duration, title
from app.version import VERSION

TEMPLATES = Path(__file__).parent / "templates"
# No style of its own under our content policy, no interception of the back button; a button being
# disabled for its request stays so while its row is replaced around it.
HTMX_CONFIG = (
    '{"includeIndicatorCSS":false,"history":false,"defaultTimeout":10000,'
    '"morphIgnore":["data-htmx-powered","disabled"]}'
)


class Pages:
    """The templates of one process."""

    def __init__(self, assets: Assets, replica_name: str, prometheus_url: str | None) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=assets.address,
            icon=icon,
            scrollable=scrollable,
            version=VERSION,
            served_by=replica_name,
            prometheus_url=prometheus_url,
            htmx_config=HTMX_CONFIG,
        )
        self._environment.filters.update(ago=ago, duration=duration, title_of=title)

    def render(self, template: str, **values: Any) -> str:  # noqa: ANN401 - templates take what they name
        """Return the text of a template."""
        values.setdefault("now", datetime.now(UTC))
        return self._environment.get_template(template).render(values)


class View:
    """How one request wants its answer: a fragment for htmx, a page for everybody else."""

    def __init__(self, request: Request) -> None:
        pages = request.app.state.pages
        assert isinstance(pages, Pages)  # noqa: S101 - set by install_dashboard
        self._pages = pages
        self._request = request

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asks."""
        return is_htmx(self._request)

    def show(self, template: str, **values: Any) -> HTMLResponse:  # noqa: ANN401 - templates take what they name
        """Answer with a template."""
        role = getattr(self._request.state, "database_role", None)
        return HTMLResponse(self._pages.render(template, database_role=role, **values), HTTPStatus.OK)


def is_htmx(request: Request) -> bool:
    """Tell whether htmx sent the request."""
    return request.headers.get("hx-request") == "true"


def icon(name: str, kind: str = "icon") -> Markup:
    """Return one of the icons of `_icons.html`; the word beside it is what is read aloud."""
    return Markup('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>').format(kind, name)


def scrollable(label: str) -> Markup:
    """Return the attributes by which a keyboard can scroll a table that is wider than the page."""
    return Markup('tabindex="0" role="region" aria-label="{}, table"').format(label)
