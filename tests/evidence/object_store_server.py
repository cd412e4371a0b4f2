"""A real S3 with Object Lock, on loopback, for the vault's tests: LocalStack's. Started by `locked_store`, in an environment of its own.

Only its S3, behind a plain WSGI server: its own runtime would listen on every address, answer DNS, and report its use. The first line
printed is the port. A wall keeps it on this machine, whatever its parts may try.
"""

import importlib
import os
import socket
import sys
from typing import Any

SETTINGS = {
    "SERVICES": "s3",
    "STRICT_SERVICE_LOADING": "1",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "DNS_ADDRESS": "0",
    "DEBUG": "0",
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def wall() -> None:
    """Let this process open no connection beyond the machine."""
    connect = socket.socket.connect

    def to_this_machine(own: socket.socket, address: Any) -> None:  # the form of address is the family's
        if own.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            message = f"the test's object store may not reach {address[0]}"
            raise PermissionError(message)
        connect(own, address)

    setattr(socket.socket, "connect", to_this_machine)  # noqa: B010 - a plain assignment has another type


def main() -> None:
    """Serve until the process is ended."""
    wall()
    os.environ.update(SETTINGS)
    serving = importlib.import_module("werkzeug.serving")
    gateway = importlib.import_module("localstack.aws.app").LocalstackAwsGateway()
    application = importlib.import_module("rolo.gateway.wsgi").WsgiGateway(gateway)

    class Quiet(serving.WSGIRequestHandler):  # type: ignore[name-defined,misc]  # imported by name
        """Keeps connections open and says nothing of each request."""

        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            return

    server = serving.make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
