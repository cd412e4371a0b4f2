"""What the pages show of an item and the police: who pressed, what was kept, and the form's state (R17). Called by `item`."""

from dataclasses import dataclass

from moderator.domain.events import Event
from moderator.domain.lifecycle import State
from moderator.domain.police import MAX_NOTE, MAX_REFERENCE
from moderator.domain.work import Work
from moderator.store import today
from moderator.web.site import Site


@dataclass(frozen=True, slots=True)
class PoliceForm:
    """What a person typed in the police form, and why it was not taken."""

    reference: str = ""
    note: str = ""
    problem: str = ""


NOTHING_TYPED = PoliceForm()


def police_facts(site: Site, work: Work, typed: PoliceForm) -> dict[str, object]:
    """Return what the templates `withheld` and `item` name about the police. Reads only."""
    reports = site.database.police_reports(work.item.id)
    with site.database.reading() as connection:
        history = today.history(connection, work)
    pressed = [line for line in history if line.what == Event.WITHHELD.value and line.actor != "service"]
    return {
        "police": typed,
        "reports": reports,
        "pressed": pressed[0] if pressed else None,
        "marked": bool(reports) and work.state is not State.WITHHELD,
        "longest_reference": MAX_REFERENCE,
        "longest_note": MAX_NOTE,
    }
