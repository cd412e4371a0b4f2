"""The ports: what the steps need of the world. Each has an in-memory or null version in the product, and a contract suite in tests."""

from moderator.ports.connecting import Connector
from moderator.ports.evidence import Intake, Ledger, NoStamper, RecordCheck, Recorder, RecordKeys, Stamper, TimestampAuthority, Vault
from moderator.ports.mailbox import Bounce, BouncedMail, BounceWrites, Mailbox, NoMailbox
from moderator.ports.policies import FixedPolicy, PolicySource
from moderator.ports.readers import Courier, NoCourier
from moderator.ports.store import KeepingReads, StampingReads, Store
from moderator.ports.unit import KeepingWrites, StampingWrites, Unit
from moderator.ports.world import Classifier, Clock, Composer, Credentials, Dispatcher, Mailer, Platform, PlatformFor, Token

__all__ = [
    "Bounce",
    "BounceWrites",
    "BouncedMail",
    "Classifier",
    "Clock",
    "Composer",
    "Connector",
    "Courier",
    "Credentials",
    "Dispatcher",
    "FixedPolicy",
    "Intake",
    "KeepingReads",
    "KeepingWrites",
    "Ledger",
    "Mailbox",
    "Mailer",
    "NoCourier",
    "NoMailbox",
    "NoStamper",
    "Platform",
    "PlatformFor",
    "PolicySource",
    "RecordCheck",
    "RecordKeys",
    "Recorder",
    "Stamper",
    "StampingReads",
    "StampingWrites",
    "Store",
    "TimestampAuthority",
    "Token",
    "Unit",
    "Vault",
]
