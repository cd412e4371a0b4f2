"""A simulated school year of twenty schools: no digest is missing, none is for the wrong day, and what comes twice is recognisable.

`make year` runs the whole year, with the real steps, store and composer, and prints its table (YEAR_SEED chooses another one).
The suite runs the fortnights in which most can go wrong, and one school's whole year.
"""

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog
from post_office import Mood
from school_year import Year, year
from uk_terms import FIRST, LONDON, Plan, at_london, digests_due, plans
from year_count import Row, rows, table

from moderator.domain.calendar import Closure, SchoolCalendar

SEED = int(os.environ.get("YEAR_SEED", "20260901"))
LAST = date(2027, 9, 6)
"""The Monday after the summer: its weeks are told of by then at every school."""


def lived(folder: Path, migrated: Path, schools: list[Plan], first: date, last: date) -> tuple[Year, list[Row]]:
    """Live from one London day to another; print the table; return the world and its rows."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # a year's log is a hundred thousand lines
    started = time.monotonic()
    made = year(folder, migrated, seed=SEED + first.toordinal(), plans=schools, first=first, last=last)
    made.live(first, last)
    counted = rows(made, made.settle())
    made.close()
    print(f"\nseed {SEED}, {first} to {last}, {time.monotonic() - started:.0f} s")  # noqa: T201 - the figures are what the run is for
    print(table(counted))  # noqa: T201 - as above
    print(  # noqa: T201 - as above
        f"killed {made.kills} times ({dict(made.fuse.blown)}), asleep {len(made.asleep)} times, clock set back {made.back} times; "
        f"{len(made.seen)} comments; the server was asked {dict(made.office.tries)}"
    )
    return made, counted


def all_well(counted: list[Row]) -> None:
    """Hold the rows against what must be."""
    assert [fault for row in counted for fault in row.faults] == []
    assert [row.name for row in counted if not row.good] == []
    assert all(row.arrived == row.due for row in counted)


@pytest.mark.parametrize(
    ("first", "last", "schools"),
    [
        (date(2026, 10, 23), date(2026, 10, 27), slice(5, 10)),  # the night of the doubled hour
        (date(2027, 3, 26), date(2027, 3, 30), slice(5, 10)),  # the night of the missing one, at Easter
        (date(2026, 12, 17), date(2027, 1, 5), slice(1, 3)),  # Christmas, and settings that change
        (date(2027, 7, 9), date(2027, 9, 6), slice(0, 1)),  # the summer, of a school that hears on school days alone
    ],
)
def test_r7_every_digest_comes_once_and_for_its_day(tmp_path: Path, migrated_file: Path, first: date, last: date, schools: slice) -> None:
    _, counted = lived(tmp_path, migrated_file, plans(first=first)[schools], first, last)
    all_well(counted)
    assert sum(row.arrived for row in counted) > 40


@pytest.mark.soak
@pytest.mark.skipif("YEAR" not in os.environ, reason="the long run: make year")
def test_r7_the_whole_year(tmp_path: Path, migrated_file: Path) -> None:
    made, counted = lived(tmp_path, migrated_file, plans(), FIRST, LAST)
    all_well(counted)
    assert all(made.office.tries[mood.value] for mood in Mood), "the server had every mood"
    assert made.kills > 50
    assert made.office.unsure.total() > 20


def test_the_counting_finds_what_is_wrong(tmp_path: Path, migrated_file: Path) -> None:
    first, last = date(2026, 9, 1), date(2026, 9, 4)
    made = year(tmp_path, migrated_file, seed=SEED, plans=plans(2)[1:], first=first, last=last)
    made.office.spells = ()
    made.live(first, last)
    until = made.settle()
    assert all(row.good for row in rows(made, until))
    digests = [each for each in made.office.arrived if "digest-birchfield" in each.message_id]
    made.office.arrived.remove(digests[0])
    made.office.arrived.append(digests[1])
    made.seen.append((made.plans[0].slug, at_london(date(2026, 9, 2), 12)))
    found = rows(made, until)[0]
    made.close()
    assert (found.missing, found.repeated, found.untold) == (1, 1, 1)
    assert any("counts" in fault for fault in found.faults)


@pytest.mark.parametrize("plan", [plan for plan in plans() if not plan.changes], ids=lambda plan: plan.slug)
def test_r7_the_products_calendar_says_the_same_as_one_worked_out_apart_from_it(plan: Plan) -> None:
    until = at_london(LAST, 23, 59)
    (setting,) = plan.settings
    calendar = SchoolCalendar(setting.hour, tuple(Closure(*each) for each in setting.closed), setting.while_closed)
    due = digests_due(plan, until)
    assert [(each.first, each.last) for each in due] == [
        (span.first, span.last) for span in calendar.due(plan.joined.astimezone(LONDON).date(), until)
    ]
    for each in due[-12:] + due[:60]:
        before, after = (each.not_before + timedelta(seconds=seconds) for seconds in (-1, 0))
        spans = [{span.last for span in calendar.due(each.first, moment)} for moment in (before, after)]
        assert [each.last in found for found in spans] == [False, True]
