"""Real timestamp authorities for tests: certificates of our own, `openssl ts` behind a small HTTP door, and ways to misbehave."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from moderator.evidence.seal.authority import HttpAuthority, Patient
from moderator.ports import Clock

REFUSED = bytes.fromhex("30053003020102")
"""An RFC 3161 answer with status 2, rejection, and no token."""

_SETTINGS = """
[tsa]
default_tsa = t
[t]
serial = ./serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
certs = others.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """A running authority. `mode` makes it misbehave; `asked` keeps every question; `chain` is its chain in PEM."""

    folder: Path
    url: str = ""
    chain: bytes = b""
    ends: datetime = field(default_factory=lambda: datetime.now(UTC))
    mode: str = "good"
    asked: list[bytes] = field(default_factory=list)
    answer: bytes = b""

    def http(self, name: str = "tsa", *, clock: Clock | None = None, policy: str = "", timeout: float = 5.0) -> HttpAuthority:
        """Return the service's client of this authority."""
        return HttpAuthority(name, self.url, self.chain, clock=clock, policy=policy, timeout=timeout)

    def patient(self, clock: Clock, name: str = "tsa") -> Patient:
        """Return the client as the service wraps it."""
        return Patient(self.http(name, clock=clock), clock)

    def reply(self, query: bytes) -> bytes:
        """Return the answer to a query, by `openssl ts -reply`; in mode `stale` the answer before is given again."""
        if self.mode == "stale" and self.answer:
            return self.answer
        number = len(self.asked)
        (self.folder / f"{number}.tsq").write_bytes(query)
        made = ["openssl", "ts", "-reply", "-queryfile", f"{number}.tsq", "-config", "tsa.cnf", "-out", f"{number}.tsr"]
        subprocess.run(made, cwd=self.folder, check=True, capture_output=True)
        self.answer = (self.folder / f"{number}.tsr").read_bytes()
        return self.answer


def make(folder: Path, *, lives: timedelta = timedelta(days=400), between: bool = False) -> Authority:
    """Make the certificates of an authority: a root, perhaps one `between`, and the one that stamps, which ends after `lives`."""
    folder.mkdir()
    now = datetime.now(UTC).replace(microsecond=0)
    root_key, root = _certificate(f"{folder.name} root", now + timedelta(days=7300))
    key, above, others = root_key, root, b""
    chain = _pem(root)
    if between:
        key, above = _certificate(f"{folder.name} between", now + timedelta(days=3650), signer=(root_key, root))
        others = _pem(above)
        chain = others + chain
    own_key, own = _certificate(f"{folder.name} tsa", now + lives, signer=(key, above), stamps=True)
    (folder / "tsa.pem").write_bytes(_pem(own))
    (folder / "tsa.key").write_bytes(own_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "others.pem").write_bytes(others or _pem(root))
    (folder / "tsa.cnf").write_text(_SETTINGS)
    (folder / "serial").write_text("01\n")
    return Authority(folder, chain=chain, ends=own.not_valid_after_utc)


def _certificate(
    name: str,
    ends: datetime,
    *,
    signer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None,
    stamps: bool = False,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[1].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=30))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
        .add_extension(_usage(stamps=stamps), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if stamps:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return key, builder.sign(signer[0] if signer else key, SHA256())


def _usage(*, stamps: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=stamps,
        key_cert_sign=not stamps,
        crl_sign=not stamps,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@contextmanager
def running(authority: Authority) -> Iterator[Authority]:
    """Run an authority behind a door on loopback."""

    class Door(BaseHTTPRequestHandler):
        """Passes each query on, or misbehaves."""

        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(query)
            if authority.mode == "busy":
                self.send_error(503)
                return
            if authority.mode == "slow":
                time.sleep(1.5)
            bodies = {"junk": b"not a stamp", "huge": b"\0" * 300_000, "refused": REFUSED, "empty": b""}
            body = bodies[authority.mode] if authority.mode in bodies else authority.reply(query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._write(body)

        def _write(self, body: bytes) -> None:
            pieces = [body[at : at + 1] for at in range(len(body))] if authority.mode == "drip" else [body]
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    if len(pieces) > 1:
                        self.wfile.flush()
                        time.sleep(0.05)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    authority.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def openssl_accepts(folder: Path, token: str, over: str, chain: str, *, at: datetime) -> bool:
    """Return what the guide's own command says of a stamp: `openssl ts -verify -attime`."""
    asked = ["openssl", "ts", "-verify", "-attime", str(int(at.timestamp())), "-data", over, "-in", token, "-CAfile", chain]
    done = subprocess.run(asked, cwd=folder, check=False, capture_output=True, text=True)
    return done.returncode == 0 and "Verification: OK" in done.stdout + done.stderr
