"""X's field names, in one place; called by the adapter when it asks and by the parser when it reads.

X renamed `tweet.*` to `post.*` in version 2.167 of its API. Requests keep the old names, which tweepy knows and X still takes;
answers are read under either name.
"""

from collections.abc import Mapping
from typing import Final

POST_FIELDS: Final = (
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_history_tweet_ids",
    "in_reply_to_user_id",
    "note_tweet",
    "referenced_tweets",
)
ROOT_FIELDS: Final = ("author_id", "conversation_id", "created_at", "note_tweet")
EXPANSIONS: Final = ("author_id", "attachments.media_keys", "referenced_tweets.id", "referenced_tweets.id.author_id")
USER_FIELDS: Final = ("name", "username")
MEDIA_FIELDS: Final = ("type",)

INCLUDED_POSTS: Final = ("tweets", "posts")
EDIT_HISTORY: Final = ("edit_history_tweet_ids", "edit_history_post_ids")
REFERENCED: Final = ("referenced_tweets", "referenced_posts")
LONG_TEXT: Final = ("note_tweet", "note_post")

REPLIED_TO: Final = "replied_to"
QUOTED: Final = "quoted"
SHARED: Final = ("retweeted", "reposted")


def either(table: Mapping[str, object], names: tuple[str, str]) -> object:
    """Return the value under the old or the new name, or None."""
    old, new = names
    return table[old] if old in table else table.get(new)
