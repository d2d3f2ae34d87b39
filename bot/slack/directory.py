"""Who is who, by Slack's own word: what somebody is to an onboarding, and who the engineers are."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bot.core.background import BackgroundTasks
from bot.core.deadline import before_deadline
from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Onboarding
from bot.onboarding.people import EVERYONE, Person, Role, client_role
from bot.slack import Identity, Slack, SlackRefused, User
from bot.slack.lookups import SPARE_SECONDS, Lookups

log = logging.getLogger(__name__)

# Of a crowd, only so many people are asked about (users.info is Tier 4: 100 a minute).
MOST_LOOKED_AT = 30
# Of the client's people, so many are asked which organization they are of.
MOST_CONTACTS = 5
PROBLEMS = {
    "": "Slack doesn't know this person",
    "deleted": "deactivated",
    "is_bot": "a bot",
    "is_workflow_bot": "a bot",
    "is_connector_bot": "a bot",
    "is_stranger": "of another organization",
    "is_restricted": "a guest",
    "is_ultra_restricted": "a guest",
}


class Undecided(OnboardingError):
    """Which organization an onboarding is of can only be told by looking at `people`."""

    def __init__(self, people: Sequence[str]) -> None:
        """Take who is known to be of the client."""
        super().__init__("which organization the onboarding is of is not known")
        self.people = people


@dataclass(frozen=True, slots=True)
class ExternalMembers:
    """The people of other organizations in a channel; not `all` of them if it is a crowd."""

    people: Mapping[str, User]
    all: bool

    def without(self, user_ids: Collection[str]) -> "ExternalMembers":
        """Return the others."""
        kept = {one: user for one, user in self.people.items() if one not in user_ids}
        return replace(self, people=kept)

    @property
    def organizations(self) -> frozenset[str]:
        """The organizations that they are of."""
        return frozenset(user.organization for user in self.people.values())

    @property
    def timezone(self) -> str | None:
        """Where most of them are, as far as Slack tells."""
        zones = Counter(user.timezone for user in self.people.values() if user.timezone)
        return zones.most_common(1)[0][0] if zones else None


@dataclass(frozen=True, slots=True)
class Membership:
    """What is known of a person, without which nobody can tell what they are to an onboarding.

    `person` has the team that Slack names, if the request named none. `organizations` are the ids
    of theirs, the most telling first; none: nobody may act under that name. Unless `certain`, they
    come from the request alone. `contacts` is the organization of the client's people, once asked.
    """

    person: Person
    home: bool = False
    engineer: bool = False
    organizations: tuple[str, ...] = ()
    certain: bool = True
    contacts: str | None = None

    def role_in(self, onboarding: Onboarding) -> Role:
        """Return what they are to `onboarding`, judged by a request from its channel.

        Raises Undecided where the client's people have to be looked up first, and Unavailable if
        Slack would have to say more.
        """
        if self.engineer:
            return Role.ENGINEER
        client_team = onboarding.client_team or self.contacts
        role = client_role(
            self.person.user_id,
            home=self.home,
            organizations=self.organizations,
            client_admins=onboarding.client_admins,
            client_team=client_team,
        )
        if self.home or self.person.user_id in onboarding.client_admins:
            return role
        if client_team is None and role is Role.CLIENT_ADMIN and onboarding.client_people:
            raise Undecided(onboarding.client_people[:MOST_CONTACTS])
        if role is Role.NOBODY and self.organizations and not self.certain:
            raise Unavailable("Slack does not say of which organization somebody is")
        return role

    def joined_to(self, onboarding: Onboarding) -> Onboarding:
        """Return `onboarding`, in which they act for the client, as that of their organization.

        Who was named and is of yet another organization changes nothing.
        """
        team = onboarding.client_team or self.contacts
        if self.home or not self.organizations or (team and team not in self.organizations):
            return onboarding
        # A workspace's id gives way to that of its Enterprise Grid organization, never back.
        theirs = self.organizations[0] if self.certain or not team else team
        return replace(onboarding, client_team=theirs)


@dataclass(frozen=True, slots=True)
class Group:
    """A user group's members; none, and `refusal`, if Slack does not tell them."""

    members: frozenset[str] = field(default_factory=frozenset)
    refusal: str = ""


class Directory:
    """Answers what somebody is to an onboarding."""

    def __init__(
        self,
        slack: Slack,
        engineers: Sequence[str],
        tasks: BackgroundTasks,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take ENGINEERS: ids of people and of user groups, or `everyone`; `tasks` own lookups."""
        self._slack = slack
        self._everyone = EVERYONE in engineers
        self._named = tuple(one for one in engineers if one[0] in "UW")
        self._groups = tuple(one for one in engineers if one[0] == "S")
        # Whom Slack does not know yet, it may know in a moment.
        self._users = Lookups(self._ask_user, lambda user: user.is_person, tasks, monotonic)
        self._members = Lookups(self._ask_group, lambda _: True, tasks, monotonic)
        self._logged: set[str] = set()

    async def membership(self, person: Person, *, afresh: bool = False) -> Membership:
        """Return what is known of `person`, first of all by Slack's own word.

        Raises Unavailable if Slack does not answer, and the request alone does not tell enough;
        `afresh`: whenever Slack does not answer, as nothing that is remembered counts.
        """
        # A request may come before the start has asked who we are.
        identity = self._slack.cached_identity or await self._slack.identify()
        told = _of_request(person, identity)
        user = await self._user(person.user_id, told, afresh=afresh)
        certain = user is not told
        if not user.team_id and person.team_id:  # Slack does not show them to us
            user, certain = User(person.team_id, flag="is_restricted"), False
        home = _is_ours(user, identity)
        return Membership(
            Person(person.user_id, person.team_id or user.team_id),
            home=home,
            engineer=home
            and user.full_member
            and await self._listed(person.user_id, afresh=afresh),
            organizations=_ids(user, person) if user.is_person else (),
            certain=certain,
        )

    async def with_contacts(self, known: Membership, people: Sequence[str]) -> Membership:
        """Return `known` with the organization of most of the client's `people`, if outside."""
        identity = self._slack.identity
        users = await asyncio.gather(*(self._users.get(one) for one in people))
        theirs = Counter(
            user.organization for user in users if user.team_id and not _is_ours(user, identity)
        )
        found = theirs.most_common(1)
        return replace(known, contacts=found[0][0] if found else known.organizations[0])

    async def is_engineer(self, user_id: str) -> bool:
        """Whether somebody is a HeavySet engineer: no guest, no bot, nobody deactivated."""
        return (await self.membership(Person(user_id, ""))).engineer

    async def timezone(self, user_id: str) -> str | None:
        """Return the time zone that somebody has set in Slack, None if Slack does not tell it."""
        return (await self._users.get(user_id)).timezone

    async def external_members(self, channel: str) -> ExternalMembers:
        """Return who of other organizations is in a channel: no bots, nobody deactivated.

        Raises Unavailable or SlackRefused if Slack does not tell who is there.
        """
        members = await self._slack.members(channel, MOST_LOOKED_AT)
        return ExternalMembers(await self._outside(members), all=len(members) < MOST_LOOKED_AT)

    async def organizations_of(self, channel: str, contacts: Sequence[str]) -> Collection[str]:
        """Return the organizations of which an onboarding in `channel` may be.

        That of the contacts; if none of them is from outside, all in the channel. Of contacts who
        are all HeavySet's guests, and several organizations, it is none of those: ours.
        Raises as `external_members`.
        """
        named = Counter(
            user.organization for user in (await self._outside(contacts)).values()
        ).most_common(1)
        if named:
            return [named[0][0]]
        around = await self.external_members(channel)
        if contacts and len(around.organizations) > 1:
            identity = self._slack.identity
            return [identity.enterprise_id or identity.team_id]
        return around.organizations if around.all or len(around.organizations) > 1 else ()

    async def _outside(self, user_ids: Sequence[str]) -> dict[str, User]:
        users = await asyncio.gather(*(self._users.get(one) for one in user_ids))
        return {
            user_id: user
            for user_id, user in zip(user_ids, users, strict=True)
            if user.is_person and not _is_ours(user, self._slack.identity)
        }

    async def problems(self) -> Mapping[str, str]:
        """Return the ids in ENGINEERS that make nobody an engineer, and why; logs each once.

        Raises Unavailable if Slack does not answer.
        """
        found: dict[str, str] = {}
        for one in self._named:
            user = await self._users.get(one)
            if not _is_ours(user, self._slack.identity) and user.team_id:
                found[one] = PROBLEMS["is_stranger"]
            elif not user.full_member:
                found[one] = PROBLEMS[user.flag]
        for one in self._groups:
            group = await self._members.get(one)
            if group.refusal or not group.members:
                found[one] = group.refusal or "a user group without members"
        for one, why in found.items():
            self._log_once(one, why)
        return found

    async def log_problems(self) -> None:
        """Log each id in ENGINEERS that makes nobody an engineer."""
        try:
            await self.problems()
        except Unavailable as error:  # each id is logged later, when it is looked up
            log.info("the engineers can't be looked up", extra={"reason": str(error)})

    async def engineers(self) -> frozenset[str] | None:
        """Return who is an engineer, and so may see credentials; None: every full member.

        Raises Unavailable if Slack does not answer.
        """
        if self._everyone:
            return None
        groups = await asyncio.gather(*(self._members.get(one) for one in self._groups))
        listed = set(self._named).union(*(group.members for group in groups))
        users = {one: await self._users.get(one) for one in sorted(listed)}
        return frozenset(
            one
            for one, user in users.items()
            if user.full_member and _is_ours(user, self._slack.identity)
        )

    async def is_still_in(self, channel: str, person: Person) -> bool:
        """Whether somebody is in a channel, as far as Slack tells at once.

        What else they are is asked again too, so that somebody who was deactivated is known to be.
        Of two calls neither is waited for longer than other answers are, and without an answer
        what is known counts: a client's secret is better taken than left in a window.
        """
        there, _ = await asyncio.gather(
            self._is_in(person.user_id, channel),
            self._renewed(person.user_id),
        )
        return there

    async def _is_in(self, user_id: str, channel: str) -> bool:
        with suppress(OnboardingError, TimeoutError):  # we may not be in there, or Slack is slow
            async with asyncio.timeout(SPARE_SECONDS):
                return await before_deadline(self._slack.is_in(channel, user_id))
        return True

    async def _renewed(self, user_id: str) -> None:
        with suppress(Unavailable):
            await self._users.renew(user_id, SPARE_SECONDS)

    async def _user(self, user_id: str, told: User | None, *, afresh: bool) -> User:
        if not user_id:
            return User()
        if afresh:
            return await self._users.renew(user_id)
        return await self._users.get(user_id, told)

    async def _listed(self, user_id: str, *, afresh: bool) -> bool:
        if self._everyone or user_id in self._named:
            return True
        ask = self._members.renew if afresh else self._members.get
        for one in self._groups:
            if user_id in (await ask(one)).members:
                return True
        return False

    async def _ask_user(self, user_id: str) -> User:
        try:
            return await self._slack.user(user_id)
        except SlackRefused as error:  # user_not_found, user_not_visible: nobody we know
            if user_id in self._named:
                self._log_once(user_id, error.code)
            return User()

    async def _ask_group(self, group: str) -> Group:
        try:
            found = Group(await self._slack.group_members(group))
        except SlackRefused as error:  # unknown, disabled, no scope, no such plan
            self._log_once(group, error.code)
            return Group(refusal=error.code)
        self._logged.discard(group)
        return found

    def _log_once(self, named: str, why: str) -> None:
        if named not in self._logged:
            self._logged.add(named)
            log.warning("ENGINEERS: %s makes nobody an engineer (%s)", named, why)


def _of_request(person: Person, identity: Identity) -> User | None:
    """Return what a signed request alone tells of an outsider, None if that is not enough.

    Nobody is an engineer by that; and on Enterprise Grid another workspace may be ours.
    """
    if not person.team_id or person.team_id in identity.home or identity.enterprise_id:
        return None
    return User(person.team_id, flag="is_restricted")


def _is_ours(user: User, identity: Identity) -> bool:
    return user.team_id in identity.home or (
        user.enterprise_id is not None and user.enterprise_id == identity.enterprise_id
    )


def _ids(user: User, person: Person) -> tuple[str, ...]:
    """Return the ids of somebody's organization and workspace."""
    ids = (user.organization, user.team_id, person.team_id)
    return tuple(dict.fromkeys(one for one in ids if one))
