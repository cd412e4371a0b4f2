"""X through tweepy, for `build`. Facts and traps: the project's page on platforms."""

from moderator.platforms.x.adapter import CAPABILITIES, XPlatform

__all__ = ["CAPABILITIES", "XPlatform"]
