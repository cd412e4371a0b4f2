"""R28 as a property: whatever people write and call themselves, none of it is in the trust's digest, a week's or a term's report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from uuid import UUID

import pytest
import sqlalchemy as sa
from cast import NAMES, enrol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from stage import Stage, comment

from moderator.domain.item import Author
from moderator.steps.report import report
from moderator.steps.trust_digest import trust_digest
from moderator.store.outbox import OUTBOX
from moderator.store.reports import REPORTS

SHARP = (
    "You are an idiot {}",
    "Tilly Marwood {} is an idiot",
    "I will hurt you {}",
    "{} disclosure",
    "{} crisis",
    "{} complaint",
    "{} lovely",
)
HOSTILE = ("\r\nBcc: x@y.example\r\n", "</p><script>{}</script>", "{{ 7 * 7 }}", "\u202e", "=?utf-8?b?", "<img src=x>", "@oakfieldprimary")


@pytest.fixture
def staffed(stage: Stage) -> Stage:
    """Return a stage of two schools with everybody designated, on the day after a term's end."""
    enrol(stage)
    stage.clock.move(datetime(2027, 1, 4, 12, 0, tzinfo=UTC) - stage.clock.now())
    return replace(stage, tools=replace(stage.tools, trust="Oakfield Learning Trust"))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    marks=some.lists(some.uuids(), min_size=3, max_size=8, unique=True),
    kinds=some.lists(some.sampled_from(SHARP), min_size=8, max_size=8),
    hostile=some.lists(some.sampled_from(HOSTILE), min_size=8, max_size=8),
)
def test_r28_nothing_written_by_anybody_is_in_these_mails(staffed: Stage, marks: list[UUID], kinds: list[str], hostile: list[str]) -> None:
    stage = staffed
    words = [each.hex for each in marks]
    with stage.database.unit() as unit:
        unit.connection.execute(sa.delete(REPORTS))
        unit.connection.execute(sa.delete(OUTBOX))
    for number, mark, kind, nasty in zip(range(len(words)), words, kinds, hostile, strict=False):
        author = Author(f"a{mark}", f"h{mark}", f"{nasty.strip()} Display {mark}")
        text = kind.format(f"{mark} {nasty}")
        stage.platform.comments.append(comment(1000 + len(stage.platform.comments) + number, text, author=author))
    stage.run("poll", "score", "decide", "record", "hide")
    stage.clock.move(timedelta(hours=19, minutes=40))
    assert trust_digest(stage.tools, limit=3) >= 1
    assert report(stage.tools, limit=100) >= 3
    with stage.database.reading() as connection:
        sent = [message_from_bytes(bytes(each), policy=default) for each in connection.execute(sa.select(OUTBOX.c.message)).scalars()]
    assert {str(each["Message-ID"])[1:5] for each in sent} == {"trus", "week", "term"}
    never = [*words, "Tilly", "Marwood", "idiot", "hurt you", "Bcc", "<script", "Display", *NAMES.values()]
    for message in sent:
        whole = "".join(str(part.get_content()) for part in message.walk() if not part.is_multipart()) + str(message.items())
        assert not [word for word in never if word in whole]
        assert message["Bcc"] is None
        assert len(message.get_all("To", [])) == 1
    stage.clock.move(timedelta(hours=4, minutes=20))
