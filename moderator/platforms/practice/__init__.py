"""A small social network of our own, for rehearsals, the demo and the tests: it speaks X's API and shows public pages."""

from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.school import SCHOOL_HANDLE, SCHOOL_ID, SCHOOL_NAME, DemoCredentials, demo_credentials
from moderator.platforms.practice.server import Running, running, serve

__all__ = [
    "SCHOOL_HANDLE",
    "SCHOOL_ID",
    "SCHOOL_NAME",
    "DemoCredentials",
    "PracticeNetwork",
    "Running",
    "demo_credentials",
    "running",
    "serve",
]
