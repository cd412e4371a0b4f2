"""Reading a form with files: bounded while it arrives, and never on a disk. Called by the submit page and the roll."""

from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from moderator.domain.errors import BadInput
from moderator.domain.submission import MAX_BYTES, MAX_FILES, MAX_TEXT, Handed

MAX_UPLOAD = MAX_BYTES + 256 * 1024
"""Bytes of the whole form at most: the files, and the words with them."""
MAX_FIELDS = 20
_DRAIN = 4 * MAX_UPLOAD
"""Bytes of a form that is too large which are still taken and thrown away, so that the browser shows our answer, not a broken line."""

TOO_LARGE = f"The files together are too large. Hand in at most {MAX_BYTES // (1024 * 1024)} MB at once."
NOT_A_FORM = "The form did not arrive whole. Please send it again."


class _TooLargeError(Exception):
    """More arrived than a form may have."""


async def read_form(request: Request, *, most: int = 0, too_large: str = TOO_LARGE) -> FormData:
    """Return the form, its files in memory, of `most` bytes (0: MAX_UPLOAD; never more than that).

    Raises BadInput, with `too_large`, when it is larger, and when it is no form. The caller closes it.
    """
    most = min(most or MAX_UPLOAD, MAX_UPLOAD)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        await _drain(request)
        raise BadInput(too_large)
    parser = MultiPartParser(
        request.headers, _bounded(request, most), max_files=MAX_FILES + 1, max_fields=MAX_FIELDS, max_part_size=MAX_TEXT * 4
    )
    parser.spool_max_size = MAX_UPLOAD + 1
    try:
        return await parser.parse()
    except _TooLargeError:
        raise BadInput(too_large) from None
    except (MultiPartException, KeyError) as error:
        raise BadInput(NOT_A_FORM) from error


async def files_of(form: FormData, field: str) -> list[Handed]:
    """Return a field's files. An empty file without a name is a field that nothing was chosen in."""
    found = [each for each in form.getlist(field) if isinstance(each, UploadFile)]
    handed = [Handed(each.filename or "", await each.read()) for each in found]
    return [each for each in handed if each.name or each.content]


def words_of(form: FormData, field: str) -> str:
    """Return what was typed in a field, "" when there is none."""
    value = form.get(field, "")
    return value if isinstance(value, str) else ""


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > most:
            raise _TooLargeError
        yield chunk


async def _drain(request: Request) -> None:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > _DRAIN:
            return
