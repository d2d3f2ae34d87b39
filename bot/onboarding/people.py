"""Who may do what (pure). Identity comes from the signed payload, never from a button's value."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bot.core.errors import NotAllowed

# Slack's own helper, a user in every workspace, whom users.info does not call a bot.
SLACKBOT = "USLACKBOT"
# In place of ids in ENGINEERS: every full member of the home workspace.
EVERYONE = "everyone"


class Role(StrEnum):
    """What somebody is to one onboarding."""

    ENGINEER = "engineer"
    CLIENT_ADMIN = "client_admin"
    BOT = "bot"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Person:
    """Who pressed, typed or submitted. User ids are only unique together with the team's."""

    user_id: str
    team_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, in the role in which they did something: what the history records."""

    user_id: str
    team_id: str
    role: Role


class Permission(StrEnum):
    """The kinds of things that people do."""

    CLIENT_STEP = "client_step"  # do and undo the client's steps, enter credentials, ask for help
    HEAVYSET_STEP = "heavyset_step"  # phase 6, the verification
    MANAGE = "manage"  # start, and the slash command as a whole
    REVEAL = "reveal"  # read a stored value
    GUESS = "guess"  # try out which values are stored


ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.CLIENT_STEP: frozenset({Role.CLIENT_ADMIN, Role.ENGINEER}),
    Permission.HEAVYSET_STEP: frozenset({Role.ENGINEER}),
    Permission.MANAGE: frozenset({Role.ENGINEER}),
    Permission.REVEAL: frozenset({Role.ENGINEER}),
    Permission.GUESS: frozenset(),
}

REFUSALS: dict[Permission, str] = {
    Permission.CLIENT_STEP: ("Only the client's own team and HeavySet engineers can do this."),
    Permission.HEAVYSET_STEP: (
        "This is HeavySet Tech's part: an engineer does it, and there is nothing for you to do. "
        "Questions? Press “I need help”."
    ),
    Permission.MANAGE: (
        "Only HeavySet engineers can use this command. If you are one, ask the operator of the "
        "onboarding bot to add you to ENGINEERS."
    ),
    Permission.REVEAL: (
        "Only HeavySet engineers can see stored values. If one is wrong, press “Enter securely” "
        "and enter it again."
    ),
    Permission.GUESS: (
        "Nobody can look up stored values this way. Please ask your HeavySet engineer."
    ),
}


def require(role: Role, permission: Permission) -> None:
    """Raise NotAllowed, with words for the person, unless `role` may do `deed`."""
    if role not in ALLOWED[permission]:
        raise NotAllowed(REFUSALS[permission])


def client_role(
    user_id: str,
    *,
    home: bool,
    organizations: Collection[str],
    client_admins: Collection[str],
    client_team: str | None,
) -> Role:
    """Return what a person who is no engineer is to the onboarding whose channel they act in.

    `home`: they belong to HeavySet's workspace or organization. `organizations` are the ids of
    theirs; nobody is anything without one. `client_admins` were named at the start, and
    `client_team` is the client's organization; None: not known, so anybody from outside may be the
    first. HeavySet's guests are client admins only by name, as their team is HeavySet's.
    """
    if not organizations:
        return Role.NOBODY
    if user_id in client_admins:
        return Role.CLIENT_ADMIN
    if home or (client_team is not None and client_team not in organizations):
        return Role.NOBODY
    return Role.CLIENT_ADMIN
