"""Building the review app from its parts. Called by the commands that serve it, and by tests."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from moderator.ports import Clock
from moderator.steps.drain import Tools
from moderator.store.database import Database
from moderator.web import health, item, police, records, sign_in, submit, submitted, today
from moderator.web.gate import Gate
from moderator.web.origin import Origin
from moderator.web.pages import Pages
from moderator.web.security import Guard
from moderator.web.site import Site, VerifyRecord
from moderator.web.trouble import add_handlers

PAGES = (health, sign_in, today, item, police, records, submit, submitted)
"""The modules whose `router` the app serves. A new page is a new module here; the gate asks for a session before any of it runs."""


def create_app(  # noqa: PLR0913 - the parts, named once
    *,
    database: Database,
    tools: Tools,
    templates: Path,
    clock: Clock,
    base_url: str,
    verify_record: VerifyRecord | None = None,
) -> FastAPI:
    """Return the app.

    `templates` is the folder that holds `web/`; `base_url` the address people type, without a path; `verify_record` checks the record at
    a place in the vault on each view of its item, so it should take well under a second.
    Raises BadInput when the templates are missing or the address cannot be used. Opens nothing and starts nothing.
    """
    pages = Pages(templates)
    site = Site(database, tools, pages, clock, Origin.of(base_url), verify_record)
    app = FastAPI(title="moderator", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.site = site
    for page in PAGES:
        app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=pages.static))
    add_handlers(app, pages)
    app.add_middleware(Gate, site=site)
    app.add_middleware(Guard, origin=site.origin, pages=pages)
    return app
