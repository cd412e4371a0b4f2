"""A record's own addresses: its picture, its files to keep, and the way from its number to its item. Linked from the item page."""

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.web.need import Need, Visit, of_record
from moderator.web.opened import open_record, read_file
from moderator.web.site import SiteOf

PICTURE = "data/screenshot.png"
_PNG = b"\x89PNG\r\n\x1a\n"
_TYPES = {".json": "application/json", ".txt": "text/plain; charset=utf-8", ".png": "image/png"}
_OTHER = "application/octet-stream"
"""Anything else, the captured page above all, is bytes to keep: a browser never opens it here."""

router = APIRouter()
Sees = Annotated[Visit, Depends(Need(Action.SEE_ITEMS, of_record))]
Record = Annotated[str, Path(pattern=r"^R-[A-Z2-7]{16}$")]
Name = Annotated[str, Path(pattern=r"^(data/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]


@router.get("/records/{record_id}")
def record(site: SiteOf, visit: Sees, record_id: Record) -> Response:
    """Lead from a record's number, as mails and ledgers give it, to its item, or to what was handed in."""
    if site.database.submitted_record(record_id) is not None:
        return RedirectResponse(f"/submitted/{record_id}", status_code=303)
    return RedirectResponse(f"/items/{open_record(site, visit, record_id).work.item.id}", status_code=303)


@router.get("/records/{record_id}/screenshot.png")
def screenshot(site: SiteOf, visit: Sees, record_id: Record) -> Response:
    """Show the record's picture."""
    picture = read_file(site, open_record(site, visit, record_id), PICTURE)
    if not picture.startswith(_PNG):
        raise HTTPException(status_code=404)
    return Response(picture, media_type="image/png")


@router.get("/records/{record_id}/files/{name:path}")
def file(site: SiteOf, visit: Sees, record_id: Record, name: Name) -> Response:
    """Give one file of the record to keep, byte for byte."""
    content = read_file(site, open_record(site, visit, record_id), name)
    plain = PurePosixPath(name)
    headers = {"Content-Disposition": f'attachment; filename="{record_id}-{plain.name}"'}
    return Response(content, media_type=_TYPES.get(plain.suffix, _OTHER), headers=headers)
