"""Write ops/guides/who-may-do-what.md from the one table of who may do what, moderator/domain/access.py, and the routes' defaults.

Run by hand when the table changes: `python ops/who_may.py`. The same table gives the same file; a test of the house compares them.
"""

# ruff: noqa: INP001 - a script, run by its path

from pathlib import Path

from moderator.domain.access import ACTION_WORDS, MAY, OF_A_SCHOOL, ROLE_WORDS, SIGNS_FOR, STANDS_IN, TRUST_WIDE, Action, Role
from moderator.domain.routes import DEFAULTS, IN_ABSENCE, IN_CONFLICT, KIND_WORDS, RouteKind

GUIDE = Path(__file__).resolve().parent / "guides" / "who-may-do-what.md"

SHORT = {
    Role.CEO: "CEO",
    Role.SAFEGUARDING_LEAD: "TSL",
    Role.HEAD: "Head",
    Role.DEPUTY: "Deputy",
    Role.DSL: "DSL",
    Role.ADMIN: "Admin",
    Role.TRUSTEE: "Trustee",
    Role.AUDITOR: "Auditor",
}


def guide() -> str:
    """Return the guide's text."""
    return f"{_opening()}\n\n{_actions()}\n\n{_roles()}\n\n{_told()}\n"


def _opening() -> str:
    return (
        "# Who may do what\n\n"
        "This page is made from the table that the service itself checks (`moderator/domain/access.py`), by `ops/who_may.py`. "
        "What is not ticked here is refused. At another school nothing is allowed, and nothing is shown: it does not exist."
    )


def _actions() -> str:
    head = f"| | {' | '.join(SHORT[role] for role in Role)} |\n|---|{'|'.join(':-:' for _ in Role)}|"
    rows = [f"| {ACTION_WORDS[action]} | {' | '.join('yes' if role in MAY[action] else '' for role in Role)} |" for action in Action]
    stand_ins = _listed(STANDS_IN)
    return (
        f"## At the schools they are designated for\n\n{head}\n" + "\n".join(rows) + "\n\n"
        f"- Where no {SHORT[Role.DSL]} or {SHORT[Role.SAFEGUARDING_LEAD]} is there (none designated, away, or named in it), disclosures "
        f"and crises are seen by: {stand_ins}. Else nobody would see them.\n"
        "- A comment that names a person is kept from that very person: in lists, pages, alerts and digests. For that the register must "
        "say who they are on the roll.\n"
        "- Designating, approving, signing and changing the policy ask who you are again after half an hour."
    )


def _roles() -> str:
    rows = "\n".join(f"| {ROLE_WORDS[role]} ({SHORT[role]}) | {_where(role)} | {_signers(role)} |" for role in Role)
    return (
        f"## Roles\n\n| Role | Of | Signed by |\n|---|---|---|\n{rows}\n\n"
        "Nobody designates themselves. A school has one Headteacher at a time. The last one who can sign for a school cannot be ended "
        "before another is designated. Ending a designation signs the person out in the same moment."
    )


def _where(role: Role) -> str:
    if role in TRUST_WIDE and role in OF_A_SCHOOL:
        return "one school, or the whole trust"
    return "the whole trust" if role in TRUST_WIDE else "one school"


def _signers(role: Role) -> str:
    signers = [signer for signer in Role if role in SIGNS_FOR.get(signer, ())]
    return ", ".join(SHORT[signer] + (" (of one school)" if _only_of_school(signer, role) else "") for signer in signers)


def _only_of_school(signer: Role, role: Role) -> bool:
    return signer not in TRUST_WIDE and role in TRUST_WIDE


def _told() -> str:
    rows = "\n".join(f"| {KIND_WORDS[kind]} | {_listed(DEFAULTS[kind])} |" for kind in RouteKind)
    away = "\n".join(
        f"| {ROLE_WORDS[role]} | {_then(IN_ABSENCE[role])} | {_then(IN_CONFLICT[role])} |" for role in Role if role in IN_ABSENCE
    )
    return (
        "## Who is told\n\n"
        "The policy's own map of whom to tell is missing from its text. This is our assumption. The trust confirms or changes it, for each "
        f"school, under People, Who is told.\n\n| What happened | Told |\n|---|---|\n{rows}\n\n"
        "The person named is never told. Whoever is away, or missing, is stood in for:\n\n"
        f"| Instead of | when away or missing | when named |\n|---|---|---|\n{away}\n\n"
        "What names the Headteacher goes to nobody who works under them, whatever the route says. Only of harm to somebody, and of what is "
        "for the police, the Designated Safeguarding Lead is told all the same.\n\n"
        "A school whose register has no Headteacher is told at `head_email` of the settings. "
        "When nobody in the register is left, the trust's own mailbox is told (`email` under `[trust]` in the settings). Without one the "
        "alert waits, and the school hears that one does. Of people who are away, those of the route are told after all when nobody stands "
        "in: a mail that waits is better than none."
    )


def _listed(roles: object) -> str:
    return ", ".join(SHORT[role] for role in Role if role in roles)  # type: ignore[operator] # a set or a tuple of roles


def _then(roles: tuple[Role, ...]) -> str:
    return ", then ".join(SHORT[role] for role in roles)


if __name__ == "__main__":
    GUIDE.write_text(guide(), encoding="utf-8")
