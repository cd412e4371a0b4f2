"""Where the app is reached, as the browser names it: `https://moderator.school.example`. Used for Host and Origin checks and cookies."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from moderator.domain.errors import BadInput

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of the app's public address, in lower case."""

    scheme: str
    name: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return the origin of the app's address.

        Raises BadInput for an address with a path, or one without TLS that is not this machine's own: the sign-in would travel in clear.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in _PORTS or not parts.hostname or port == -1 or parts.path not in {"", "/"} or parts.query or parts.username:
            message = f"review address {url!r}: give scheme and host only, such as https://moderator.school.example"
            raise BadInput(message)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            message = f"review address {url!r}: use https; without it the sign-in could be read on the network"
            raise BadInput(message)
        return cls(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])

    @property
    def https(self) -> bool:
        """Return whether the app is reached over TLS."""
        return self.scheme == "https"

    @property
    def host(self) -> str:
        """Return the Host header a browser sends: the port is left out when it is the scheme's own."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def text(self) -> str:
        """Return the Origin header a browser sends, which is also the start of every link."""
        return f"{self.scheme}://{self.host}"
