"""Who may do what: the one table that the pages, the API, the guide and the tests are all made from. Default deny (R3)."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is designated as."""

    CEO = "ceo"
    SAFEGUARDING_LEAD = "tsl"
    HEAD = "head"
    DEPUTY = "deputy"
    DSL = "dsl"
    ADMIN = "admin"
    TRUSTEE = "trustee"
    AUDITOR = "auditor"


ROLE_WORDS: Mapping[Role, str] = {
    Role.CEO: "Trust CEO or COO",
    Role.SAFEGUARDING_LEAD: "Trust Safeguarding Lead",
    Role.HEAD: "Headteacher",
    Role.DEPUTY: "Deputy (senior leadership)",
    Role.DSL: "Designated Safeguarding Lead",
    Role.ADMIN: "Account admin",
    Role.TRUSTEE: "Trustee",
    Role.AUDITOR: "Auditor",
}

TRUST_WIDE = frozenset({Role.CEO, Role.SAFEGUARDING_LEAD, Role.TRUSTEE, Role.AUDITOR})
"""Roles of the whole trust: their designation names no school. An auditor may also be of one school."""

OF_A_SCHOOL = frozenset({Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN, Role.AUDITOR})

SIGNS_FOR: Mapping[Role, frozenset[Role]] = {
    Role.CEO: frozenset(Role),
    Role.HEAD: frozenset({Role.DEPUTY, Role.DSL, Role.ADMIN, Role.AUDITOR}),
}
"""Whose designation each role may sign and end (R3: under the direction of the CEO, COO or Headteacher)."""


class Action(StrEnum):
    """One thing a person may be allowed to do, at a school."""

    SEE_ITEMS = "see_items"
    SEE_SAFEGUARDING = "see_safeguarding"
    DECIDE = "decide"
    HAND_IN = "hand_in"
    SEE_RECORDS = "see_records"
    EXPORT = "export"
    KEEP_RECORDS = "keep_records"
    SEE_DIGESTS = "see_digests"
    SEE_ACCOUNTS = "see_accounts"
    REQUEST_ACCOUNT = "request_account"
    CONNECT_ACCOUNT = "connect_account"
    APPROVE_ACCOUNT = "approve_account"
    SEE_PEOPLE = "see_people"
    DESIGNATE = "designate"
    SIGN = "sign"
    SEE_ROLL = "see_roll"
    CHANGE_ROLL = "change_roll"
    SEE_POLICY = "see_policy"
    CHANGE_POLICY = "change_policy"
    SEE_ACTIVITY = "see_activity"
    SEE_HEALTH = "see_health"
    SEE_COUNTS = "see_counts"
    MANAGE_READERS = "manage_readers"


ACTION_WORDS: Mapping[Action, str] = {
    Action.SEE_ITEMS: "See flagged comments and their records",
    Action.SEE_SAFEGUARDING: "See disclosures and crises",
    Action.DECIDE: "Decide: keep, show again, escalate, withhold, ask HR",
    Action.HAND_IN: "Hand in a screen print",
    Action.SEE_RECORDS: "Search records and take their files",
    Action.EXPORT: "Copy lists of records out",
    Action.KEEP_RECORDS: "Hold records, propose their disposal, decide on another person's proposal",
    Action.SEE_DIGESTS: "Read digests",
    Action.SEE_ACCOUNTS: "See the accounts",
    Action.REQUEST_ACCOUNT: "Ask for an account, attest password changes",
    Action.CONNECT_ACCOUNT: "Connect an account to its platform",
    Action.APPROVE_ACCOUNT: "Approve and withdraw accounts",
    Action.SEE_PEOPLE: "See who is designated",
    Action.DESIGNATE: "Designate people, end designations, note absences",
    Action.SIGN: "Sign delegations, routes and house rules",
    Action.SEE_ROLL: "See how many names the roll holds",
    Action.CHANGE_ROLL: "Replace the roll",
    Action.SEE_POLICY: "See the policy and try thresholds",
    Action.CHANGE_POLICY: "Change the policy",
    Action.SEE_ACTIVITY: "See who did what",
    Action.SEE_HEALTH: "See how the service is",
    Action.SEE_COUNTS: "See the termly counts",
    Action.MANAGE_READERS: "Make and end API tokens and webhooks",
}

_REVIEWERS = frozenset({Role.CEO, Role.SAFEGUARDING_LEAD, Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN})
_SIGNERS = frozenset({Role.CEO, Role.HEAD})
_READS_ALL = _REVIEWERS | {Role.AUDITOR}

MAY: Mapping[Action, frozenset[Role]] = {
    Action.SEE_ITEMS: _READS_ALL,
    Action.SEE_SAFEGUARDING: frozenset({Role.SAFEGUARDING_LEAD, Role.DSL}),
    Action.DECIDE: _REVIEWERS,
    Action.HAND_IN: _REVIEWERS,
    Action.SEE_RECORDS: _READS_ALL,
    Action.EXPORT: _READS_ALL - {Role.ADMIN},
    Action.KEEP_RECORDS: _REVIEWERS - {Role.ADMIN},
    Action.SEE_DIGESTS: _READS_ALL,
    Action.SEE_ACCOUNTS: _READS_ALL,
    Action.REQUEST_ACCOUNT: _SIGNERS | {Role.ADMIN},
    Action.CONNECT_ACCOUNT: _SIGNERS | {Role.ADMIN},
    Action.APPROVE_ACCOUNT: _SIGNERS,
    Action.SEE_PEOPLE: _READS_ALL,
    Action.DESIGNATE: _SIGNERS,
    Action.SIGN: _SIGNERS,
    Action.SEE_ROLL: _READS_ALL,
    Action.CHANGE_ROLL: _SIGNERS | {Role.DSL, Role.ADMIN},
    Action.SEE_POLICY: _READS_ALL,
    Action.CHANGE_POLICY: _SIGNERS,
    Action.SEE_ACTIVITY: _SIGNERS | {Role.SAFEGUARDING_LEAD, Role.AUDITOR},
    Action.SEE_HEALTH: _READS_ALL,
    Action.SEE_COUNTS: frozenset({Role.TRUSTEE, Role.CEO, Role.SAFEGUARDING_LEAD, Role.HEAD, Role.AUDITOR}),
    Action.MANAGE_READERS: _SIGNERS,
}
"""The table. An action that is not here is nobody's; a role that is not in its set may not do it."""

STANDS_IN: frozenset[Role] = _SIGNERS
"""Who sees disclosures at a school where nobody is designated to: else nobody would (R15; nothing seen is lost)."""
