"""Our own page of a comment under its thread, from the platform's data. Called by the recorders; drawn with scripts and network off."""

from datetime import datetime
from pathlib import Path
from unicodedata import bidirectional

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from moderator.domain.record import Evidence
from moderator.domain.times import london_text
from moderator.evidence.seal.canonical import showable


def environment(templates: Path) -> Environment:
    """Return the template environment: everything in a `.html.j2` is escaped, and a missing value is an error, not a blank."""
    return Environment(
        loader=FileSystemLoader(templates / "record"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=True),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def comment_page(templates: Environment, evidence: Evidence, *, block: str = "") -> str:
    """Return the HTML of the comment under its thread. Any text is inert in it.

    `block` is the platform's own oEmbed block, already inert (`embed.block_of`), shown in place of the bare text.
    """
    comment = evidence.item.comment
    posts = [
        {"name": post.author.name, "handle": post.author.handle, "text": post.text, "when": _when(post.posted_at)}
        for post in comment.thread
    ]
    page = templates.get_template("comment.html.j2").render(
        posts=posts,
        comment={
            "name": comment.author.name,
            "handle": comment.author.handle,
            "text": comment.text,
            "when": _when(comment.posted_at),
            "edited": comment.edited,
            "media": comment.media,
            "block": Markup(block),  # noqa: S704 - written anew by `embed.block_of` from its allowed parts
        },
        place=comment.place,
        platform=evidence.item.platform,
        gone=evidence.gone,
        visible=any(bidirectional(letter) for letter in comment.text if not letter.isspace()),
    )
    return showable(page)


def _when(moment: datetime | None) -> str:
    return "" if moment is None else london_text(moment)
