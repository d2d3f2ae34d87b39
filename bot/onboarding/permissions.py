"""Who may do what (pure). Identity comes from the signed payload, never from a button's value."""

from enum import StrEnum

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
    Permission.CLIENT_STEP: "Only the client's team and HeavySet engineers can do this.",
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
