"""A school's own words in its alerts and digests: what is locked, and changing them (R32). Linked from Digests and People."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.account import School
from moderator.domain.errors import BadInput
from moderator.domain.mail_words import LONGEST, PART_WORDS, Part, plain_words
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.steps.words import personal, somebody_in, words_for
from moderator.store import appoint, mail_words, register
from moderator.web.accounts_form import MOST_WORDS, as_sentence, words_of
from moderator.web.need import Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/mail-words"
VERSIONS = 20
"""Earlier changes shown at most."""
MAIL_WORDS_CHANGED = "mail_words_changed"

LOCKED = {
    "alert": (
        (
            "The subject, and how soon to look",
            "What happened",
            "How serious it is",
            "What the service did",
            "What to do next, with its button",
        ),
        ("Who can still see it", "What the law says"),
        ("About this message: no names, no comment text, no pictures",),
    ),
    "digest": (
        ("The subject, the day, and the headline",),
        ("What needs you", "What was done", "The numbers, the accounts, the evidence", "The proof: the ledger's line and code"),
        ("About this message: no names, no comment text, no pictures",),
    ),
}
"""What of each mail is the service's own: before the opening words, between, and after the closing words."""

router = APIRouter()
Signs = Annotated[Visit, Depends(Need(Action.SIGN, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(f"{PAGE}/{{part}}"))]


@dataclass(frozen=True, slots=True)
class Mail:
    """One kind of mail in its parts; `left_out` says that its words are in no mail now."""

    title: str
    before: tuple[str, ...]
    opening: tuple[str, ...]
    between: tuple[str, ...]
    closing: tuple[str, ...]
    after: tuple[str, ...]
    opens: Part
    closes: Part
    left_out: bool


@router.get(PAGE)
def overview(site: SiteOf, visit: Signs, school: str, done: str = "") -> Response:
    """Show both mails in their parts, which of them are locked, and the earlier versions."""
    del school
    slug = visit.school.slug
    with site.database.reading() as connection:
        parts = mail_words.parts(connection, slug)
        versions = mail_words.versions(connection, slug, limit=VERSIONS)
        who = register.names_by_reference(connection)
    return site.pages.html(
        "mail_words",
        visit=visit,
        section="digests",
        mails=[_mail(site, slug, code, parts) for code in LOCKED],
        versions=[(each, PART_WORDS[each.part], who.get(each.author, each.author)) for each in versions],
        done="Kept. Every mail from now on has it." if done == "changed" else "",
    )


@router.get(f"{PAGE}/{{part}}")
def ask(site: SiteOf, visit: Signs, school: str, part: Part, proved: Proved) -> Response:
    """Show the form for one part."""
    del school, proved
    with site.database.reading() as connection:
        now = mail_words.parts(connection, visit.school.slug)[part]
    return _form(site, visit, part, words="\n\n".join(now))


@router.post(f"{PAGE}/{{part}}")
def change(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Signs,
    school: str,
    part: Part,
    proved: ProvedForForm,
    words: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Keep a new version of one part, then show all (303); nothing typed takes it away. 400 with what was typed if it cannot be."""
    del proved
    at = site.clock.now()
    try:
        checked = allowed(site, visit.school, words)
        reason = words_of(why, what="why you change them")
        with site.database.unit() as unit:
            mail_words.put_words(unit.connection, school=visit.school.slug, part=part, words=checked, author=visit.actor, why=reason, at=at)
            appoint.noted(unit, visit.school.slug, f"mail-words-{part.value}", MAIL_WORDS_CHANGED, by=visit.actor, at=at)
    except BadInput as error:
        return _form(site, visit, part, words=words, why=why, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/mail-words?done=changed", status_code=303)


def allowed(site: Site, school: School, text: str) -> tuple[str, ...]:
    """Return what was typed as paragraphs that may go into every mail. Raises BadInput, in one line, for what may not (R28)."""
    found = plain_words(text, domains=school.email_domains)
    name = somebody_in(site.tools, found) if found else ""
    if name:
        message = f"“{name}” may be somebody's name, and no mail names anybody: say “the safeguarding lead” or “the office”, or reword it"
        raise BadInput(message)
    private = personal(site.tools, found, domains=school.email_domains) if found else ""
    if private:
        message = f"“{private}” reads as somebody's own number or address: mails give none but the school's pages and e-mails"
        raise BadInput(message)
    return found


def _mail(site: Site, school: str, code: str, parts: Mapping[Part, tuple[str, ...]]) -> Mail:
    before, between, after = LOCKED[code]
    opens, closes = Part(f"{code}-opening"), Part(f"{code}-closing")
    left_out = words_for(site.tools, school, code).left_out
    return Mail(f"Every {code}", before, parts[opens], between, parts[closes], after, opens, closes, left_out)


def _form(  # noqa: PLR0913 - the form's state
    site: Site, visit: Visit, part: Part, *, words: str, why: str = "", problem: str = ""
) -> Response:
    return site.pages.html(
        "mail_words_change",
        status=400 if problem else 200,
        visit=visit,
        section="digests",
        part=part.value,
        title=PART_WORDS[part],
        words=words,
        why=why,
        problem=problem,
        most=LONGEST,
        domains=visit.school.email_domains,
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )
