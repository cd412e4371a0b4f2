"""`/healthz`: whether the app can read its database. For the machine's own watchman; it tells nothing else."""

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from moderator.web.need import open_to_all
from moderator.web.site import SiteOf

router = APIRouter()


@router.get("/healthz")
@open_to_all
def healthz(site: SiteOf) -> PlainTextResponse:
    """Answer `ok`; the guard turns a database that does not answer into a 503."""
    with site.database.reading() as connection:
        connection.execute(sa.text("SELECT 1"))
    return PlainTextResponse("ok")
