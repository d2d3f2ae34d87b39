"""The Web API methods that the sandbox knows: a table from name to what it takes and does."""

from sandbox.slack.web_api import auth, chat, conversations, items, people, views
from sandbox.slack.web_api.method import Method

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **items.METHODS,
    **people.METHODS,
    **views.METHODS,
}

__all__ = ["METHODS", "Method"]
