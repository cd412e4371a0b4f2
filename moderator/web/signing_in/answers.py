"""What the app answers when a sign-in step is over or a fresh proof is needed. Added by `app.create_app`."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from moderator.web.pages import Pages
from moderator.web.signing_in.fresh import ProofNeeded
from moderator.web.signing_in.own_path import asking
from moderator.web.signing_in.step import StepOver

_OVER = "You can open your invitation again until your sign-in is set up. If it is set up, sign in."


def add_sign_in_handlers(app: FastAPI, pages: Pages) -> None:
    """Make the app send people to `/prove`, and say what to do when a step is over."""

    def prove(_: Request, error: Exception) -> Response:
        return RedirectResponse(asking("/prove", error.back if isinstance(error, ProofNeeded) else "/"), status_code=303)

    def over(_: Request, __: Exception) -> Response:
        return pages.html("trouble", status=403, title="This took too long, or it is done already", what=_OVER)

    app.add_exception_handler(ProofNeeded, prove)
    app.add_exception_handler(StepOver, over)
