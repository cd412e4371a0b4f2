"""How an account is connected to its platform, in plain words: what is asked for, and what a person gives. Used by ports.Connector."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How the platform lets a person say yes: on a page of its own, or by something they type here."""

    BROWSER = "browser"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission: the platform's own name for it, and one plain sentence on what it lets the service do."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Field:
    """Something a person types once, such as an app password. It is never shown again."""

    name: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What connecting an account of one platform asks. `called` is the platform's name as people write it."""

    called: str
    way: Way
    scopes: tuple[Scope, ...]
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """The platform's permission page (`url`, to which `&state=` is added), and what must stay here meanwhile."""

    url: str
    payload: Mapping[str, str]
