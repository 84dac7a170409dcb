"""Puts the dashboard into the API."""

from fastapi import FastAPI

from app.dashboard.endpoints import router as endpoints
from app.dashboard.fragments import router as fragments
from app.dashboard.pages import Pages
from app.dashboard.responses import DashboardResponses
from app.dashboard.static_files import Assets
from app.settings import Settings


def install_dashboard(app: FastAPI, settings: Settings) -> None:
    """Add pages, polled fragments and static files; called last, for its answers wrap all others."""
    assets = Assets()
    app.state.pages = Pages(assets, settings.replica_name, settings.prometheus_url)
    app.add_middleware(DashboardResponses, pages=app.state.pages)
    app.include_router(endpoints)
    app.include_router(fragments)
    app.mount("/static", assets, name="static")
