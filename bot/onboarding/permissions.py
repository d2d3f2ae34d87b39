"""Who may do what (pure). Identity comes from the signed payload, never from a button's value."""

from collections.abc import Collection
from enum import StrEnum

from bot.core.errors import NotAllowed
from bot.onboarding.people import Role


class Permission(StrEnum):
    """What a role may be permitted to do. The values are stored: never rename one."""

    CLIENT_STEP = "client_step"  # do and undo the client's steps, enter credentials, ask for help
    HEAVYSET_STEP = "heavyset_step"  # phase 6, the verification
    MANAGE = "manage"  # start, and the slash command as a whole
    REVEAL = "reveal"  # read a stored value
    REOPEN = "reopen"  # open an older step again
    GUESS = "guess"  # try out which values are stored


ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.CLIENT_STEP: frozenset({Role.CLIENT_ADMIN, Role.ENGINEER}),
    Permission.HEAVYSET_STEP: frozenset({Role.ENGINEER}),
    Permission.MANAGE: frozenset({Role.ENGINEER}),
    Permission.REVEAL: frozenset({Role.ENGINEER}),
    Permission.REOPEN: frozenset({Role.ENGINEER}),
    Permission.GUESS: frozenset(),
}

REFUSALS: dict[Permission, str] = {
    Permission.CLIENT_STEP: ("Only the client's team and HeavySet engineers can do this."),
    Permission.HEAVYSET_STEP: (
        "This one's on us; nothing for you to do. Questions? Press *I need help*."
    ),
    Permission.MANAGE: (
        "This command is for HeavySet engineers. If that's you, ask whoever runs this bot to add "
        "you to `ENGINEERS`."
    ),
    Permission.REVEAL: (
        "Only HeavySet engineers can see stored credentials. Need to fix one? Press *Replace* on "
        "its step."
    ),
    Permission.REOPEN: "Only HeavySet engineers can reopen an older step.",
    Permission.GUESS: (
        "No one can look up stored credentials this way. Please ask your HeavySet engineer."
    ),
}


def require(role: Role, permission: Permission) -> None:
    """Raise NotAllowed, with a text for the person, unless `role` has `permission`."""
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
    """Return the role of a person who is not an engineer, in the onboarding of this channel.

    `home`: they belong to HeavySet's workspace or organization. `organizations` are the ids of
    theirs; without one they have no role. `client_admins` were named at the start. `client_team` is
    the client's organization; while it is None, the first external person to act defines it.
    HeavySet's guests are client admins only by name, because their team is HeavySet's.
    """
    if not organizations:
        return Role.NOBODY
    if user_id in client_admins:
        return Role.CLIENT_ADMIN
    if home or (client_team is not None and client_team not in organizations):
        return Role.NOBODY
    return Role.CLIENT_ADMIN
