"""Building the review app from its parts. Called by the commands that serve it, and by tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute

from moderator.ports import Clock, Connector
from moderator.steps.drain import Tools
from moderator.store.database import Database
from moderator.store.sealed import Sealer
from moderator.web import (
    accounts,
    accounts_ask,
    accounts_decide,
    activity,
    alerts,
    concerns,
    connect,
    delegation,
    digests,
    health,
    health_page,
    house_rules,
    item,
    mail_wishes,
    mail_words,
    people,
    people_designate,
    people_end,
    people_own,
    people_person,
    police,
    policy_change,
    policy_page,
    preview,
    readers,
    records,
    records_list,
    rehearse,
    roll,
    roll_preview,
    routes_page,
    sign_in,
    submit,
    submitted,
    today,
    trustees,
)
from moderator.web.api import AT, create_api
from moderator.web.gate import Gate
from moderator.web.need import needs_of, paths_open_to_all
from moderator.web.origin import Origin
from moderator.web.pages import Pages
from moderator.web.security import Guard
from moderator.web.signing_in import enrol, invited, oidc, oidc_forget, own, passkey, passkey_adding, password, prove, set_up
from moderator.web.signing_in.answers import add_sign_in_handlers
from moderator.web.signing_in.oidc_provider import Directory, Provider
from moderator.web.site import Site, VerifyRecord
from moderator.web.trouble import add_handlers

if TYPE_CHECKING:
    from moderator.build.rolls import Rolls

PAGES = (
    health,
    password,
    prove,
    own,
    enrol,
    set_up,
    invited,
    oidc,
    oidc_forget,
    passkey,
    passkey_adding,
    today,
    item,
    alerts,
    concerns,
    police,
    readers,
    records,
    submit,
    submitted,
    accounts,
    accounts_ask,
    accounts_decide,
    connect,
    records_list,
    preview,  # before digests, whose address has a day where this has a word
    digests,
    mail_words,
    activity,
    health_page,
    trustees,
    people,
    people_designate,  # before people_person, whose address has a number where this has a word
    people_person,
    people_end,
    people_own,
    mail_wishes,
    routes_page,
    rehearse,
    delegation,
    house_rules,
    sign_in,  # its link is any word below /sign-in/, so it comes after the pages there
    roll,
    roll_preview,
    policy_page,
    policy_change,
)
"""The modules whose `router` the app serves. A new page is a new module here; the gate asks for a session before any of it runs."""


def every_route() -> tuple[BaseRoute, ...]:
    """Return the routes of every page."""
    return tuple(route for page in PAGES for route in page.router.routes)


def create_app(  # noqa: PLR0913 - the parts, named once
    *,
    database: Database,
    tools: Tools,
    templates: Path,
    clock: Clock,
    base_url: str,
    verify_record: VerifyRecord | None = None,
    sealer: Sealer | None = None,
    providers: Sequence[Provider] = (),
    connectors: Mapping[str, Connector] | None = None,
    data_dir: Path | None = None,
    rolls: "Rolls | None" = None,
) -> FastAPI:
    """Return the app.

    `templates` is the folder that holds `web/`; `base_url` the address people type, without a path; `verify_record` checks the record at
    a place in the vault on each view of its item, so it should take well under a second.
    `sealer` encrypts what is a person's own (codes, tokens); a real service has one.
    `providers` are the identity providers by which people may sign in as well (OIDC); `connectors` connect accounts, by platform.
    `data_dir` is the folder of the ledgers' files, for the Health page; `rolls` what an import of the roll works with.
    Raises BadInput when the templates are missing or the address cannot be used, and LookupError for a route that does not say who may
    open it. Opens nothing and starts nothing.
    """
    pages = Pages(templates)
    directories = tuple(Directory(each) for each in providers)
    site = Site(
        database,
        tools,
        pages,
        clock,
        Origin.of(base_url),
        verify_record,
        sealer,
        providers=directories,
        connectors=connectors or {},
        data_dir=data_dir,
        rolls=rolls,
    )
    routes = every_route()
    # As they are: included, each would be looked through anew for every app, which takes longer than all the rest of a start.
    app = FastAPI(title="moderator", routes=[*routes], openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.site = site
    needs_of(routes)
    app.mount(AT, create_api(site))
    app.mount("/static", StaticFiles(directory=pages.static))
    add_handlers(app, pages)
    add_sign_in_handlers(app, pages)
    app.add_middleware(Gate, site=site, open_to_all=paths_open_to_all(routes))
    app.add_middleware(Guard, origin=site.origin, pages=pages)
    return app
