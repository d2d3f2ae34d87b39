"""Slack out: the only caller of the Web API."""

from bot.slack.channels import Bookmark, Channel
from bot.slack.errors import NotInThread, NotNow, RateLimited, SlackRefused, heed, translated
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES
from bot.slack.web_api import TIMEOUT_SECONDS, Identity, OpenView, Slack, User

__all__ = [
    "OPTIONAL_SCOPES",
    "SCOPES",
    "TIMEOUT_SECONDS",
    "Bookmark",
    "Channel",
    "Identity",
    "NotInThread",
    "NotNow",
    "OpenView",
    "RateLimited",
    "Slack",
    "SlackRefused",
    "User",
    "heed",
    "translated",
]
