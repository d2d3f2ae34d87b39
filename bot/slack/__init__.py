"""Calls to Slack: the only user of the Web API."""

from bot.slack.channels import Bookmark, Channel
from bot.slack.errors import (
    NO_THREAD,
    NotInThread,
    NotNow,
    RateLimited,
    SlackRefused,
    raise_for_rate_limit,
    translated,
)
from bot.slack.people import Identity, User
from bot.slack.private_answers import Recipient, tell_privately
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES
from bot.slack.web_api import TIMEOUT_SECONDS, OpenView, Slack

__all__ = [
    "NO_THREAD",
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
    "Recipient",
    "Slack",
    "SlackRefused",
    "User",
    "raise_for_rate_limit",
    "tell_privately",
    "translated",
]
