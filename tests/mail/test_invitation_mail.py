"""The invitation by mail: which school, the link, until when, what to do if nobody told you; nobody's name."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.invitation import InvitationMail
from moderator.mail.compose import JinjaComposer
from moderator.settings import ASSETS

LINK = "https://review.oakfield.example/invited/a-secret-of-43-letters"
MAIL = InvitationMail(
    to="w.alder@oakfield.example",
    name="Oakfield Primary School",
    link=LINK,
    ends_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
    key="invitation-1",
)
COMPOSER = JinjaComposer(templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example")


def test_r26_the_invitation_tells_who_invites_where_to_go_and_until_when() -> None:
    message = COMPOSER.invitation(MAIL)
    assert message["To"] == MAIL.to
    assert message["Subject"] == "Set up your sign-in to Moderator (Oakfield Primary School)"
    assert message["Message-ID"] == COMPOSER.invitation(MAIL)["Message-ID"]
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        words = body.get_content()
        assert LINK in words
        assert "Wednesday 25 November 2026" in " ".join(words.split())
        assert "Do not open the link" in words
        assert "w.alder" not in words


def test_an_invitation_to_what_is_no_address_is_refused() -> None:

    with pytest.raises(BadInput, match="recipient"):
        COMPOSER.invitation(replace(MAIL, to="nobody"))
