"""A school's own words, read once more before they go into a mail: nobody is named in one (R28).

Called by the alert, rehearsal and digest steps when they compose, and by the words page before it keeps anything.
"""

from collections.abc import Sequence

from moderator import observe
from moderator.domain.mail_words import MailWords, own_addresses, spread
from moderator.domain.score import PiiSpan
from moderator.steps.drain import Tools


def words_for(tools: Tools, school: str, mail: str) -> MailWords:
    """Return a school's own words for a kind of mail, `alert` or `digest`. May be repeated.

    Names come to the roll after words were kept. Words that name somebody by now are left out, and the mail says so; so are words that
    cannot be read again now. A mail is never kept back for them.
    """
    kept = tools.store.mail_words(school, mail)
    if not kept:
        return kept
    try:
        fine = not any(somebody_in(tools, part) for part in (kept.opening, kept.closing) if part)
    except Exception as error:  # noqa: BLE001 - whatever the words do to a model must not stop an alert
        observe.went_wrong("mail_words_not_read", school=school, mail=mail, error=type(error).__name__)
        fine = False
    if fine:
        return kept
    observe.went_wrong("mail_words_left_out", school=school, mail=mail)
    return MailWords(left_out=True)


def somebody_in(tools: Tools, paragraphs: Sequence[str]) -> str:
    """Return what in a school's words names somebody, or may; empty when nothing does.

    The words are read as scoring reads a comment: as they stand, as one text, and with addresses and joined words taken apart.
    Whoever is found counts, on the roll or not, by a lone first name too: the words stand in every mail, and no mail names anybody.
    """
    whole = " ".join(paragraphs)
    scores = tools.classifier.score([*paragraphs, whole, spread(whole)])
    return next((person.text for score in scores for person in score.people), "")


def personal(tools: Tools, paragraphs: Sequence[str], *, domains: Sequence[str]) -> str:
    """Return what in a school's words is somebody's personal data, such as a phone number; empty when nothing is.

    An e-mail or a page of the school's own `domains` is not.
    """
    for paragraph, score in zip(paragraphs, tools.classifier.score(list(paragraphs)), strict=True):
        own = own_addresses(paragraph, domains=domains)
        found = next((span for span in score.pii if not _within(span, own)), None)
        if found is not None:
            return paragraph[found.start : found.end]
    return ""


def _within(span: PiiSpan, places: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start and span.end <= end for start, end in places)
