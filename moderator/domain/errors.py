"""What can go wrong, and what each error decides.

ModeratorError
├── BadInput            the user can mend it: exit code 2, a 4xx page, or a held item
├── Transient           try again later: the item waits
│   ├── RateLimited     try again at `until`; does not count as an attempt
│   ├── LeaseLost       another worker has the item now; leave it to that one
│   ├── Unreachable     nobody answers there: whatever else waits for that server need not be tried now
│   └── Unanswered      no timestamp authority gave a stamp that holds; the record waits for it
├── Unauthorised        the token is dead: the account waits for a person, its items wait with it
├── Refused             the platform or server says no to this one: the item is held for a person
│   └── ShutOut         the server lets nobody in: whatever else waits for it would be refused alike
├── Gone                the comment no longer exists on the platform
├── EvidenceFailed      no sealed record could be made: nothing is hidden, the item is held
└── NotAllowed          a rule of the lifecycle forbids this step
"""

from datetime import datetime


class ModeratorError(Exception):
    """The service could not do this."""


class BadInput(ModeratorError):  # noqa: N818 - reads as a sentence where it is raised
    """What was given cannot be used: the message says what, where and how to mend it."""


class Transient(ModeratorError):  # noqa: N818 - the family is named for the decision
    """It did not work this time; the same call may be repeated later."""


class RateLimited(Transient):
    """The platform asks us to wait."""

    def __init__(self, until: datetime) -> None:
        """Carry `until`, the aware UTC time from which the call may be repeated."""
        super().__init__(f"asked to wait until {until.isoformat(timespec='seconds')}")
        self.until = until


class LeaseLost(Transient):
    """The item is no longer ours: its lease ran out and another worker took it."""


class Unreachable(Transient):
    """Nobody answers there, or nothing can be said to them yet; it is not about what was to be handed over."""


class Unanswered(Transient):
    """No timestamp authority gave a stamp that holds; ask again later."""


class Unauthorised(ModeratorError):  # noqa: N818 - as above
    """The account's authorisation no longer works; a person must re-authorise it."""


class Refused(ModeratorError):  # noqa: N818 - as above
    """The other side refuses this call for good; repeating it will not help."""


class ShutOut(Refused):
    """The server lets us in for nothing at all; a person must mend the settings."""


class Gone(ModeratorError):  # noqa: N818 - as above
    """The comment does not exist on the platform any more."""


class EvidenceFailed(ModeratorError):  # noqa: N818 - as above
    """No sealed record could be made, so nothing may be hidden."""


class NotAllowed(ModeratorError):  # noqa: N818 - as above
    """The lifecycle forbids this step."""
