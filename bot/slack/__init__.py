"""Calls to Slack: nothing else uses the Web API."""

from bot.slack.channels import Channel as Channel
from bot.slack.errors import (
    ABOUT_THE_MESSAGE as ABOUT_THE_MESSAGE,
    NO_THREAD as NO_THREAD,
    NotInThread as NotInThread,
    NotNow as NotNow,
    RateLimited as RateLimited,
    SlackRefused as SlackRefused,
    raise_for_rate_limit as raise_for_rate_limit,
    translated as translated,
)
from bot.slack.people import User as User
from bot.slack.private_delivery import Recipient as Recipient, tell_privately as tell_privately
from bot.slack.scopes import OPTIONAL_SCOPES as OPTIONAL_SCOPES, SCOPES as SCOPES
from bot.slack.web_api import (
    TIMEOUT_SECONDS as TIMEOUT_SECONDS,
    OpenView as OpenView,
    Slack as Slack,
)
