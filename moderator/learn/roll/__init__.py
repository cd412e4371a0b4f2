"""The roll of people the school protects: kept as keyed tokens only, matched against comments in every form a comment may use (R20, R29).

A token is BLAKE2b over a normalised form of a name, keyed with a secret that lives outside the database: without the key the tokens say
nothing. Matching hashes the words of a comment the same way. Called by the classifier, `moderator roll import` and `moderator assess`.
"""

from moderator.learn.roll.match import RollMatcher
from moderator.learn.roll.tokens import roll_tokens

__all__ = ["RollMatcher", "roll_tokens"]
