"""House rules: what the school's accounts do not allow, and where a hidden comment's author can ask (R16). The page /rules is public."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.account import School
from moderator.domain.errors import BadInput
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import london_date
from moderator.store import appoint, people, register, signed
from moderator.web.accounts_form import MOST_WORDS, as_sentence, line_of, words_of
from moderator.web.need import Need, Visit, of_path, open_to_all
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/house-rules"
VERSIONS = 20
WORDS = """You are welcome here. Questions, thanks and criticism are all fine: we never hide a comment because it disagrees with us.

Please do not:
- insult, threaten or harass anybody
- attack people for who they are
- name pupils, or staff you have a complaint about
- give anybody's address, phone number or other private details

Comments that do may be hidden. Each hidden comment is looked at by a person, and we keep a record of why. If you have a complaint, the school's complaints procedure is the place where it is answered.

If you are worried that a child is in danger now, call 999."""  # noqa: E501 - a paragraph is one line
"""What the form offers a school that has published nothing yet: ours, mild and short, for the school to change."""

router = APIRouter()
Sees = Annotated[Visit, Depends(Need(Action.SEE_PEOPLE, of_path))]
Signs = Annotated[Visit, Depends(Need(Action.SIGN, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(f"{PAGE}/edit"))]


@router.get("/rules/{school}")
@open_to_all
def public(site: SiteOf, school: str) -> Response:
    """Show a school's rules to anybody: no sign-in, no cookie, nobody counted. A 404 while nothing is published."""
    with site.database.reading() as connection:
        found = next(iter(signed.house_rules(connection, school)), None)
        if found is None:
            raise HTTPException(status_code=404)
        of = people.school(connection, school)
    return site.pages.html("rules", school=of, rules=found, since=london_date(found.at), mail=not found.ask.startswith("https://"))


@router.get(PAGE)
def rules(site: SiteOf, visit: Sees, school: str, done: str = "") -> Response:
    """Show what is published, where, and the earlier versions."""
    del school
    with site.database.reading() as connection:
        versions = signed.house_rules(connection, visit.school.slug, limit=VERSIONS)
        who = register.names_by_reference(connection)
    return site.pages.html(
        "house_rules",
        visit=visit,
        section="people",
        rules=next(iter(versions), None),
        versions=versions,
        who=who,
        address=f"{site.origin.text}/rules/{visit.school.slug}",
        may_sign=visit.may(Action.SIGN),
        done="Published." if done == "published" else "",
    )


@router.get(f"{PAGE}/edit")
def ask(site: SiteOf, visit: Signs, school: str, proved: Proved) -> Response:
    """Show the form with the rules as they are, or with ours to begin from."""
    del school, proved
    with site.database.reading() as connection:
        now = next(iter(signed.house_rules(connection, visit.school.slug)), None)
        contact = _contact(site, visit.school)
    return _form(site, visit, words=now.words if now else WORDS, link=now.ask if now else contact)


@router.post(f"{PAGE}/edit")
def publish(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Signs,
    school: str,
    proved: ProvedForForm,
    words: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Publish a new version, then show it (303). 400 with what was typed if it cannot be."""
    del proved
    at = site.clock.now()
    try:
        asked = _where_to_ask(link, visit.school)
        reason = words_of(why, what="why the rules change")
        with site.database.unit() as unit:
            made = signed.publish_rules(
                unit.connection, school=visit.school.slug, words=words, ask=asked, author=visit.actor, why=reason, at=at
            )
            appoint.noted(unit, visit.school.slug, f"house-rules-{made.id}", "house_rules_changed", by=visit.actor, at=at)
    except BadInput as error:
        return _form(site, visit, words=words, link=link, why=why, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/house-rules?done=published", status_code=303)


def _where_to_ask(text: str, school: School) -> str:
    """Return where an author asks for another look: an address on the school's domains (R26), or a web page. Raises BadInput."""
    found = line_of(text, what="where the author of a hidden comment can ask")
    name, _, domain = found.rpartition("@")
    if found.startswith("https://") and " " not in found and '"' not in found:
        return found
    if name and " " not in found and domain.lower() in school.email_domains:
        return found
    message = f"Give an e-mail address that ends in {', '.join(school.email_domains)}, or a web page that begins with https://."
    raise BadInput(message)


def _contact(site: Site, school: School) -> str:
    """Return the contact address of one of the school's accounts, to begin from; empty when it has none."""
    with site.database.reading() as connection:
        return next((each.contact_email for each in people.accounts(connection) if each.school.slug == school.slug), "")


def _form(  # noqa: PLR0913 - the form's state
    site: Site, visit: Visit, *, words: str, link: str, why: str = "", problem: str = ""
) -> Response:
    return site.pages.html(
        "house_rules_edit",
        status=400 if problem else 200,
        visit=visit,
        section="people",
        words=words,
        link=link,
        why=why,
        problem=problem,
        longest_rules=signed.LONGEST_RULES,
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )
