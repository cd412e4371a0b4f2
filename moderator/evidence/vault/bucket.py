"""One S3 bucket with versioning and Object Lock, one verb a request. Called by the S3 vault and by the check's S3 source.

Errors of the client library end here. Network, 5xx, throttling: Transient. The bucket says no: Refused. Not set up: BadInput. No
credential is ever in a message, and the library's own log, which shows headers, is kept at warnings.
"""

import base64
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # the library has no types
from botocore.config import Config  # type: ignore[import-untyped]  # as above
from botocore.exceptions import (  # type: ignore[import-untyped]  # as above
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from moderator.domain.errors import BadInput, Refused, Transient

AT_ONCE = 8
"""Requests side by side (our choice): a record has some fifteen objects."""
CHUNK = 1024 * 1024
PAGE = 1000
"""Versions listed at once: the most that S3 gives."""
_TRIES = 4
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeTooSkewed", "ConditionalRequestConflict"}
_CONFLICT = {"OperationAborted", "ConditionalRequestConflict"}
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404", "NotFound"}
_MISSING_SETTINGS = {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "MethodNotAllowed", "NotImplemented"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SERVER_ERROR = 500
_TOO_MANY = 429


class AlreadyThereError(Exception):
    """The key was taken by another upload since we looked."""


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where the vault is: plain, picklable, and without secrets. The key files are read when a client is opened.

    `prefix` is a folder in the bucket or ""; `endpoint_url` and `region` may be "" for AWS's own; without key files the machine's own
    credentials are used (an instance role). `retain_days`: how long an object is locked from the day it is stored.
    """

    bucket: str
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    ca_file: str = ""
    access_key_file: str = ""
    secret_key_file: str = ""
    retain_days: int = 2557

    def key(self, *parts: str) -> str:
        """Return the key of a path in the bucket."""
        return "/".join(part for part in (self.prefix.strip("/"), *parts) if part)

    def under(self, *parts: str) -> str:
        """Return what every key under a path begins with; "" for a whole bucket."""
        key = self.key(*parts)
        return f"{key}/" if key else ""


@dataclass(frozen=True, slots=True)
class Version:
    """One stored version of a key; a `marker` is a deletion that hides the key and holds nothing. `size` in bytes, time in UTC."""

    key: str
    id: str
    size: int
    stored_at: datetime
    marker: bool


class Bucket:
    """An open connection to the bucket. Safe from several threads; not across a fork (`open_bucket` makes one a process)."""

    def __init__(self, place: S3Place) -> None:
        """Open a client. Raises BadInput when a key file cannot be read or the region is not known. Sends nothing yet."""
        self.place = place
        for name in ("boto3", "botocore", "s3transfer", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            self._client = _client(replace(place, bucket="", prefix="", retain_days=0), os.getpid())
        except (BotoCoreError, ValueError) as error:
            message = f"[vault] the bucket {place.bucket!r} cannot be reached: {type(error).__name__}; see the guide to the vault"
            raise BadInput(message) from error

    def check(self) -> None:
        """Raise BadInput, in one line, unless the bucket keeps versions and locks objects, and not in compliance mode."""
        name = self.place.bucket
        door = urlsplit(self.place.endpoint_url)
        if door.scheme == "http" and door.hostname not in _LOOPBACK:
            message = (
                f"[vault] endpoint_url {self.place.endpoint_url} is not encrypted: records must not cross a network in clear; use https"
            )
            raise BadInput(message)
        try:
            with self._telling("be read"):
                versioning = self._client.get_bucket_versioning(Bucket=name).get("Status", "")
                lock = self._lock_settings()
        except FileNotFoundError as error:
            message = f"[vault] there is no bucket {name!r}: make it with versioning and Object Lock"
            raise BadInput(message) from error
        if versioning != "Enabled":
            message = (
                f"[vault] the bucket {name!r} does not keep versions: enable versioning and Object Lock, which it needs for good records"
            )
            raise BadInput(message)
        if lock.get("ObjectLockEnabled") != "Enabled":
            message = f"[vault] the bucket {name!r} has no Object Lock: enable it, or make a new bucket with it"
            raise BadInput(message)
        if lock.get("Rule", {}).get("DefaultRetention", {}).get("Mode") == "COMPLIANCE":
            message = (
                f"[vault] the bucket {name!r} locks in compliance mode by default: take that off; nobody could remove an unlawful image"
            )
            raise BadInput(message)

    def _lock_settings(self) -> dict[str, Any]:
        try:
            found = self._client.get_object_lock_configuration(Bucket=self.place.bucket)
        except ClientError as error:
            if _code(error) in _MISSING_SETTINGS:
                return {}
            raise
        return dict(found.get("ObjectLockConfiguration", {}))

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield every version and deletion under a prefix: keys in order, of one key the newest first. A thousand a request."""
        marks: dict[str, str] = {}
        while True:
            with self._telling("be listed"):
                page = self._client.list_object_versions(Bucket=self.place.bucket, Prefix=prefix, MaxKeys=PAGE, **marks)
            found = [
                *(_version(each, marker=False) for each in page.get("Versions", ())),
                *(_version(each, marker=True) for each in page.get("DeleteMarkers", ())),
            ]
            yield from sorted(found, key=lambda each: each.key)  # a stable sort: newest first stays so
            if not page.get("IsTruncated"):
                return
            marks = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def put(self, key: str, body: bytes | BinaryIO, *, sha256: bytes, until: datetime) -> str:
        """Store a new object, locked in governance mode until then; return its version.

        The server checks the bytes against `sha256` and refuses a key that is there. Raises AlreadyThereError.
        """
        request = {
            "Bucket": self.place.bucket,
            "Key": key,
            "Body": body,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": base64.b64encode(sha256).decode(),
            "ObjectLockMode": "GOVERNANCE",
            "ObjectLockRetainUntilDate": until,
        }
        with self._telling("take a file"):
            try:
                return str(self._client.put_object(**request, IfNoneMatch="*")["VersionId"])
            except ClientError as error:
                if _status(error) == 412:  # noqa: PLR2004 - Precondition Failed
                    raise AlreadyThereError(key) from error
                if _code(error) != "NotImplemented":
                    raise
            # A server that knows no conditional upload: the caller has looked, and compares every version afterwards.
            if not isinstance(body, bytes):
                body.seek(0)
            return str(self._client.put_object(**request)["VersionId"])

    @contextmanager
    def read(self, version: Version) -> Iterator[Iterator[bytes]]:
        """Give one version's bytes in pieces. Raises FileNotFoundError when it is gone, Transient when the line breaks."""
        with self._telling("be read"):
            body = self._client.get_object(Bucket=self.place.bucket, Key=version.key, VersionId=version.id)["Body"]
            try:
                yield body.iter_chunks(CHUNK)
            finally:
                body.close()

    def hold(self, version: Version, *, on: bool) -> None:
        """Put a legal hold on one version, or lift it. May be repeated."""
        with self._telling("hold a file"):
            self._client.put_object_legal_hold(
                Bucket=self.place.bucket, Key=version.key, VersionId=version.id, LegalHold={"Status": "ON" if on else "OFF"}
            )

    def held(self, version: Version) -> bool:
        """Return whether a legal hold is on one version."""
        with self._telling("be read"):
            head = self._client.head_object(Bucket=self.place.bucket, Key=version.key, VersionId=version.id)
        return bool(head.get("ObjectLockLegalHoldStatus") == "ON")

    def remove(self, key: str, version_id: str) -> None:
        """Remove one version for good, its retention notwithstanding (`s3:BypassGovernanceRetention`). May be repeated."""
        with self._telling("remove a file"):
            self._client.delete_object(Bucket=self.place.bucket, Key=key, VersionId=version_id, BypassGovernanceRetention=True)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._told(error, what) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            message = f"[vault] the bucket {self.place.bucket!r} cannot {what}: the service has no key to it; see the guide to the vault"
            raise BadInput(message) from error
        except BotoCoreError as error:
            message = f"the vault's bucket {self.place.bucket} does not answer: {type(error).__name__}"
            raise Transient(message) from error

    def _told(self, error: ClientError, what: str) -> Exception:
        code, status = _code(error), _status(error)
        if code in _ABSENT or code == "NoSuchBucket":
            return FileNotFoundError(2, "No such file or directory")
        said = f"the vault's bucket {self.place.bucket} cannot {what}: {code} ({status})"
        if status >= _SERVER_ERROR or status == _TOO_MANY or code in _BUSY | _CONFLICT:
            return Transient(said)
        return Refused(said)


def open_bucket(place: S3Place) -> Bucket:
    """Return this process's connection to the bucket."""
    return Bucket(place)


def _version(each: dict[str, Any], *, marker: bool) -> Version:
    return Version(each["Key"], each["VersionId"], int(each.get("Size", 0)), each["LastModified"].astimezone(UTC), marker)


@lru_cache(maxsize=4)
def _client(place: S3Place, process: int) -> Any:  # noqa: ANN401 - the library has no types
    """Return a client for every bucket behind one door: making one takes a third of a second."""
    del process  # a connection must not be shared with a forked child
    settings = Config(
        signature_version="s3v4",
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        max_pool_connections=4 * AT_ONCE,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if place.endpoint_url else "auto"},
    )
    keys = {}
    if place.access_key_file:
        keys = {
            "aws_access_key_id": _secret(place.access_key_file),
            "aws_secret_access_key": _secret(place.secret_key_file),
        }
    return boto3.session.Session().client(
        "s3",
        region_name=place.region or None,
        endpoint_url=place.endpoint_url or None,
        verify=place.ca_file or None,
        config=settings,
        **keys,
    )


def _secret(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"[vault] {path} cannot be read ({error.strerror}): it must hold the bucket's key"
        raise BadInput(message) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
