"""The read-only API, `/api/v1`: records, decisions and counts without names, for the trust's own machines. Mounted by `app.create_app`."""

from fastapi import FastAPI

from moderator.web.api import counts, decisions, records
from moderator.web.api.refusals import add_handlers
from moderator.web.site import Site

AT = "/api/v1"
ENDPOINTS = (records, decisions, counts)

_ABOUT = (
    "Reads what the service keeps, and changes nothing. No answer holds a name, a handle of anybody who commented, or a comment's words. "
    "Each token reads the school, and the kinds of thing, that it was made for. Times are UTC."
)


def create_api(site: Site) -> FastAPI:
    """Return the API over the app's parts. It serves its own description at `/openapi.json`, to anybody."""
    routes = [route for each in ENDPOINTS for route in each.router.routes]
    api = FastAPI(title="moderator", routes=routes, version="1", description=_ABOUT, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.state.site = site
    add_handlers(api)
    return api
