"""The API's refusals: JSON in one form, `{"detail": "…"}`, never a stack and never what was stored. Called by `create_api`."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException


class Refusal(BaseModel):
    """Why a request was refused, in one sentence."""

    detail: str


REFUSALS: dict[int | str, dict[str, object]] = {
    401: {"model": Refusal, "description": "There is no token, or it is unknown, ended or past its last day."},
    403: {"model": Refusal, "description": "The token was not made for this kind of thing."},
    404: {"model": Refusal, "description": "There is no such thing at a school that this token reads."},
    422: {"model": Refusal, "description": "Something in the address is not what it must be."},
    429: {"model": Refusal, "description": "Too many requests: see Retry-After."},
}


def add_handlers(api: FastAPI) -> None:
    """Make the API answer its refusals in this form."""

    def refused(_: Request, error: Exception) -> JSONResponse:
        status, detail, headers = 500, "It failed.", None
        if isinstance(error, HTTPException):
            status, detail, headers = error.status_code, str(error.detail), error.headers
        return JSONResponse({"detail": detail}, status_code=status, headers=dict(headers or {}))

    def unreadable(_: Request, error: Exception) -> JSONResponse:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        where = ", ".join(sorted({str(fault["loc"][-1]) for fault in faults}))
        return JSONResponse({"detail": f"This cannot be used: {where}."}, status_code=422)

    api.add_exception_handler(HTTPException, refused)
    api.add_exception_handler(RequestValidationError, unreadable)
