"""What the item page shows of HR's advice, the target's wishes and handing up, and the state of their forms. Called by `item`."""

from dataclasses import dataclass

import sqlalchemy as sa

from moderator.domain.access import ROLE_WORDS
from moderator.domain.concern import MAX_NOTE, POLICE_WORDS, receivers
from moderator.domain.lifecycle import State
from moderator.store import concerns
from moderator.store.today import HistoryLine
from moderator.web.opened import Opened
from moderator.web.site import Site


@dataclass(frozen=True, slots=True)
class NoteForm:
    """What a person typed in one of the forms, and why it was not taken. `form` is which: `escalate`, `advice`, `received`, `wishes`."""

    form: str = ""
    words: str = ""
    choice: str = ""
    problem: str = ""


NOTHING_NOTED = NoteForm()


def concern_facts(site: Site, opened: Opened, note: NoteForm) -> dict[str, object]:
    """Return what the template `concerns` names. Reads only."""
    number = opened.work.item.id
    with site.database.reading() as connection:
        asked = concerns.advice_of(connection, number)
        missing = concerns.wishes_missing(connection, number)
        staff = concerns.concerns_staff(connection, number)
    return {
        "note": note,
        "asked_hr": asked[-1] if asked else None,
        "wishes_missing": missing,
        "about_staff": staff and opened.work.state is not State.WITHHELD,
        "awaits_advice": opened.standing.awaits_advice,
        "receivers": [(role.value, ROLE_WORDS[role]) for role in receivers(safeguarding=opened.standing.safeguarding)],
        "police_choices": [(each.value, said) for each, said in POLICE_WORDS.items()],
        "longest_note": MAX_NOTE,
    }


def noted_lines(connection: sa.Connection, item_id: int) -> list[HistoryLine]:
    """Return the lines of an item's history that tell of them, with the words people gave."""
    asked = concerns.advice_of(connection, item_id)
    wishes, handed = concerns.wishes_of(connection, item_id), concerns.escalations_of(connection, item_id)
    lines = [HistoryLine(each.asked_at, "advice_asked", each.asked_by, each.why) for each in asked]
    lines += [HistoryLine(each.received_at, "advice_received", each.received_by, each.advice) for each in asked if each.received_at]
    lines += [HistoryLine(each.at, "wishes_noted", each.noted_by, f"{each.wishes}\n{POLICE_WORDS[each.police]}") for each in wishes]
    return lines + [HistoryLine(each.at, f"escalated_{each.role.value}", each.by, each.why) for each in handed]
