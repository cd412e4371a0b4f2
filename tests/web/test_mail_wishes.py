"""Your mails: a person leaves a report or the trust's digest where somebody else reads it, and never an alert or a school's digest."""

import re
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from review_app import Served, browser_like, enter
from stage import NOON, SCHOOL

from moderator.domain.access import Role
from moderator.domain.mail_wishes import may_leave, wanting
from moderator.domain.register import EVERY_SCHOOL, Person
from moderator.store import mail_wishes, register
from moderator.web.mail_wishes import ALONE
from moderator.web.sign_in import new_link

PAGE = "/mail-wishes"


def second(served: Served, role: Role, *, school: str) -> int:
    """Designate a second person of a role; return their number."""
    with served.stage.database.unit() as unit:
        added = register.add_person(unit.connection, name="Odile Fenwick", email=f"second.{role.value}@oakfield.example", at=NOON)
        register.designate(
            unit.connection,
            person_id=added.id,
            role=role,
            school=school,
            signed_by="CEO-1",
            signed_on=date(2026, 9, 1),
            begins_on=date(2026, 9, 1),
        )
    return added.id


def offered(page: str) -> list[tuple[str, bool, bool]]:
    """Return the boxes of the page: kind, ticked, and whether it can be changed."""
    boxes = re.findall(r'<input type="checkbox" id="(\w+)"([^>]*)>', page)
    return [(kind, " checked" in rest, " disabled" not in rest) for kind, rest in boxes]


def left(served: Served, kind: str) -> frozenset[int]:
    with served.stage.database.reading() as connection:
        return mail_wishes.not_wanted(connection, kind)


def test_the_only_reader_cannot_leave_and_is_told_why(served: Served) -> None:
    page = served.head.get(PAGE).text
    assert offered(page) == [("weekly", True, False), ("termly", True, False)]
    assert page.count(ALONE) == 2
    assert "Oakfield Primary School" in page
    assert "Ashford" not in page
    assert "What always comes" in page
    refused = served.head.post(PAGE, data={"wanted": "termly"})
    assert refused.status_code == 400
    assert "Nothing was changed." in refused.text
    assert left(served, "weekly") == frozenset()


def test_one_of_two_readers_leaves_and_comes_back_and_the_other_cannot_leave_then(served: Served) -> None:
    other = second(served, Role.HEAD, school=SCHOOL.slug)
    assert offered(served.head.get(PAGE).text) == [("weekly", True, True), ("termly", True, True)]
    gone = served.head.post(PAGE, data={"wanted": "termly"})
    assert (gone.status_code, gone.headers["location"]) == (303, "/mail-wishes?done=kept")
    assert "Kept. It holds from the next mail on." in served.head.get(gone.headers["location"]).text
    assert offered(served.head.get(PAGE).text) == [("weekly", False, True), ("termly", True, True)]
    (number,) = left(served, "weekly")
    with browser_like(served.url) as client, served.stage.database.reading() as connection:
        reference = connection.execute(
            sa.select(register.DESIGNATIONS.c.reference).where(register.DESIGNATIONS.c.person_id == other)
        ).scalar_one()
        enter(client, new_link(served.stage.database, actor=reference, now=served.stage.clock.now(), base_url=served.url))
        assert offered(client.get(PAGE).text) == [("weekly", True, False), ("termly", True, True)]
        assert client.post(PAGE).status_code == 400
    assert served.head.post(PAGE, data={"wanted": ["weekly", "termly"]}).status_code == 303
    assert left(served, "weekly") == frozenset()
    assert number != other


def test_what_each_role_is_offered(served: Served) -> None:
    lead = second(served, Role.SAFEGUARDING_LEAD, school=EVERY_SCHOOL)
    assert offered(served.clients[Role.SAFEGUARDING_LEAD].get(PAGE).text) == [("trust_digest", True, True)]
    assert offered(served.clients[Role.TRUSTEE].get(PAGE).text) == [("termly", True, False)]
    for role in (Role.CEO, Role.DSL, Role.ADMIN, Role.AUDITOR):
        page = served.clients[role].get(PAGE).text
        assert offered(page) == []
        assert "You get no mail that you could be without." in page
    assert served.clients[Role.SAFEGUARDING_LEAD].post(PAGE).status_code == 303
    (number,) = left(served, "trust_digest")
    assert number != lead
    assert served.clients[Role.DSL].post(PAGE).status_code == 303
    assert served.stranger.get(PAGE).status_code == 401


def test_a_wish_for_what_the_person_does_not_read_now_stays(served: Served) -> None:
    second(served, Role.HEAD, school=SCHOOL.slug)
    with served.stage.database.unit() as unit:
        found = register.person_by_email(unit.connection, "head@oakfield.example")
        assert found is not None
        mail_wishes.leave_only(unit.connection, found.id, {"trust_digest"}, at=NOON)
    served.head.post(PAGE, data={"wanted": "weekly"})
    assert left(served, "trust_digest") == left(served, "termly") == {found.id}


def test_what_is_switched_off_is_not_offered(served: Served) -> None:
    site = served.app.state.site
    served.app.state.site = replace(site, tools=replace(site.tools, weekly_report=False))
    assert offered(served.head.get(PAGE).text) == [("termly", True, False)]


def test_other_mails_cannot_be_named(served: Served) -> None:
    second(served, Role.HEAD, school=SCHOOL.slug)
    served.head.post(PAGE, data={"wanted": ["weekly", "termly", "digest", "alert"]})
    with served.stage.database.reading() as connection:
        assert connection.execute(sa.select(mail_wishes.WISHES)).all() == []


def test_who_gets_a_mail_when_some_have_left() -> None:
    one, two = Person(1, "", "a@b.example"), Person(2, "", "c@d.example")
    assert wanting((one, two), {1}) == (two,)
    assert wanting((one, two), {1, 2}) == (one, two)
    assert may_leave(1, (one, two), ())
    assert not may_leave(1, (one, two), {2})
    assert not may_leave(1, (one,), ())
