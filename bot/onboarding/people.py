"""People: who pressed or typed something, and their role in an onboarding."""

from dataclasses import dataclass
from enum import StrEnum

# Slack's built-in helper, a user of every workspace that users.info does not call a bot.
SLACKBOT = "USLACKBOT"
# Instead of ids in ENGINEERS: every full member of the home workspace.
EVERYONE = "everyone"


class Role(StrEnum):
    ENGINEER = "engineer"
    CLIENT_ADMIN = "client_admin"
    BOT = "bot"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Person:
    """The person who pressed, typed or submitted. A user id is unique only with its team id."""

    user_id: str
    team_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and in which role, as the history records it."""

    user_id: str
    team_id: str
    role: Role


# The actor of everything that the bot does on its own.
BOT = Actor("", "", Role.BOT)


@dataclass(frozen=True, slots=True)
class UserRef:
    """A user in a text, which each view shows in its own way."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ChannelRef:
    channel: str
