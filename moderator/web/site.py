"""What every page works with, put together once by `app.create_app` and handed to each route."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from moderator.domain.record import Verification
from moderator.ports import Clock
from moderator.steps.drain import Tools
from moderator.store.database import Database
from moderator.store.sign_in import SignIn
from moderator.web.origin import Origin
from moderator.web.pages import Pages

VerifyRecord = Callable[[str], Verification]
"""Checks the record at a place in the vault (`<school>/<yyyy>/<record id>`)."""


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of the app. `verify_record` is None when records are checked by the command line only."""

    database: Database
    tools: Tools
    pages: Pages
    clock: Clock
    origin: Origin
    verify_record: VerifyRecord | None


def _site(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


def _session(request: Request) -> SignIn:
    """Return who is signed in. The gate has refused strangers already; this is the second lock on the same door."""
    found = getattr(request.state, "session", None)
    if not isinstance(found, SignIn):
        raise HTTPException(status_code=401)
    return found


SiteOf = Annotated[Site, Depends(_site)]
SessionOf = Annotated[SignIn, Depends(_session)]
