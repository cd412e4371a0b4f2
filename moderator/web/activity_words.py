"""The ledger's codes in plain words: what happened, of what kind, about what. Called by the Activity page."""

from collections.abc import Mapping
from dataclasses import dataclass

from moderator.domain.events import Event
from moderator.domain.review import Verdict
from moderator.web.words import event_words


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line people look for: its name, and the ledger's events that are of it."""

    title: str
    events: frozenset[Event]


KINDS: Mapping[str, Kind] = {
    "decided": Kind("What people decided", frozenset({Event.REVIEWED, Event.RESTORE_INTENDED, Event.RESTORED})),
    "opened": Kind("What people opened", frozenset({Event.VIEWED, Event.ACKNOWLEDGED})),
    "register": Kind("People, accounts, roll and policy", frozenset({Event.REGISTERED})),
    "signed_in": Kind("Signing in", frozenset({Event.SIGNED_IN})),
    "copies": Kind("Copies given out", frozenset({Event.EXPORTED})),
    "keeping": Kind(
        "Legal holds and disposals",
        frozenset({Event.LEGAL_HOLD, Event.LEGAL_HOLD_RELEASED, Event.DISPOSAL_ASKED, Event.DISPOSAL_REFUSED, Event.DISPOSED}),
    ),
    "comments": Kind(
        "What happened to comments",
        frozenset(
            {
                *(Event.FLAGGED, Event.ALERTED, Event.CAPTURED, Event.SEALED, Event.HIDE_INTENDED, Event.HIDE_FAILED, Event.HIDDEN),
                *(Event.HIDE_VERIFIED, Event.HELD, Event.WITHHELD, Event.GONE, Event.SUBMITTED),
            }
        ),
    ),
    "service": Kind(
        "The service itself",
        frozenset(
            {*(Event.OPENED, Event.VERIFIED, Event.RESTAMPED, Event.KEY_ROTATED, Event.DIGEST_SENT), *(Event.REROUTED, Event.BOUNCED)}
        ),
    ),
}
"""Every event is of exactly one kind."""

_REASONS = {
    "designated": "A person was designated",
    "designation_ended": "A designation was ended",
    "account_requested": "An account was asked for",
    "account_approved": "An account was approved",
    "account_withdrawn": "An account's approval was withdrawn",
    "password_attested": "A password change was attested",
    "roll_replaced": "The roll was replaced",
    "policy_changed": "The policy was changed",
    "policy_reviewed": "The yearly review of the policy was attested",
    "delegation_signed": "A delegation to the service was signed",
    "route_changed": "Who is told was changed",
    "house_rules_changed": "The house rules were changed",
    "route_rehearsed": "A rehearsal was sent to those who are told",
    "mail_words_changed": "What the school adds to its mails was changed",
    "token_made": "An API token was made",
    "token_ended": "An API token was ended",
    "webhook_made": "A webhook was made",
    "webhook_ended": "A webhook was ended",
    "absence_noted": "An absence was noted",
    "person_changed": "A person's entry was changed",
    "handed_over": "A designation was handed over",
    "invited": "A person was invited",
    "account_declined": "A request for an account was turned down",
    "account_connected": "An account was connected",
    "account_disconnected": "An account was disconnected",
    "not_personal_attested": "It was attested that an account is not personal",
    "delegation_withdrawn": "A delegation to the service was withdrawn",
    "absence_cancelled": "An absence was taken back",
    "passkey_added": "A passkey was added",
    "passkey_removed": "A passkey was removed",
    "password_changed": "A password was changed",
    "recovery_codes_made": "New recovery codes were made",
    "identity_bound": "A school sign-in was linked to a person",
    "identity_forgotten": "A school sign-in is no longer linked to a person",
    "advice_asked": "HR's advice was asked for",
    "advice_received": "HR's advice was received",
    "wishes_noted": "The target's wishes were noted",
    "escalated": "Handed up to somebody else",
    "list": "A list was copied out",
    Verdict.UPHOLD.value: "Decided: keep the decision",
    Verdict.RESTORE.value: "Decided: show it again",
    Verdict.RETRY.value: "Decided: try again",
    "police_report": "What was done with the police was noted",
}
_WAYS = {
    "password": "Signed in with a password",
    "passkey": "Signed in with a passkey",
    "recovery": "Signed in with a recovery code",
    "oidc": "Signed in with the school's own sign-in",
    "link": "Signed in with a link from the console",
    "refused": "A sign-in was refused",
    "passkey_copied": "A passkey was refused: it may have been copied",
}
_BY_REASON = frozenset({Event.REGISTERED, Event.REVIEWED})
"""Events whose reason says what happened better than they do."""


def happened_words(event: str, reason: str) -> str:
    """Return what a line says happened. A code we have no words for is given with spaces for its underscores."""
    if event in _BY_REASON and reason:
        return _REASONS.get(reason, reason.replace("_", " ").capitalize())
    if event == Event.SIGNED_IN:
        return _WAYS.get(reason, "Signed in")
    if event == Event.EXPORTED and reason in _REASONS:
        return _REASONS[reason]
    return "The service checked its own records" if event == Event.VERIFIED else event_words(event).replace("_", " ")


def actor_words(actor: str) -> str:
    """Return who acted when it was nobody of the register."""
    return {"service": "The service", "platform": "The platform", "console": "Somebody at the machine itself"}.get(actor, "")
