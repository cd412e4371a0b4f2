"""A timestamp authority over HTTP (RFC 3161), and the patience with one that does not answer. Called by the sealing and the late stamps."""

import re
import threading
import time
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import cast

import requests
import urllib3
from cryptography import x509
from rfc3161_client import TimestampRequestBuilder
from rfc3161_client.base import HashAlgorithm

from moderator.domain.errors import BadInput, Transient, Unanswered
from moderator.domain.times import SystemClock
from moderator.evidence.seal.ordered import in_order
from moderator.evidence.seal.token import HASHES, SHA256, SHA512, read_token
from moderator.ports import Clock, TimestampAuthority

AUTHORITY_NAME = re.compile(r"(?!.*-[0-9]{4}$)[a-z0-9][a-z0-9-]*")
"""No hyphen and four digits at the end: that is how the chain of a renewal is named."""
POLICY = re.compile(r"[0-2](\.[0-9]+)+")
MAX_ANSWER = 256 * 1024
"""Bytes of a stamp we read at most; a real one is 2 to 8 KB (our choice)."""
CLOCKS_APART = timedelta(minutes=10)
"""How far a stamp's time may be from this machine's: the check allows no more between stamp and capture (RECORD.md)."""
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)
"""How long an authority is left alone after it failed: doubling (our choice)."""
_REQUEST_HASHES = {SHA256: HashAlgorithm.SHA256, SHA512: HashAlgorithm.SHA512}
_PIECE = 16 * 1024


class HttpAuthority:
    """An RFC 3161 authority reached over HTTP; implements ports.TimestampAuthority."""

    def __init__(  # noqa: PLR0913 - one argument a setting
        self, name: str, url: str, chain_pem: bytes, *, policy: str = "", timeout: float = 10.0, clock: Clock | None = None
    ) -> None:
        """Take a short name, the authority's address, its certificate chain (PEM), its policy if one is asked for, and seconds to wait.

        Raises BadInput for a name, policy or chain that cannot be used.
        """
        if not AUTHORITY_NAME.fullmatch(name):
            message = (
                f"{name!r} cannot name a timestamp authority: use lower-case letters, digits and hyphens, and no four digits at the end"
            )
            raise BadInput(message)
        if policy and not POLICY.fullmatch(policy):
            message = f"timestamps: {name}: the policy {policy!r} is not a dotted number, such as 1.3.6.1.4.1.4146.2.3"
            raise BadInput(message)
        try:
            x509.load_pem_x509_certificates(chain_pem)
        except ValueError as error:
            message = f"timestamps: {name}: chain_file holds no certificate in PEM; get the authority's chain from its website"
            raise BadInput(message) from error
        self._name, self._url, self._policy, self._timeout = name, url, policy, timeout
        self._clock: Clock = clock or SystemClock()
        self.chain_pem = chain_pem

    @property
    def name(self) -> str:
        """Return the short name used in file names."""
        return self._name

    def stamp(self, data: bytes, *, hashed_by: str = SHA256) -> tuple[bytes, bytes]:
        """Return a checked stamp over the hash of `data` (`sha256` or `sha512`), and the chain in PEM.

        Raises Unanswered when none can be had now, or what came is not a stamp over this question by this authority at this time.
        """
        builder = TimestampRequestBuilder().data(data).hash_algorithm(_REQUEST_HASHES[hashed_by]).nonce()
        request = builder.cert_request(cert_request=True).build()
        token = in_order(self._ask(request.as_bytes()))
        self._check(token, data, request.nonce, HASHES[hashed_by])
        return token, self.chain_pem

    def _ask(self, query: bytes) -> bytes:
        """Return the answer's bytes. The time limit is for all of it: an answer that drips in byte by byte is none."""
        until = time.monotonic() + self._timeout
        headers = {"Content-Type": "application/timestamp-query", "Accept-Encoding": "identity"}
        try:
            with requests.post(self._url, data=query, headers=headers, timeout=self._timeout, stream=True, allow_redirects=False) as got:
                if got.status_code != requests.codes.ok:
                    message = f"the timestamp authority {self._name} answers with status {got.status_code}"
                    raise Unanswered(message)
                return self._read(cast("urllib3.HTTPResponse", got.raw), until)
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            message = f"the timestamp authority {self._name} does not answer: {type(error).__name__}"
            raise Unanswered(message) from error

    def _read(self, raw: urllib3.HTTPResponse, until: float) -> bytes:
        answer = b""
        while piece := raw.read1(_PIECE):
            answer += piece
            if len(answer) > MAX_ANSWER:
                message = f"the timestamp authority {self._name} answers more than a stamp can be"
                raise Unanswered(message)
            if time.monotonic() > until:
                message = f"the timestamp authority {self._name} takes longer than {self._timeout:g} seconds"
                raise Unanswered(message)
        return answer

    def _check(self, token: bytes, data: bytes, nonce: int | None, hashed_by: str) -> None:
        try:
            said = read_token(token, self.chain_pem, data)
        except BadInput as error:
            message = f"the timestamp authority {self._name} gave a stamp that does not hold: {error}"
            raise Unanswered(message) from error
        if said.nonce != nonce or said.hashed_by != hashed_by:
            message = f"the timestamp authority {self._name} answered another question"
            raise Unanswered(message)
        if self._policy and said.policy != self._policy:
            message = f"the timestamp authority {self._name} stamps by policy {said.policy}, not {self._policy}"
            raise Unanswered(message)
        apart = abs(said.at - self._clock.now())
        if apart > CLOCKS_APART:
            message = f"the clock of this machine and that of the timestamp authority {self._name} differ by {apart.total_seconds():.0f} s"
            raise Unanswered(message)


class Patient:
    """An authority that is left alone for a while once it failed, twice as long each time; implements ports.TimestampAuthority.

    One for each authority and process, shared by the sealing and the late stamps: ten thousand waiting records cost one question an hour,
    and a dead authority slows one record, not every record.
    """

    def __init__(self, authority: TimestampAuthority, clock: Clock) -> None:
        """Wrap an authority."""
        self._authority, self._clock = authority, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._failed_at: datetime | None = None

    @property
    def name(self) -> str:
        """Return the authority's name."""
        return self._authority.name

    @property
    def chain_pem(self) -> bytes | None:
        """Return the authority's chain in PEM, where it tells."""
        chain = getattr(self._authority, "chain_pem", None)
        return chain if isinstance(chain, bytes) else None

    @property
    def resting(self) -> bool:
        """Return whether the authority is left alone now. A clock that was set back ends the rest: a question too many does no harm."""
        with self._lock:
            if self._failed_at is None:
                return False
            rest = min(FIRST_REST * (1 << min(self._failures - 1, 20)), LONGEST_REST)
            return self._failed_at <= self._clock.now() < self._failed_at + rest

    def stamp(self, data: bytes, *, hashed_by: str = SHA256) -> tuple[bytes, bytes]:
        """Return a stamp and its chain. Raises Unanswered when none can be had, at once while the authority is left alone."""
        if self.resting:
            message = f"the timestamp authority {self.name} did not answer lately; it is asked again soon"
            raise Unanswered(message)
        try:
            had = self._authority.stamp(data, hashed_by=hashed_by)
        except Transient:
            with self._lock:
                self._failures += 1
                self._failed_at = self._clock.now()
            raise
        with self._lock:
            self._failures, self._failed_at = 0, None
        return had
