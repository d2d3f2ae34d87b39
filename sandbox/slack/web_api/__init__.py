"""The Web API methods that the sandbox knows: a table from name to arguments and function."""

from sandbox.slack.web_api import (  # noqa: F401 (each adds its methods)
    auth,
    bookmarks,
    channels,
    chat,
    conversations,
    files,
    people,
    pins,
    slack_connect,
    validation,
    views,
)
from sandbox.slack.web_api.base import METHODS as METHODS, Method as Method
