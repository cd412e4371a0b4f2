"""Fixtures every test may use, and the wall: no test reaches beyond this machine."""

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let tests talk to loopback and Unix sockets only."""
    from pytest_socket import socket_allow_hosts  # noqa: PLC0415 - a plugin's function, wanted only here

    del item
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
