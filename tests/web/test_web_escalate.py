"""The forms beside the decision: handing up, HR's advice, the target's wishes; and who is told when somebody overrides."""

import json
import re

import httpx
import pytest
import sqlalchemy as sa
from review_app import Served
from sqlalchemy import text as sql

from moderator.domain.access import Role
from moderator.steps.restore import restore
from moderator.store.outbox import ALERTS, OUTBOX

WHY = "Please look: I know the family."


def about_staff(served: Served, item: int) -> None:
    """Make an item one that names a member of staff, as the roll would."""
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("UPDATE items SET about = ',staff,' WHERE id = :id"), {"id": item})


def post(client: httpx.Client, item: int, form: str, **fields: str) -> httpx.Response:
    """Send one of the forms."""
    return client.post(f"/items/{item}/{form}", data=fields)


def last_line(served: Served) -> tuple[str, str, str]:
    """Return event, person and reason of the ledger's last line."""
    line = json.loads((served.stage.folder / "ledger.jsonl").read_text(encoding="ascii").splitlines()[-1])
    return line["event"], line["actor"], line["reason"]


def test_handing_up_sends_a_mail_to_the_roles_holders_and_is_in_the_history(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.decide(item, "uphold")
    answer = post(served.clients[Role.ADMIN], item, "escalate", role="dsl", why=WHY)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/items/{item}?done=escalate")
    assert last_line(served) == ("registered", "ADMIN-1", "escalated")
    with served.stage.database.reading() as connection:
        (mail,) = connection.execute(sa.select(OUTBOX.c.message).where(OUTBOX.c.key.contains("escalated"))).scalars()
    words = mail.decode()
    assert "To: dsl@oakfield.example" in words
    assert "asked to look at a comment" in words
    assert f"/items/{item}" in words
    assert WHY not in words
    page = served.clients[Role.DSL].get(f"/items/{item}").text
    assert "Handed up to: Designated Safeguarding Lead" in page
    assert WHY in page
    assert served.stage.rows("needs_review") == [(True,)]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"role": "dsl", "why": "short"}, 400, "Say why they should look in at least 10 characters."),
        ({"role": "admin", "why": WHY}, 400, "Choose to whom it goes."),
        ({"role": "", "why": WHY}, 400, "Choose to whom it goes."),
        ({"role": "dsl", "why": "x" * 4001}, 400, "under 4000 characters"),
    ],
)
def test_a_form_that_lacks_something_says_what_and_keeps_what_was_typed(
    served: Served, fields: dict[str, str], status: int, words: str
) -> None:
    item = served.seen("You are an idiot")[0]
    answer = post(served.head, item, "escalate", **fields)
    assert answer.status_code == status
    assert words in answer.text
    assert fields["why"] in answer.text


def test_r15_a_disclosure_is_handed_up_to_safeguarding_only(served: Served) -> None:
    routed = served.seen("This is a disclosure of harm")[0]
    page = served.clients[Role.DSL].get(f"/items/{routed}").text
    assert re.findall(r'<option value="([a-z]+)"', page) == ["dsl", "tsl"]
    assert post(served.clients[Role.DSL], routed, "escalate", role="head", why=WHY).status_code == 400
    assert post(served.clients[Role.DSL], routed, "escalate", role="tsl", why=WHY).status_code == 303
    assert post(served.head, routed, "escalate", role="tsl", why=WHY).status_code == 404


def test_r22_while_hr_is_awaited_nothing_that_judges_is_offered_or_taken(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert post(served.head, item, "advice", why="It accuses a colleague of something.").status_code == 303
    page = served.head.get(f"/items/{item}?done=advice").text
    assert "nobody judges this comment" in page
    assert "It accuses a colleague of something." in page
    assert 'name="verdict"' not in page
    assert "Waiting for advice from HR" in served.head.get("/").text
    for verdict in ("uphold", "restore"):
        answer = served.decide(item, verdict)
        assert answer.status_code == 409
        assert "This comment waits for HR&#39;s advice." in answer.text
    again = post(served.head, item, "advice", why="It accuses a colleague of something.")
    assert again.status_code == 409
    assert "HR has been asked already." in again.text
    assert post(served.head, item, "advice/received", advice="ok").status_code == 400
    assert post(served.clients[Role.ADMIN], item, "advice/received", advice="HR: no investigation needed.").status_code == 303
    page = served.head.get(f"/items/{item}?done=received").text
    assert "HR: no investigation needed." in page
    assert 'value="uphold"' in page
    assert served.decide(item, "uphold").status_code == 303
    late = post(served.head, item, "advice/received", advice="HR: something else, too late.")
    assert late.status_code == 409
    assert [line for line in served.stage.ledger_events() if line == "registered"] == ["registered"] * 2


def test_r23_the_targets_wishes_are_asked_before_it_is_closed(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    about_staff(served, item)
    page = served.head.get(f"/items/{item}").text
    assert "A member of staff is the target" in page
    bare = served.decide(item, "uphold")
    assert bare.status_code == 400
    assert "Say what they wish in at least 10 characters." in bare.text
    address, form = f"/items/{item}/review", {"verdict": "uphold", "justification": "Plain abuse of a colleague."}
    half = served.head.post(address, data=form | {"wishes": "She wants it kept hidden."})
    assert half.status_code == 400
    assert "it is their own decision" in half.text
    assert "She wants it kept hidden." in half.text
    assert served.stage.states() == ["hidden"]
    whole = served.head.post(address, data=form | {"wishes": "She wants it kept hidden.", "police": "no"})
    assert whole.status_code == 303
    assert served.stage.states() == ["upheld"]
    page = served.head.get(f"/items/{item}").text
    assert "She wants it kept hidden.\nThey do not go to the police." in page
    assert "A member of staff is the target" not in page
    assert post(served.head, item, "wishes", wishes="She has changed her mind.", police="yes").status_code == 303
    assert "They go to the police." in served.head.get(f"/items/{item}").text
    assert post(served.head, item, "wishes", wishes="She has changed her mind.", police="maybe").status_code == 400
    assert post(served.head, item, "wishes", wishes="no", police="yes").status_code == 400


def test_r17_what_is_for_the_police_waits_for_nobody(served: Served) -> None:
    withheld = served.seen("indecent_image")[0]
    about_staff(served, withheld)
    for form, fields in (("advice", {"why": WHY}), ("escalate", {"role": "dsl", "why": WHY})):
        answer = post(served.head, withheld, form, **fields)
        assert answer.status_code == 409
        assert "for the police alone" in answer.text
    assert served.decide(withheld, "uphold", "Police reference AB-123, called 101.").status_code == 303
    marked = served.seen("You are an idiot")[0]
    about_staff(served, marked)
    assert served.decide(marked, "uphold").status_code == 400
    post(served.head, marked, "withhold", confirm="yes")
    assert served.decide(marked, "uphold").status_code == 303


def test_r24_an_override_by_anybody_but_the_head_is_told_to_the_head_as_one(served: Served) -> None:
    mine, theirs = served.seen("You are an idiot", "What an idiot")
    served.decide(mine, "restore", "A joke between friends.")
    form = {"verdict": "restore", "justification": "A joke between friends."}
    assert served.clients[Role.ADMIN].post(f"/items/{theirs}/review", data=form).status_code == 303
    restore(served.stage.tools)
    with served.stage.database.reading() as connection:
        told = connection.execute(
            sa.select(ALERTS.c.item_id, ALERTS.c.kind, ALERTS.c.what).where(ALERTS.c.key.startswith("restored-"))
        ).all()
    assert sorted((row.item_id, row.kind) for row in told) == [(mine, "restored"), (theirs, "override")]
    assert any(row.what == "ADMIN-1 decided against the service: this comment may be shown." for row in told)


def test_an_auditor_sees_and_changes_nothing(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    page = served.clients[Role.AUDITOR].get(f"/items/{item}").text
    assert "Show the comment" in page
    assert "<textarea" not in page
    for form in ("review", "escalate", "advice", "advice/received", "wishes", "withhold", "police"):
        assert post(served.clients[Role.AUDITOR], item, form, why=WHY).status_code == 403
    assert served.stage.states() == ["hidden"]


def test_a_note_the_machine_cannot_store_is_not_called_done(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.head.get(f"/items/{item}")
    ledger = served.stage.folder / "ledger.jsonl"
    ledger.rename(served.stage.folder / "away")
    ledger.mkdir()
    answer = post(served.head, item, "advice", why="It accuses a colleague of something.")
    assert answer.status_code == 503
    assert "could not finish storing this" in answer.text
