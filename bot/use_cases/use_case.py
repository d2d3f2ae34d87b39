"""How every change is made: identify the person, run one transaction, wake the publisher."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from bot.core.errors import NotAllowed, NotFound, Refused
from bot.core.mrkdwn import escape, thread_link
from bot.onboarding import Change, Onboarding
from bot.onboarding.assignment import Absence, away_at
from bot.onboarding.people import Actor, Person, Role
from bot.onboarding.permissions import REFUSALS, Permission
from bot.slack.membership import Undecided
from bot.use_cases.authorization import Denied, actor_in, must_have_opened, record_denial
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Request, Services
from bot.views.blocks import EphemeralReply, section
from bot.views.ids import FormRef
from storage import absences, onboardings
from storage.changes import change
from storage.session import Session

log = logging.getLogger(__name__)

AlsoWrite = Callable[[Session, Onboarding], Awaitable[None]]
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
        Raises NotAllowed and NotFound, which the history records, and as `_change`.
        """
        directory = self._services.directory
        member = await directory.membership(request.person)

        def decide(onboarding: Onboarding, now: datetime) -> Change:
            needed = permission(onboarding) if callable(permission) else permission
            actor = actor_in(onboarding, request.channel, member, needed)
            if actor.role is Role.CLIENT_ADMIN:
                onboarding = member.joined_to(onboarding)
            return transition(onboarding, actor=actor, now=now)

        try:
            try:
                return await self._change(request, onboarding_id, decide, also)
            except Undecided as undecided:
                member = await directory.with_contacts(member, undecided.people)
                return await self._change(request, onboarding_id, decide, also)
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
        """Change an onboarding in one transaction, then wake the publisher; return it.

        Doesn't check who asks. Raises what `transition` raises, NotFound, Repeated and Unavailable.
        """
        services, now = self._services, self._services.clock()
        decide, key = partial(transition, now=now), (request.request_key, now)
        try:
            after = await change(services.database, onboarding_id, decide, also, key)
        except (NotAllowed, NotFound):
            raise
        except Refused:  # an outdated button: update its message
            services.publisher.wake(onboarding_id)
            raise
        services.publisher.wake(after.id)
        return after

    async def _change_as_engineer(
        self,
        request: Request,
        onboarding_id: str,
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> Onboarding:
        """Change an onboarding, if the person who asks is an engineer; raises as `_change`."""
        actor = await self._engineer(request.person)
        return await self._change(request, onboarding_id, partial(transition, actor=actor), also)

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

    async def _engineer(self, person: Person) -> Actor:
        """Return the person who asks, if they are an engineer; else raises NotAllowed."""
        member = await self._services.directory.membership(person)
        person = member.person
        if not member.engineer:
            log.warning("not an engineer", extra={"user": person.user_id, "team": person.team_id})
            raise NotAllowed(REFUSALS[Permission.MANAGE])
        return Actor(person.user_id, person.team_id, Role.ENGINEER)

    async def _named(self, request: Request, name: str, *, finished: bool = False) -> Onboarding:
        """Return the client that an engineer means."""
        await self._engineer(request.person)
        return await client_of(self._services, request.channel, name, finished=finished)

    async def _change_named(
        self, request: Request, name: str, transition: Transition, said: str
    ) -> EphemeralReply:
        """Change the client that an engineer means; return the reply."""
        found = await self._named(request, name)
        return self._done(await self._change_as_engineer(request, found.id, transition), said)

    async def _submitter(self, request: Request, ref: FormRef) -> Actor:
        """Return the engineer who submits a form; raises Refused if they didn't open it."""
        await must_have_opened(self._services, request, ref)
        return await self._engineer(request.person)

    def _done(self, onboarding: Onboarding, said: str) -> EphemeralReply:
        name = escape(onboarding.client_name)
        return [section(f"*{name}*: {said}{self._thread(onboarding)}")]

    def _thread(self, onboarding: Onboarding) -> str:
        """Return a link to the thread, in parentheses; empty if there is no thread."""
        if onboarding.thread_ts is None:
            return ""
        url = self._services.slack.identity.url
        return f" ({thread_link(url, onboarding.channel, onboarding.thread_ts)})"

    async def _away(self) -> Mapping[str, Absence]:
        """Return the current absences, by engineer."""
        return away_at(await self._services.read(absences.all_of), self._services.clock())

    async def _running_in(self, channel: str) -> Sequence[Onboarding]:
        return await self._services.read(onboardings.running_in, channel)

    async def _get(self, onboarding_id: str) -> Onboarding:
        return await self._services.read(onboardings.get, onboarding_id)
