"""Who may do what (pure). Identity comes from the signed payload, never from a button's value."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import NotAllowed


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


class Deed(StrEnum):
    """The kinds of things that people do."""

    CLIENT_STEP = "client_step"  # do and undo the client's steps, enter credentials, ask for help
    HEAVYSET_STEP = "heavyset_step"  # phase 6, the verification
    MANAGE = "manage"  # start, and the slash command as a whole
    REVEAL = "reveal"  # read a stored value


ALLOWED: dict[Deed, frozenset[Role]] = {
    Deed.CLIENT_STEP: frozenset({Role.CLIENT_ADMIN, Role.ENGINEER}),
    Deed.HEAVYSET_STEP: frozenset({Role.ENGINEER}),
    Deed.MANAGE: frozenset({Role.ENGINEER}),
    Deed.REVEAL: frozenset({Role.ENGINEER}),
}

REFUSALS: dict[Deed, str] = {
    Deed.CLIENT_STEP: (
        "Only the client's own team in this channel and HeavySet engineers can do this. "
        "Ask the engineer who is named in the first message of the thread to add you."
    ),
    Deed.HEAVYSET_STEP: (
        "This is HeavySet Tech's part: an engineer does it, and there is nothing for you to do. "
        "Questions? Press “I need help”."
    ),
    Deed.MANAGE: (
        "Only HeavySet engineers can use this command. If you are one, ask the operator of the "
        "onboarding bot to add you to ENGINEERS."
    ),
    Deed.REVEAL: (
        "Only HeavySet engineers can see stored values. If one is wrong, press “Enter securely” "
        "and enter it again."
    ),
}


def require(role: Role, deed: Deed) -> None:
    """Raise NotAllowed, with words for the person, unless `role` may do `deed`."""
    if role not in ALLOWED[deed]:
        raise NotAllowed(REFUSALS[deed])


def client_role(person: Person, *, home: bool, client_admins: Collection[str]) -> Role:
    """Return what a person who is no engineer is to the onboarding whose channel they act in.

    `home`: they belong to HeavySet's workspace or organisation; no team at all counts as external.
    `client_admins` were named at the start. HeavySet's guests are client admins only by name, as
    their team is HeavySet's.
    """
    if person.user_id in client_admins or not home:
        return Role.CLIENT_ADMIN
    return Role.NOBODY
