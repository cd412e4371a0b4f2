"""Turning facts into a page: Jinja2 with everything escaped. Called by every route and by the error pages."""

from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from moderator.domain.errors import BadInput
from moderator.mail.moments import clock_words, day_words, gap_words, moment_words, span_words
from moderator.mail.words import mode_words, platform_words, plural, sentence, web_link
from moderator.web import words
from moderator.web.menu import menu


class Pages:
    """The templates in `templates/web/`."""

    def __init__(self, templates: Path) -> None:
        """Read templates from the folder that holds `web/`. Raises BadInput when they are not there."""
        if not (templates / "web" / "layout.html.j2").is_file():
            message = f"page templates: no web/layout.html.j2 in {templates}; give the project's templates folder"
            raise BadInput(message)
        self.static = templates / "web" / "static"
        self._templates = Environment(
            loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update({"actor": "", "visit": None, "section": "", "menu": menu})
        plain = (clock_words, day_words, gap_words, moment_words, span_words, mode_words, platform_words, plural, sentence, web_link)
        ours = (words.severity_words, words.severity_short, words.event_words, words.place_words)
        self._templates.filters.update({made.__name__: made for made in (*plain, *ours)})

    def html(self, name: str, *, status: int = 200, **facts: object) -> HTMLResponse:
        """Return `templates/web/<name>.html.j2` filled in. A fact the template names and nobody gave is an error, never a blank."""
        return HTMLResponse(self._templates.get_template(f"web/{name}.html.j2").render(facts), status_code=status)
