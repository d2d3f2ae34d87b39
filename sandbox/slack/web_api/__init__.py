"""The Web API methods that the sandbox knows: a table from name to what it takes and does."""

from sandbox.slack.web_api import (
    auth,
    bookmarks,
    channels,
    chat,
    connect,
    conversations,
    items,
    people,
    validation,
    views,
)
from sandbox.slack.web_api.method import Method

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **bookmarks.METHODS,
    **channels.METHODS,
    **chat.METHODS,
    **connect.METHODS,
    **conversations.METHODS,
    **items.METHODS,
    **people.METHODS,
    **validation.METHODS,
    **views.METHODS,
}

__all__ = ["METHODS", "Method"]
