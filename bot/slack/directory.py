"""Looks people up in Slack: where they belong, who the engineers are, who is in a channel."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from bot.core.background import BackgroundTasks
from bot.core.deadline import before_deadline
from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Onboarding
from bot.onboarding.people import EVERYONE, Person, Role
from bot.slack import Slack, SlackRefused, User
from bot.slack.answer_cache import FALLBACK_SECONDS, AnswerCache
from bot.slack.membership import (
    ExternalMembers,
    Membership,
    Undecided,
    membership_of,
    user_of_request,
)
from bot.slack.rate_limits import AWAITED

log = logging.getLogger(__name__)

# How many members of a channel are looked up (users.info is Tier 4: 100 a minute).
MOST_MEMBERS = 30
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


@dataclass(frozen=True, slots=True)
class Group:
    """A user group's members; if Slack doesn't list them, empty, with its error as `refusal`."""

    members: frozenset[str] = field(default_factory=frozenset)
    refusal: str = ""


class Directory:
    """Looks people up; Slack's answers are cached for a while."""

    def __init__(self, slack: Slack, engineers: Sequence[str], tasks: BackgroundTasks) -> None:
        """Take ENGINEERS: ids of people and of user groups, or `everyone`."""
        self._slack = slack
        self._everyone = EVERYONE in engineers
        self._named = tuple(one for one in engineers if one[0] in "UW")
        self._groups = tuple(one for one in engineers if one[0] == "S")
        # A person whom Slack does not know yet is not cached.
        self._users = AnswerCache(self._ask_user, lambda user: user.is_person, tasks)
        self._members = AnswerCache(self._ask_group, lambda _: True, tasks)
        self._logged: set[str] = set()

    async def membership(self, person: Person, *, fresh: bool = False) -> Membership:
        """Return where `person` belongs; `fresh` ignores the cache.

        Raises Unavailable if Slack doesn't answer and the request alone isn't enough.
        """
        # A request may arrive before we have asked Slack who we are.
        identity = self._slack.cached_identity or await self._slack.identify()
        claimed = user_of_request(person, identity)
        if not person.user_id:
            user = User()
        elif fresh:
            user = await self._users.renew(person.user_id)
        else:
            user = await self._users.get(person.user_id, claimed)
        certain = user is not claimed
        if not user.team_id and person.team_id:  # Slack does not show them to us
            user, certain = User(person.team_id, flag="is_restricted"), False
        known = membership_of(person, user, identity, certain=certain)
        if known.home and user.full_member and await self._is_listed(person.user_id, fresh=fresh):
            return replace(known, engineer=True)
        return known

    async def with_contacts(self, membership: Membership, people: Sequence[str]) -> Membership:
        """Return `membership` with the organization of most of the client's external `people`."""
        identity = self._slack.identity
        users = await asyncio.gather(*(self._users.get(user_id) for user_id in people))
        external = (user for user in users if user.team_id and not user.is_home(identity))
        found = Counter(user.organization for user in external).most_common(1)
        contacts = found[0][0] if found else membership.organizations[0]
        return replace(membership, contacts=contacts)

    async def member_of(
        self, onboarding: Onboarding, person: Person, *, fresh: bool = False
    ) -> Membership:
        """Return what is known about `person`, enough to determine their role in `onboarding`.

        Raises as `membership`.
        """
        known = await self.membership(person, fresh=fresh)
        try:
            known.role_in(onboarding)
        except Undecided as undecided:
            return await self.with_contacts(known, undecided.people)
        except Unavailable:  # `role_in` raises it again where the role is needed
            pass
        return known

    async def role_in(self, onboarding: Onboarding, person: Person) -> Role:
        """Return the role of `person` in `onboarding`; raises as `membership`."""
        return (await self.member_of(onboarding, person)).role_in(onboarding)

    async def is_engineer(self, user_id: str) -> bool:
        """Whether someone is a HeavySet engineer: not a guest, not a bot, not deactivated."""
        return (await self.membership(Person(user_id, ""))).engineer

    async def timezone(self, user_id: str, share: float = AWAITED) -> str | None:
        """Return the time zone that somebody has set in Slack, None if Slack does not say.

        `share` is what the lookup may use of the limit. Raises RateLimited if there is no room.
        """
        ask = partial(self._ask_user, share=share)
        return (await self._users.get(user_id, ask=ask)).timezone

    async def profile(self, user_id: str) -> User:
        """Return what Slack says about someone; their name and email are empty if it doesn't."""
        with suppress(OnboardingError):
            return await self._users.get(user_id, User())
        return User()

    async def external_members(self, channel: str) -> ExternalMembers:
        """Return the active people from other organizations in a channel.

        Raises Unavailable or SlackRefused if Slack does not list the members.
        """
        members = await self._slack.members(channel, MOST_MEMBERS)
        return ExternalMembers(await self._external(members), all=len(members) < MOST_MEMBERS)

    async def organizations_of(self, channel: str, contacts: Sequence[str]) -> Collection[str]:
        """Return the organizations that the client of a channel may be.

        That of the contacts; if none of them is external, all in the channel. If the contacts are
        HeavySet's guests and there are several organizations, only our own.
        Raises as `external_members` does.
        """
        users = (await self._external(contacts)).values()
        if named := Counter(user.organization for user in users).most_common(1):
            return [named[0][0]]
        around = await self.external_members(channel)
        if contacts and len(around.organizations) > 1:
            identity = self._slack.identity
            return [identity.enterprise_id or identity.team_id]
        return around.organizations if around.all or len(around.organizations) > 1 else ()

    async def _external(self, user_ids: Sequence[str]) -> dict[str, User]:
        users = await asyncio.gather(*(self._users.get(user_id) for user_id in user_ids))
        return {
            user_id: user
            for user_id, user in zip(user_ids, users, strict=True)
            if user.is_person and not user.is_home(self._slack.identity)
        }

    async def problems(self) -> Mapping[str, str]:
        """Return the ids in ENGINEERS that match no engineer, and why; log each once.

        Raises Unavailable if Slack does not answer.
        """
        found: dict[str, str] = {}
        for user_id in self._named:
            user = await self._users.get(user_id)
            if not user.is_home(self._slack.identity) and user.team_id:
                found[user_id] = PROBLEMS["is_stranger"]
            elif not user.full_member:
                found[user_id] = PROBLEMS[user.flag]
        for group_id in self._groups:
            group = await self._members.get(group_id)
            if group.refusal or not group.members:
                found[group_id] = group.refusal or "a user group without members"
        for one, why in found.items():
            self._log_once(one, why)
        return found

    async def engineers(self) -> frozenset[str] | None:
        """Return the engineers, who may see credentials; None: every full member.

        Raises Unavailable if Slack does not answer.
        """
        if self._everyone:
            return None
        groups = await asyncio.gather(*(self._members.get(one) for one in self._groups))
        listed = set(self._named).union(*(group.members for group in groups))
        return frozenset([one for one in sorted(listed) if await self.is_engineer(one)])

    async def is_still_in(self, channel: str, person: Person) -> bool:
        """Whether someone is in a channel, as far as Slack says quickly; also looks them up again.

        If Slack is slow, what is known counts: it's better to accept a client's secret than to
        leave it in a form.
        """
        is_in, _ = await asyncio.gather(
            self._is_in(person.user_id, channel), self._look_up_again(person.user_id)
        )
        return is_in

    async def _is_in(self, user_id: str, channel: str) -> bool:
        with suppress(OnboardingError, TimeoutError):  # we may not be in it, or Slack is slow
            async with asyncio.timeout(FALLBACK_SECONDS):
                return await before_deadline(self._slack.is_in(channel, user_id))
        return True

    async def _look_up_again(self, user_id: str) -> None:
        with suppress(Unavailable):
            await self._users.renew(user_id, FALLBACK_SECONDS)

    async def _is_listed(self, user_id: str, *, fresh: bool) -> bool:
        if self._everyone or user_id in self._named:
            return True
        ask = self._members.renew if fresh else self._members.get
        for group_id in self._groups:
            if user_id in (await ask(group_id)).members:
                return True
        return False

    async def _ask_user(self, user_id: str, share: float = AWAITED) -> User:
        try:
            return await self._slack.user(user_id, share)
        except SlackRefused as error:  # user_not_found or user_not_visible: unknown
            if user_id in self._named:
                self._log_once(user_id, error.code)
            return User()

    async def _ask_group(self, group_id: str) -> Group:
        try:
            found = Group(await self._slack.group_members(group_id))
        except SlackRefused as error:  # unknown, disabled, no scope, no such plan
            self._log_once(group_id, error.code)
            return Group(refusal=error.code)
        self._logged.discard(group_id)
        return found

    def _log_once(self, named: str, why: str) -> None:
        if named not in self._logged:
            self._logged.add(named)
            log.warning("ENGINEERS: %s adds no engineer (%s)", named, why)
