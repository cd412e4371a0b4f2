"""A fresh proof: whoever does a sensitive act has shown who they are within FRESH. Named as a dependency by the routes of such acts."""

from datetime import timedelta
from urllib.parse import quote

from fastapi import Request

from moderator.web.site import session_of, site_of

FRESH = timedelta(minutes=30)
"""How long a proof holds for designations, approvals, the policy, passkeys and tokens (our choice)."""


class ProofNeeded(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The person must prove who they are first, and then goes on to a page of ours."""

    def __init__(self, back: str) -> None:
        """Carry the path to come back to."""
        super().__init__("a fresh proof is needed")
        self.back = back


class FreshProof:
    """A dependency that sends whoever has no fresh proof to `/prove`, and back to a page afterwards.

    `Depends(FreshProof("/schools/{school}/people"))`: `{…}` are filled from the address of the request. Without an address it is the
    page itself, which only a GET can come back to. Put it on the page that shows the form as well: then nothing typed is lost.
    """

    def __init__(self, back: str = "") -> None:
        """Keep where to come back to."""
        self._back = back

    def __call__(self, request: Request) -> None:
        """Let the request through, or raise ProofNeeded. Raises HTTPException 401 for a stranger."""
        proved_at = session_of(request).proved_at
        if proved_at is not None and site_of(request).clock.now() - proved_at <= FRESH:
            return
        filled = self._back.format_map({name: quote(str(value), safe="") for name, value in request.path_params.items()})
        raise ProofNeeded(filled or _own(request))


fresh_proof = FreshProof()
"""For a page, which the person comes back to."""


def _own(request: Request) -> str:
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
