"""How every change is made: identify the person, run one transaction, wake the publisher."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.deadline import answering_within
from bot.core.errors import NotAllowed, NotFound, Refused, Unavailable
from bot.onboarding import Change, Onboarding
from bot.onboarding.assignment import Absence, away_at
from bot.onboarding.people import Actor, Person, Role
from bot.onboarding.permissions import REFUSALS, Permission
from bot.slack.membership import Undecided
from bot.use_cases.authorization import Denied, actor_in, record_denial
from bot.use_cases.services import Request, Services
from storage import absences, onboardings
from storage.changes import change

log = logging.getLogger(__name__)

# A button's trigger can open a window for three seconds.
AFRESH_SECONDS = 2
SLACK_IS_SILENT = (
    "Slack isn't answering, so I can't tell whether you may still see credentials. Nothing was "
    "shown. Please try again in a moment."
)
AlsoWrite = Callable[[AsyncSession, Onboarding], Awaitable[None]]
# A transition in `bot.onboarding`: called with an onboarding, `now`, and, except by
# `_change`, the `actor`.
Transition = Callable[..., Change]


class UseCase:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def _act(
        self,
        request: Request,
        onboarding_id: str,
        permission: Permission | Callable[[Onboarding], Permission],
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> Onboarding:
        """Change an onboarding, if the person who asks has the permission; return it.

        The first of the client's people to act makes it their organization's onboarding.
        Raises NotAllowed and NotFound, which the history records, and as `_commit`.
        """
        directory, now = self._services.directory, self._services.clock()
        member = await directory.membership(request.person)

        def decide(onboarding: Onboarding) -> Change:
            needed = permission(onboarding) if callable(permission) else permission
            actor = actor_in(onboarding, request.channel, member, needed)
            if actor.role is Role.CLIENT_ADMIN:
                onboarding = member.joined_to(onboarding)
            return transition(onboarding, actor=actor, now=now)

        try:
            try:
                return await self._commit(request, onboarding_id, decide, now, also)
            except Undecided as undecided:
                member = await directory.with_contacts(member, undecided.people)
                return await self._commit(request, onboarding_id, decide, now, also)
        except Denied as denied:
            await record_denial(self._services, request.person, onboarding_id, denied)
            raise denied.refusal from denied

    async def _change(
        self,
        request: Request,
        onboarding_id: str,
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> Onboarding:
        """Change an onboarding, without checking who asks; raises as `_commit`."""
        now = self._services.clock()
        return await self._commit(request, onboarding_id, partial(transition, now=now), now, also)

    async def _change_as_engineer(
        self,
        request: Request,
        onboarding_id: str,
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> Onboarding:
        """Change an onboarding, if the person who asks is an engineer; raises as `_commit`."""
        actor = await self._engineer(request.person)
        return await self._change(request, onboarding_id, partial(transition, actor=actor), also)

    async def _commit(
        self,
        request: Request,
        onboarding_id: str,
        decide: Callable[[Onboarding], Change],
        now: datetime,
        also: AlsoWrite | None,
    ) -> Onboarding:
        """Load, decide and write in one transaction, then wake the publisher.

        Returns the resulting onboarding. Raises what `decide` raises, NotFound, Repeated and
        Unavailable.
        """
        services, key = self._services, (request.request_key, now)
        try:
            after = await change(
                services.database, services.guides, onboarding_id, decide, also, key
            )
        except (NotAllowed, NotFound):
            raise
        except Refused:  # an outdated button: update its message
            services.publisher.wake(onboarding_id)
            raise
        services.publisher.wake(after.id)
        return after

    async def _actor(
        self,
        request: Request,
        onboarding: Onboarding,
        permission: Permission,
        *,
        fresh: bool = False,
    ) -> Actor:
        """Return the person who asks, in their role; `fresh` asks Slack instead of the cache.

        Raises NotAllowed and NotFound, which the history records.
        """
        directory = self._services.directory
        member = await directory.member_of(onboarding, request.person, fresh=fresh)
        try:
            return actor_in(onboarding, request.channel, member, permission)
        except Denied as denied:
            await record_denial(self._services, request.person, onboarding.id, denied)
            raise denied.refusal from denied

    async def _viewer(self, request: Request, onboarding: Onboarding) -> Actor:
        """Return the engineer who wants to see credentials, verified with Slack right now."""
        try:
            with answering_within(AFRESH_SECONDS):
                return await self._actor(request, onboarding, Permission.REVEAL, fresh=True)
        except Unavailable as error:
            log.warning("nothing was revealed", extra={"reason": str(error)})
            raise Refused(SLACK_IS_SILENT) from error

    async def _engineer(self, person: Person) -> Actor:
        """Return the person who asks, if they are an engineer; else raises NotAllowed."""
        member = await self._services.directory.membership(person)
        person = member.person
        if not member.engineer:
            log.warning("not an engineer", extra={"user": person.user_id, "team": person.team_id})
            raise NotAllowed(REFUSALS[Permission.MANAGE])
        return Actor(person.user_id, person.team_id, Role.ENGINEER)

    async def _away(self) -> Mapping[str, Absence]:
        """Return the current absences, by engineer."""
        async with self._services.database.begin(write=False) as session:
            return away_at(await absences.all_of(session), self._services.clock())

    async def _running_in(self, channel: str) -> Sequence[Onboarding]:
        async with self._services.database.begin(write=False) as session:
            return await onboardings.running_in(session, self._services.guides, channel)

    async def _get(self, onboarding_id: str) -> Onboarding:
        async with self._services.database.begin(write=False) as session:
            return await onboardings.get(session, self._services.guides, onboarding_id)
