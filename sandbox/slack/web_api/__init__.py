"""The Web API methods that the sandbox knows: a table from name to what it takes and does."""

from sandbox.slack.web_api import (
    auth,
    bookmarks,
    channels,
    chat,
    conversations,
    files,
    people,
    pins_and_reactions,
    slack_connect,
    validation,
    views,
)
from sandbox.slack.web_api.base import Method

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **bookmarks.METHODS,
    **channels.METHODS,
    **chat.METHODS,
    **slack_connect.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **pins_and_reactions.METHODS,
    **people.METHODS,
    **validation.METHODS,
    **views.METHODS,
}

__all__ = ["METHODS", "Method"]
