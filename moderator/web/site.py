"""What every page works with, put together once by `app.create_app` and handed to each route."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException, Request

from moderator.domain.record import Verification
from moderator.ports import Clock, Connector
from moderator.steps.drain import Tools
from moderator.store.database import Database
from moderator.store.sealed import Sealer
from moderator.store.sign_in import SignIn
from moderator.web.origin import Origin
from moderator.web.pages import Pages
from moderator.web.signing_in.oidc_provider import Directory
from moderator.web.signing_in.throttle import Throttle

if TYPE_CHECKING:
    from moderator.build.rolls import Rolls

VerifyRecord = Callable[[str], Verification]
"""Checks the record at a place in the vault (`<school>/<yyyy>/<record id>`)."""


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of the app.

    `verify_record` is None when records are checked by the command line only; `sealer` None when nothing of a person's is sealed.
    `connectors` connect accounts, by platform.
    """

    database: Database
    tools: Tools
    pages: Pages
    clock: Clock
    origin: Origin
    verify_record: VerifyRecord | None
    sealer: Sealer | None = None
    throttle: Throttle = field(default_factory=Throttle)
    providers: tuple[Directory, ...] = ()
    data_dir: Path | None = None
    """Where the ledgers' files lie and a backup says that it was made; None when the app was not told."""
    connectors: Mapping[str, Connector] = field(default_factory=dict)
    rolls: "Rolls | None" = None
    """What imports of a roll work with; None when no key was given."""


def site_of(request: Request) -> Site:
    """Return the parts of the app a request is for."""
    found: Site = request.app.state.site
    return found


def session_of(request: Request) -> SignIn:
    """Return who is signed in. The gate has refused strangers already; this is the second lock on the same door."""
    found = getattr(request.state, "session", None)
    if not isinstance(found, SignIn):
        raise HTTPException(status_code=401)
    return found


async def _site(request: Request) -> Site:
    """Return the same; what only looks something up needs no thread of its own."""
    return site_of(request)


async def _session(request: Request) -> SignIn:
    return session_of(request)


SiteOf = Annotated[Site, Depends(_site)]
SessionOf = Annotated[SignIn, Depends(_session)]
