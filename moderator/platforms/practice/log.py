"""The log of the practice network: one JSON line a request, written before the answer leaves. Called by `server`.

`time` is when the request arrived. A line that a caller's next step can depend on is always there: it is handed to the system before the
first byte of the answer, so neither end being killed afterwards takes it back. Paths come without their query; no token is ever written.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderator.domain.errors import BadInput
from moderator.domain.times import utc_text

NO_ANSWER: Final = 499
"""Status in the log of a request whose caller went away before there was an answer (nginx's number for it)."""


class RequestLog:
    """Appends to a file, or to nothing."""

    def __init__(self, path: Path | None) -> None:
        """Open the file for appending. Raises BadInput when that cannot be done."""
        self._file: TextIO | None = None
        if path is not None:
            try:
                self._file = path.open("a", encoding="utf-8")
            except OSError as error:
                message = f"{path}: cannot be written ({error.strerror})"
                raise BadInput(message) from None

    def line(self, arrived: datetime, method: str, path: str, status: int) -> None:
        """Write one line and hand it to the system."""
        if self._file is not None and not self._file.closed:
            table = {"time": utc_text(arrived), "method": method, "path": path, "status": status}
            self._file.write(json.dumps(table) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; may be repeated."""
        if self._file is not None:
            self._file.close()


class Logged:
    """Wraps the whole network: every request ends in exactly one line."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        """Keep what is wrapped and the log."""
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; write its line before the answer's first byte, or at its end when there was no answer."""
        arrived = datetime.now(UTC)
        written = False

        async def logged(message: Message) -> None:
            nonlocal written
            if message["type"] == "http.response.start":
                written = True
                self._log.line(arrived, scope["method"], scope["path"], message["status"])
            await send(message)

        try:
            await self._app(scope, receive, logged)
        finally:
            if not written:
                self._log.line(arrived, scope["method"], scope["path"], NO_ANSWER)
