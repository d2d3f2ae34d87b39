"""Who is who: engineers by Slack's own word, remembered for a short while."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.onboarding import Onboarding
from bot.people import Person, Role, client_role
from bot.setting_values import EVERYONE
from bot.slack import Slack, SlackRefused, User

REMEMBER_SECONDS = 300
# Of a crowd, only so many people are asked about (users.info is Tier 4: 100 a minute).
MOST_LOOKED_AT = 30


@dataclass(frozen=True, slots=True)
class Outsiders:
    """The people of other organisations in a channel; not `all` of them if it is a crowd."""

    people: Mapping[str, str | None]  # their time zones
    all: bool

    def without(self, user_ids: Collection[str]) -> "Outsiders":
        """Return the others."""
        kept = {one: zone for one, zone in self.people.items() if one not in user_ids}
        return replace(self, people=kept)

    @property
    def timezone(self) -> str | None:
        """Where most of them are, as far as Slack tells."""
        zones = Counter(filter(None, self.people.values()))
        return zones.most_common(1)[0][0] if zones else None


@dataclass(frozen=True, slots=True)
class Known:
    """What Slack says of a person, without which nobody can tell what they are to an onboarding."""

    person: Person
    home: bool
    engineer: bool

    def role_in(self, onboarding: Onboarding) -> Role:
        """Return what they are to `onboarding`, judged by a request from its channel."""
        if self.engineer:
            return Role.ENGINEER
        return client_role(self.person, home=self.home, client_admins=onboarding.client_admins)


class Directory:
    """Answers what somebody is to an onboarding."""

    def __init__(
        self,
        slack: Slack,
        engineers: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take ENGINEERS: ids of people and of user groups, or `everyone`."""
        self._slack, self._monotonic = slack, monotonic
        self._everyone = EVERYONE in engineers
        self._named = frozenset(one for one in engineers if not one.startswith("S"))
        self._groups = tuple(one for one in engineers if one.startswith("S"))
        self._users: dict[str, tuple[float, User]] = {}
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def known(self, person: Person) -> Known:
        """Return what Slack says of `person`.

        Raises Unavailable if that is to be asked for, and Slack does not answer.
        """
        home = await self.is_home(person)
        return Known(person, home, engineer=home and await self.is_engineer(person))

    async def is_home(self, person: Person) -> bool:
        """Whether somebody is of HeavySet's workspace, or of another one of its organisation."""
        # A request may come before the start has asked who we are.
        identity = self._slack.known or await self._slack.identify()
        if person.team_id in identity.home:
            return True
        if identity.enterprise_id is None:
            return False
        return (await self._user(person.user_id)).enterprise_id == identity.enterprise_id

    async def is_engineer(self, person: Person) -> bool:
        """Whether somebody is a HeavySet engineer: no guest, no bot, nobody deactivated."""
        if not await self._listed(person.user_id):
            return False
        if not await self.is_home(person):
            return False
        user = await self._user(person.user_id)
        # A slash command bears the workspace's team, whoever typed it: Slack's own word counts.
        team_id = user.team_id or person.team_id
        return user.full_member and await self.is_home(Person(person.user_id, team_id))

    async def person(self, user_id: str) -> Person:
        """Return somebody who is only known by id; without a team if Slack knows nobody."""
        return Person(user_id, (await self._user(user_id)).team_id)

    async def timezone(self, user_id: str) -> str | None:
        """Return the time zone that somebody has set in Slack, None if Slack does not tell it."""
        return (await self._user(user_id)).timezone

    async def outsiders(self, channel: str) -> Outsiders:
        """Return who of other organisations is in a channel: no bots, nobody deactivated.

        Raises Unavailable or SlackRefused if Slack does not tell who is there.
        """
        members = await self._slack.members(channel, MOST_LOOKED_AT)
        users = await asyncio.gather(*(self._user(user_id) for user_id in members))
        found = {
            user_id: user.timezone
            for user_id, user in zip(members, users, strict=True)
            if user.team_id and user.is_person and not self._is_ours(user)
        }
        return Outsiders(found, all=len(members) < MOST_LOOKED_AT)

    def _is_ours(self, user: User) -> bool:
        identity = self._slack.identity
        return user.team_id in identity.home or (
            user.enterprise_id is not None and user.enterprise_id == identity.enterprise_id
        )

    async def _listed(self, user_id: str) -> bool:
        if self._everyone or user_id in self._named:
            return True
        for group in self._groups:
            if user_id in await self._group(group):
                return True
        return False

    async def _user(self, user_id: str) -> User:
        at, user = self._users.get(user_id, (None, None))
        if user is None or at is None or self._monotonic() - at > REMEMBER_SECONDS:
            try:
                user = await self._slack.user(user_id)
            except SlackRefused:  # user_not_found, user_not_visible: nobody we know
                user = User("", None, full_member=False)
            self._users[user_id] = (self._monotonic(), user)
        return user

    async def _group(self, group: str) -> frozenset[str]:
        at, members = self._members.get(group, (None, None))
        if members is None or at is None or self._monotonic() - at > REMEMBER_SECONDS:
            members = await self._slack.group_members(group)
            self._members[group] = (self._monotonic(), members)
        return members
