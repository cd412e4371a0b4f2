"""Connecting an account to its platform, and back: what is asked in plain words, the platform's own page, and whose account it was.

1. `/accounts/N/connect` says what will be asked for. Its button begins an errand, whose secret stays here, encrypted.
2. The next page has one link, to the platform. Nothing left this machine before the person follows it.
3. The platform sends the browser back to `/connect/<platform>/back`, across sites and so without our cookie. That page changes nothing
   and shows one button: a mail scanner or another site that opens it gains nothing.
4. The button posts to `/accounts/N/connected`, with the cookie. The same person must be signed in as began it, once, within ERRAND.
"""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from moderator.domain.access import Action
from moderator.domain.account import Account
from moderator.domain.connecting import Way
from moderator.domain.errors import BadInput, ModeratorError, RateLimited, Refused, Transient
from moderator.observe import happened, went_wrong
from moderator.ports import Connector, Token
from moderator.store import account_acts, accounts, authorising
from moderator.store.sealed import Sealer
from moderator.web.accounts import page as account_page
from moderator.web.accounts_facts import shown, standing_of
from moderator.web.accounts_form import MOST_LINE, as_sentence
from moderator.web.need import LARGEST, Need, Visit, of_account, open_to_all
from moderator.web.noted import synced
from moderator.web.site import Site, SiteOf

router = APIRouter()

ERRAND = timedelta(minutes=15)
"""How long a person has on the platform's page (our choice): time to find the school's password and its second step."""

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Connects = Annotated[Visit, Depends(Need(Action.CONNECT_ACCOUNT, of_account))]

_STATE = re.compile(r"(?P<account>[1-9][0-9]{0,9})\.(?P<secret>[A-Za-z0-9_-]{20,100})")

NOT_YOURS = "This way back does not fit. It works once, within 15 minutes, and for the person who began it. Connect the account again."
NOT_SET_UP = "Its platform is not set up for this service. Ask your IT lead."
SAID_NO = "You said no on the platform's page, so nothing was connected."
AWAY = "The platform could not be reached. Nothing was connected. Wait a minute, then try again."


def back_address(site: Site, platform: str) -> str:
    """Return the address that a platform sends people back to; it must be registered there, to the letter."""
    return f"{site.origin.text}/connect/{platform}/back"


def _parts(site: Site, account_id: int) -> tuple[Account, Connector, Sealer]:
    """Return an account with its connector. Raises Refused when its platform is not set up."""
    account = standing_of(site, account_id).account
    connector = site.connectors.get(account.platform)
    if connector is None or site.sealer is None:
        raise Refused(NOT_SET_UP)
    return account, connector, site.sealer


@router.get("/accounts/{account_id}/connect")
def explain(site: SiteOf, visit: Connects, account_id: Number) -> Response:
    """Say what connecting asks for, before anybody leaves or types anything."""
    try:
        return _page(site, visit, account_id)
    except Refused as error:
        return account_page(site, visit, account_id, problem=str(error), status=409)


@router.post("/accounts/{account_id}/connect")
async def begin(request: Request, site: SiteOf, visit: Connects, account_id: Number) -> Response:
    """Begin: a page with the link to the platform; or, where a person types what the platform gave them, connect at once."""
    form = await request.form()
    given = {name: value.strip() for name, value in form.items() if isinstance(value, str) and len(value) <= MOST_LINE}
    return await run_in_threadpool(_begin, site, visit, account_id, given)


def _begin(site: Site, visit: Visit, account_id: int, given: dict[str, str]) -> Response:
    try:
        account, connector, sealer = _parts(site, account_id)
    except Refused as error:
        return account_page(site, visit, account_id, problem=str(error), status=409)
    if connector.plan.way is Way.TYPED:
        missing = next((field for field in connector.plan.fields if not given.get(field.name)), None)
        if missing is not None:
            return _page(site, visit, account_id, problem=f"Fill in: {missing.label}.")
        return _finish(site, visit, account, {}, given)
    leaving = connector.begin(redirect_uri=back_address(site, account.platform))
    now = site.clock.now()
    with site.database.unit() as unit:
        authorising.forget_ended(unit.connection, at=now)
        secret = authorising.begin(
            unit.connection, sealer, payload=leaving.payload, account_id=account.id, session=_bound_to(visit), expires_at=now + ERRAND
        )
    return _page(site, visit, account_id, leave_to=f"{leaving.url}&state={account.id}.{secret}")


def _bound_to(visit: Visit) -> str:
    """Return who an errand is for. The person, not the session: signing in again on the way is no reason to begin anew."""
    return f"person-{visit.acting.person.id}"


@router.get("/connect/{platform}/back")
@open_to_all
def back(
    site: SiteOf,
    platform: str,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show one button. Reads nothing and changes nothing: anybody's browser may be sent here by anybody."""
    found = _STATE.fullmatch(state)
    if platform not in site.connectors or found is None:
        raise HTTPException(status_code=404)
    return site.pages.html(
        "connect_back",
        called=site.connectors[platform].plan.called,
        account_id=found["account"],
        state=state,
        code="" if error else code,
    )


@router.post("/accounts/{account_id}/connected")
def connected(
    *, site: SiteOf, visit: Connects, account_id: Number, state: Annotated[str, Form()] = "", code: Annotated[str, Form()] = ""
) -> Response:
    """Use the errand up and connect, then show the account (303). Another person's errand, an old or a used one is refused (409)."""
    try:
        account, _, sealer = _parts(site, account_id)
    except Refused as error:
        return account_page(site, visit, account_id, problem=str(error), status=409)
    found = _STATE.fullmatch(state)
    errand = None
    if found is not None and int(found["account"]) == account_id:
        with site.database.unit() as unit:
            errand = authorising.finish(unit.connection, sealer, found["secret"], at=site.clock.now())
    if errand is None or errand[1:] != (account_id, _bound_to(visit)):
        went_wrong("connect_refused", account=account_id)
        return _page(site, visit, account_id, problem=NOT_YOURS, status=409)
    if not code:
        return _page(site, visit, account_id, problem=SAID_NO)
    return _finish(site, visit, account, errand[0], {"code": code})


def _finish(site: Site, visit: Visit, account: Account, payload: dict[str, str], given: dict[str, str]) -> Response:
    """Get the token, ask the platform whose it is, and only then store it; a token that is not the account's is given back."""
    _, connector, sealer = _parts(site, account.id)
    try:
        token = connector.finish(payload, given)
        _keep(site, visit, account, connector, sealer, token)
    except (RateLimited, Transient) as error:
        went_wrong("connect_failed", account=account.id, error=type(error).__name__)
        return _page(site, visit, account.id, problem=AWAY, status=503)
    except ModeratorError as error:
        went_wrong("connect_failed", account=account.id, error=type(error).__name__)
        return _page(site, visit, account.id, problem=as_sentence(error))
    synced(site, visit.school.slug)
    site.tools.dispatcher.wake("poll")
    happened("account_connected", account=account.id)
    return RedirectResponse(f"/accounts/{account.id}?done=connected", status_code=303)


def _keep(  # noqa: PLR0913, PLR0917 - what a connection is made of
    site: Site, visit: Visit, account: Account, connector: Connector, sealer: Sealer, token: Token
) -> None:
    try:
        platform_id, token = connector.whose(account, token)
        with site.database.unit() as unit:
            account_acts.connect(unit, sealer, account, token=token, platform_id=platform_id, by=visit.actor, at=site.clock.now())
    except ModeratorError:
        _give_back(connector, token, account)
        raise


def _give_back(connector: Connector, token: Token, account: Account) -> None:
    """Ask the platform to end a token. It is not stored here any more, so a platform that does not answer is no reason to stop."""
    try:
        connector.revoke(token)
    except ModeratorError as error:
        went_wrong("token_not_revoked", account=account.id, error=type(error).__name__)


@router.post("/accounts/{account_id}/disconnect")
def disconnect(site: SiteOf, visit: Connects, account_id: Number) -> Response:
    """Throw the account's token away, ask the platform to end it, then show the account (303)."""
    account = standing_of(site, account_id).account
    connector, token = site.connectors.get(account.platform), _token(site, account_id)
    with site.database.unit() as unit:
        account_acts.disconnect(unit, account, by=visit.actor, at=site.clock.now())
    if token is not None and connector is not None:
        _give_back(connector, token, account)
    synced(site, visit.school.slug)
    return RedirectResponse(f"/accounts/{account_id}?done=disconnected", status_code=303)


def _token(site: Site, account_id: int) -> Token | None:
    """Return an account's token; None too when no key opens it any more: then nobody can use it, and it goes."""
    if site.sealer is None:
        return None
    with suppress(BadInput):
        return accounts.token_of(site.database.engine, site.sealer, account_id)
    return None


def _page(  # noqa: PLR0913 - the page's state
    site: Site, visit: Visit, account_id: int, *, problem: str = "", leave_to: str = "", status: int = 0
) -> Response:
    account, connector, _ = _parts(site, account_id)
    return site.pages.html(
        "connect",
        status=status or (400 if problem else 200),
        visit=visit,
        section="accounts",
        each=shown(site, standing_of(site, account_id)),
        account=account,
        plan=connector.plan,
        typed_here=connector.plan.way is Way.TYPED,
        leave_to=leave_to,
        problem=problem,
        minutes=int(ERRAND.total_seconds() // 60),
    )
