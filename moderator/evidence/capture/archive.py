"""The captured page as a web archive: WACZ 1.1.1 round one WARC 1.1 file, for ReplayWeb.page and its like. Called by the recorder.

Written here, because the `wacz` package brings some thirty others along. Its validator (0.6.0) passed our files by hand: do it again after
a change here (CONTRIBUTING). A test replays one in ReplayWeb.page. What the gate refused is absent: there is no media in it.
Bodies are as the page got them, after content encodings were undone; headers that would contradict that are kept
under `x-archive-orig-`, as web archives do.
"""

import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from urllib.parse import urlsplit

from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped]  # it ships no types
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped]  # it ships no types

from moderator.evidence.capture.network import Exchange

SOFTWARE = "moderator"
_UNDONE = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Times inside the ZIP say nothing: the facts of the record do, and equal pages give equal archives."""


def wacz(exchanges: Sequence[Exchange], address: str, at: datetime) -> bytes:
    """Return the archive of a page at `address`, captured at `at`, as WACZ bytes. The same exchanges always give the same bytes."""
    warc, index = _warc(exchanges)
    pages = [
        {"format": "json-pages-1.0", "id": "pages", "title": "Captured pages"},
        {"id": "page", "url": address, "ts": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "title": address},
    ]
    files = {
        "archive/data.warc.gz": warc,
        # Plain: ReplayWeb.page reads a compressed index only by way of a second one, and else finds no page at all.
        "indexes/index.cdx": "".join(f"{line}\n" for line in index).encode(),
        "pages/pages.jsonl": "".join(f"{json.dumps(page)}\n" for page in pages).encode(),
    }
    package = json.dumps(
        {
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "software": SOFTWARE,
            "created": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "mainPageUrl": address,
            "mainPageDate": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "resources": [
                {"name": name.rpartition("/")[2], "path": name, "hash": f"sha256:{sha256(body).hexdigest()}", "bytes": len(body)}
                for name, body in files.items()
            ],
        },
        indent=2,
    ).encode()
    digest = json.dumps({"path": "datapackage.json", "hash": f"sha256:{sha256(package).hexdigest()}"}).encode()
    return _zipped({**files, "datapackage.json": package, "datapackage-digest.json": digest})


class _Writer(WARCWriter):  # type: ignore[misc]  # warcio ships no types
    """Buffers in memory. The package's own buffer is a temporary file that it never closes."""

    @staticmethod
    def _create_temp_file() -> BytesIO:
        return BytesIO()


def _warc(exchanges: Sequence[Exchange]) -> tuple[bytes, list[str]]:
    """Return the WARC file, and its index as sorted CDXJ lines."""
    out = BytesIO()
    writer = _Writer(out, gzip=True, warc_version="1.1")
    lines = []
    for number, one in enumerate(exchanges):
        start = out.tell()
        status = f"{one.status} {_reason(one.status)}".strip()
        http = StatusAndHeaders(status, [*_honest(one.headers), ("Content-Length", str(len(one.body)))], protocol="HTTP/1.1")
        extra = {
            "WARC-Date": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
            # Made from the content, so that the same capture gives the same archive.
            "WARC-Record-ID": f"<urn:uuid:{_uuid(f'{number} {one.address} {one.at.isoformat()}'.encode() + one.body)}>",
        }
        record = writer.create_warc_record(one.address, "response", payload=BytesIO(one.body), http_headers=http, warc_headers_dict=extra)
        writer.write_record(record)
        kind = next((value.partition(";")[0] for name, value in one.headers if name.lower() == "content-type"), "unk")
        entry = {
            "url": one.address,
            "mime": kind,
            "status": str(one.status),
            "digest": f"sha256:{sha256(one.body).hexdigest()}",
            "length": str(out.tell() - start),
            "offset": str(start),
            "filename": "data.warc.gz",
        }
        lines.append(f"{sort_key(one.address)} {one.at:%Y%m%d%H%M%S} {json.dumps(entry)}")
    return out.getvalue(), sorted(lines)


def sort_key(address: str) -> str:
    """Return the address in the order of the index: host name from its end, port, path and query in lower case."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.")
    turned = host if host.replace(".", "").isdecimal() else ",".join(reversed(host.split(".")))
    port = f":{parts.port}" if parts.port else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{turned}{port}){(parts.path or '/')}{query}".lower()


def _honest(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    lines = [(name, " ".join(value.splitlines())) for name, value in headers]
    return [(f"x-archive-orig-{name}" if name.lower() in _UNDONE else name, value) for name, value in lines]


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""


def _uuid(content: bytes) -> str:
    digits = sha256(content).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _zipped(files: dict[str, bytes]) -> bytes:
    """Return the files as a ZIP, stored and not packed: a reader takes parts of it by their place."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name, body in files.items():
            package.writestr(zipfile.ZipInfo(name, _EPOCH), body)
    return out.getvalue()
