"""A stage on which the nightly check runs: the real check over the real vault, some sealed records, and hands that damage them."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet
from stage import Stage, comment

from moderator.domain.checks import CheckKind, CheckRun
from moderator.domain.digest import AlertKind
from moderator.domain.record import Verification
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.stored_check import StoredCheck
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.keyed import KeyedVault
from moderator.ports import RecordCheck
from moderator.settings import ASSETS
from moderator.steps.verify import verify
from moderator.store.ledger import LedgerFile
from moderator.store.outbox import ALERTS
from moderator.store.record_keys import StoredRecordKeys
from moderator.store.sealed import Sealer

TRUST = "evidence@trust.example"


class CountedCheck:
    """The real check, which remembers what it was asked, and can be made to fail first; implements ports.RecordCheck."""

    def __init__(self, real: RecordCheck) -> None:
        """Ask the real one."""
        self._real = real
        self.asked: list[tuple[str, ...]] = []
        self.failures: list[Exception] = []
        self.before: list[Callable[[], object]] = []

    def check(self, school: str, paths: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Verification:
        """Check."""
        self.asked.append(tuple(paths))
        if self.failures:
            raise self.failures.pop(0)
        if self.before:
            self.before.pop(0)()
        return self._real.check(school, paths, progress=progress)


def with_check(stage: Stage) -> tuple[Stage, CountedCheck]:
    """Return the stage with the real check of its vault."""
    ledger = stage.tools.ledger
    assert isinstance(ledger, LedgerFile)
    check = CountedCheck(StoredCheck(FolderVault(stage.folder / "vault"), ledger.path))
    tools = replace(stage.tools, check=check, trust="Oakfield Learning Trust", trust_email=TRUST)
    return replace(stage, tools=tools), check


def encrypted(stage: Stage) -> Stage:
    """Return the stage with a recorder that encrypts, and the keys in the database."""
    keys = StoredRecordKeys(stage.database, Sealer([Fernet.generate_key().decode()]), stage.clock)
    vault = FolderVault(stage.folder / "vault")
    signer = stage.tools.recorder._sealing._signer  # type: ignore[attr-defined] # noqa: SLF001 - the key in the ledger's first line
    sealing = Sealing(vault=vault, signer=signer, authorities=(), software="moderator test", keys=keys)
    recorder = StillRecorder(sealing=sealing, clock=stage.clock, templates=ASSETS / "templates")
    return replace(stage, tools=replace(stage.tools, recorder=recorder, vault=KeyedVault(vault, keys), record_keys=keys))


def sealed(stage: Stage, count: int = 3) -> list[str]:
    """Seal some records; return their paths in order of their numbers."""
    stage.platform.comments += [comment(number, f"You are an idiot {number}") for number in range(11, 11 + count)]
    stage.run("poll", "score", "decide", "record")
    return sorted(stage.tools.vault.paths(), key=lambda path: path.rpartition("/")[2])


def damage(stage: Stage, path: str, name: str = "data/page.html") -> None:
    """Change one file of a bag."""
    found = stage.folder / "vault" / path / name
    found.parent.chmod(0o700)
    found.chmod(0o600)
    found.write_bytes(b"<p>something else</p>")


def remove(stage: Stage, path: str) -> None:
    """Take a whole bag away."""
    folder = stage.folder / "vault" / path
    for each in (folder.parent, folder, folder / "data"):
        each.chmod(0o700)
    shutil.rmtree(folder)


def night(stage: Stage, *, days: int = 1) -> None:
    """Let it be the next night, and run the check."""
    stage.clock.move(timedelta(days=days))
    verify(stage.tools)


def runs(stage: Stage, kind: CheckKind = CheckKind.SAMPLE) -> CheckRun:
    """Return the last run."""
    found = stage.database.last_check("oakfield", kind)
    assert found is not None
    return found


def alerts(stage: Stage) -> list[str]:
    """Return what each evidence alert says, oldest first."""
    with stage.database.reading() as connection:
        wanted = sa.select(ALERTS.c.what).where(ALERTS.c.kind == AlertKind.EVIDENCE.value).order_by(ALERTS.c.id)
        return list(connection.execute(wanted).scalars())
