"""The plain words of the pages: severities, events, verdicts. The templates call these as filters."""

from moderator.domain.access import ROLE_WORDS
from moderator.domain.concern import RECEIVERS
from moderator.domain.decision import Severity
from moderator.domain.events import Event
from moderator.domain.lifecycle import Stage
from moderator.domain.review import Verdict

_SEVERITY = {
    Severity.SEVERE: "Serious. Please look now.",
    Severity.ORDINARY: "Ordinary. Please look today.",
    Severity.NONE: "Not flagged.",
}
_SHORT = {Severity.SEVERE: "Serious", Severity.ORDINARY: "Ordinary", Severity.NONE: "Not flagged"}

_EVENTS = {
    Event.OPENED: "The ledger was opened",
    Event.FLAGGED: "Flagged",
    Event.ALERTED: "Whoever must know was told",
    Event.CAPTURED: "Picture and data were taken",
    Event.SEALED: "The record was sealed",
    Event.HIDE_INTENDED: "Hiding was about to be asked for",
    Event.HIDE_FAILED: "The platform did not hide it",
    Event.HIDDEN: "Hidden",
    Event.HIDE_VERIFIED: "The platform confirmed that it is hidden",
    Event.VIEWED: "Opened by a person",
    Event.REVIEWED: "A person decided",
    Event.RESTORE_INTENDED: "Showing it again was about to be asked for",
    Event.RESTORED: "Shown again",
    Event.EXPORTED: "Copied out for somebody",
    Event.HELD: "Stopped: it waits for a person",
    Event.WITHHELD: "Withheld: for the police only",
    Event.SUBMITTED: "Handed in by a member of staff",
    Event.GONE: "The platform no longer has the comment",
    Event.LEGAL_HOLD: "A legal hold was put on the record",
    Event.LEGAL_HOLD_RELEASED: "A legal hold was released",
    Event.DISPOSAL_ASKED: "Proposed for disposal",
    Event.DISPOSAL_REFUSED: "The disposal was refused or taken back",
    Event.DISPOSED: "The record was disposed of",
    Event.RESTAMPED: "The record got a newer time stamp",
    Event.KEY_ROTATED: "The service's key was changed",
    Event.DIGEST_SENT: "A digest was sent",
    Event.REGISTERED: "The register was changed",
    Event.SIGNED_IN: "Somebody signed in",
    Event.ACKNOWLEDGED: "A person said that they have seen it",
    Event.REROUTED: "Nobody had opened it: it was sent on to further people",
    Event.BOUNCED: "A message came back",
}
_VERDICTS = {
    Verdict.UPHOLD: "Decided: keep the decision",
    Verdict.RESTORE: "Decided: show it again",
    Verdict.RETRY: "Decided: try again",
}
_NOTED = {
    "advice_asked": "HR was asked for advice",
    "advice_received": "HR advised",
    "wishes_noted": "The wishes of the member of staff were noted",
    **{f"escalated_{role.value}": f"Handed up to: {ROLE_WORDS[role]}" for role in RECEIVERS},
}
_BY_CODE = {code.value: said for code, said in (*_EVENTS.items(), *_VERDICTS.items())} | _NOTED
_WAITING = {
    Stage.SCORE: "It waits to be read by the classifier.",
    Stage.DECIDE: "It waits to be decided on.",
    Stage.RECORD: "Its record is being made.",
    Stage.HIDE: "It is about to be hidden.",
    Stage.RESTORE: "It is about to show again.",
}
_DONE: dict[str, str] = {
    Verdict.UPHOLD: "Done. The decision stands. Your reason is kept.",
    Verdict.RESTORE: "Done. If it was hidden, it shows again within a few minutes. Your reason is kept.",
    Verdict.RETRY: "Done. The service tries again now. Your reason is kept.",
    "police": "Kept. What you wrote stands below.",
    "withheld": "Withheld. Now call the police.",
    "marked": "Marked for the police. Now call them.",
    "submitted": "Kept. This is its record.",
    "roll_replaced": "Done. The new roll is in use from the next comment on. Now delete the file from your computer.",
    "roll_dropped": "Done. The file is forgotten. The roll is as it was.",
    "policy_saved": "Saved. The new version is in force from the next comment on. Every Headteacher is told.",
    "policy_reviewed": "Kept. The next review is noted.",
    "reader_ended": "Ended. It reads and is told nothing from now on.",
    "password_changed": "Done. Your new password counts from now on. Everywhere else you are signed out.",
    "passkey_added": "Done. You can sign in with your new passkey now.",
    "passkey_removed": "Done. That passkey opens nothing any more.",
    "identity_forgotten": "Done. Sign in there with your new account; it is then known.",
    "session_ended": "Done. That browser is signed out.",
    "seen": "Noted: you have seen it. It goes to nobody else.",
    "escalate": "Done. They get a mail now. Your reason is kept.",
    "advice": "Noted. Until the advice of HR is noted here, nobody judges this comment.",
    "received": "Kept. This comment can be decided on again.",
    "wishes": "Kept. What they wish is in the history below.",
}


def severity_words(severity: Severity) -> str:
    """Return how serious an item is, as a sentence."""
    return _SEVERITY[severity]


def severity_short(severity: Severity) -> str:
    """Return how serious an item is, in a word or two."""
    return _SHORT[severity]


def event_words(code: str) -> str:
    """Return what a line of an item's history means; a code we have no words for is given as it is."""
    return _BY_CODE.get(code, code)


def waiting_words(stage: Stage) -> str:
    """Return what the service is about to do with an item."""
    return _WAITING[stage]


def done_words(code: str) -> str:
    """Return what a decision just taken led to; an empty text for a code that is none."""
    return _DONE.get(code, "")


def place_words(kind: str) -> str:
    """Return what kind of comment an item is, in plain words."""
    return {"reply": "a reply", "mention": "a mention", "quote": "a quote of a post", "comment": "a comment"}.get(kind, kind)
