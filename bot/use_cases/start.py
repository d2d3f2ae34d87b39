"""Starting an onboarding."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace

from bot import onboarding as state
from bot.core.deadline import detached_task, seconds_left
from bot.core.errors import OnboardingError, Refused
from bot.core.mrkdwn import channel_link, escape, thread_link
from bot.core.typed_text import one_line
from bot.guide import Guide
from bot.onboarding import Onboarding
from bot.onboarding.assignment import away_at, covered
from bot.onboarding.names import client_from_channel
from bot.onboarding.people import Actor
from bot.slack import Channel, SlackRefused
from bot.use_cases.services import InvalidInput, Opening, Request
from bot.use_cases.start_inputs import (
    checked_engineer,
    checked_guide,
    checked_name,
    guide_named,
    must_be_a_name,
)
from bot.use_cases.use_case import UseCase
from bot.views.blocks import Block
from bot.views.forms import View
from bot.views.ids import CLIENT_ADMINS, CLIENT_NAME, FormRef
from bot.views.root import ROOT
from bot.views.start import Around, guide_choice, start_modal
from storage import absences, handled_requests, onboardings, posted_messages
from storage.database import Conflict
from storage.to_rows import client_key

log = logging.getLogger(__name__)

DIRECT = "Run this in the channel you share with the client, not in a DM."
# How long to wait for the channel's members before the form opens without them. A trigger lasts
# three seconds, and the checks before it have used some of that.
AT_ONCE_SECONDS = 0.8
# How much of the response time is reserved for opening the form.
OPENING_SECONDS = 0.8
# With more people, nobody would be greeted by name.
MOST_PROPOSED = 10


class Start(UseCase):
    """`/servicetitan start`: a form, and its submission."""

    async def form(self, request: Request, client_name: str, guide_id: str) -> Opening:
        await self._engineer(request.person)
        guide = guide_named(self._services, guide_id)
        choice = guide_choice(self._services.database.guides.offered, guide.id)
        self.must_not_be_ours(request.channel)
        name = one_line(client_name)
        await must_be_a_name(self._services, name)
        running = await self._must_be_free(request.channel, name)
        channel = await self._must_be_member(request.channel)
        ref = request.form()
        name = name or client_from_channel(channel.name)
        filling = detached_task(self._filled(ref, name, running, channel, choice), "fill in a form")
        left = seconds_left(OPENING_SECONDS + AT_ONCE_SECONDS) - OPENING_SECONDS
        try:
            await asyncio.wait({filling}, timeout=min(AT_ONCE_SECONDS, max(0.0, left)))
        except asyncio.CancelledError:
            filling.cancel()
            raise
        if filling.done():
            return Opening(filling.result())
        return Opening(start_modal(ref, name, running, choice=choice), filling)

    async def start(
        self,
        request: Request,
        ref: FormRef,
        *,
        client_name: str,
        admins: list[str],
        engineer: str,
        guide_id: str,
    ) -> None:
        actor = await self._submitter(request, ref)
        self.must_not_be_ours(request.channel)
        name = await checked_name(self._services, client_name)
        engineer = await checked_engineer(self._services, request, engineer)
        guide = checked_guide(self._services, guide_id)
        await self.begin(
            request,
            actor,
            request.channel,
            guide,
            client_name=name,
            engineer=engineer,
            admins=admins,
            client_team=await self._client_team(request.channel, admins),
            timezone=ref.timezone or None,
        )

    def must_not_be_ours(self, channel: str) -> None:
        """Raise Refused in the engineering channel, which clients must not see."""
        if channel == self._services.engineering_channel:
            raise Refused(
                "This is the engineering channel, which clients shouldn't see. Run this in the "
                "channel you share with the client."
            )

    async def _client_team(self, channel: str, admins: Sequence[str]) -> str | None:
        """Return the client's organization; None if the first person to act defines it.

        Raises InvalidInput if the form has to name somebody first.
        """
        try:
            async with asyncio.timeout(AT_ONCE_SECONDS):
                found = await self._services.directory.organizations_of(channel, admins)
        except (OnboardingError, TimeoutError) as error:
            log.info("who is in a channel is not known", extra={"reason": str(error)})
            return None
        if len(found) > 1:
            text = (
                "People from several outside organizations are in this channel. Choose at least "
                "one person from the client: only their organization can do the steps."
            )
            raise InvalidInput({CLIENT_ADMINS: text})
        return next(iter(found), None)

    async def begin(
        self,
        request: Request,
        actor: Actor,
        channel: str,
        guide: Guide,
        *,
        client_name: str,
        engineer: str,
        admins: Sequence[str] = (),
        client_team: str | None = None,
        timezone: str | None = None,
    ) -> Onboarding:
        """Store a new onboarding and start posting its thread.

        Raises InvalidInput if the client is already being onboarded in the channel.
        """
        now = self._services.clock()
        begun = state.start(
            uuid.uuid4().hex[:16],
            guide,
            client_name=client_name,
            channel=channel,
            engineer=engineer,
            engineer_email=(await self._services.directory.profile(engineer)).email,
            client_admins=admins,
            actor=actor,
            now=now,
            client_team=client_team,
            timezone=timezone,
        )
        try:
            async with self._services.database.begin() as session:
                await handled_requests.claim(session, request.request_key, now)
                begun = covered(begun, away_at(await absences.all_of(session), now), now)
                await onboardings.add(session, begun)
        except Conflict:
            text = "This client already has an onboarding in this channel."
            raise InvalidInput({CLIENT_NAME: text}) from None
        self._services.publisher.wake(begun.onboarding.id)
        return begun.onboarding

    async def _filled(
        self,
        ref: FormRef,
        name: str,
        running: Sequence[Onboarding],
        channel: Channel,
        choice: Sequence[Block],
    ) -> View:
        """Return the form, with the people in the channel preselected."""
        try:
            found = await self._services.directory.external_members(ref.channel)
        except OnboardingError as error:  # preselect nobody
            log.info("who is in a channel is not known", extra={"reason": str(error)})
            return start_modal(ref, name, running, Around(), choice)
        theirs = found.without({admin for one in running for admin in one.client_admins})
        several = len(theirs.organizations) > 1
        around = Around(
            [] if several else list(theirs.people)[:MOST_PROPOSED],
            alone=found.all and not found.people,
            pending=channel.is_pending,
            several=several,
        )
        timezone = "" if several else theirs.timezone or ""
        return start_modal(replace(ref, timezone=timezone), name, running, around, choice)

    async def _must_be_free(self, channel: str, name: str) -> Sequence[Onboarding]:
        """Raise Refused if the client already has an onboarding; without a name, any client counts.

        Returns the other clients of the channel.
        """
        others = await self._running_in(channel)
        for running in others:
            if name and client_key(name) != client_key(running.client_name):
                continue
            # In case someone deleted its first message and tries to restart: edit it again.
            async with self._services.database.begin() as session:
                await posted_messages.forget_digest(session, running.id, ROOT)
            self._services.publisher.wake(running.id)
            raise Refused(
                f"{escape(running.client_name)} already has an onboarding here "
                f"({running.finished_steps} of {len(running.steps)} steps done, "
                f"{self._where(running)})."
            )
        return others

    def _where(self, running: Onboarding) -> str:
        if running.thread_ts is None:
            return channel_link(running.channel)
        url = self._services.slack.identity.url
        return thread_link(url, running.channel, running.thread_ts)

    async def _must_be_member(self, channel: str) -> Channel:
        if channel.startswith("D"):
            raise Refused(DIRECT)
        try:
            found = await self._services.slack.channel(channel)
        except SlackRefused as error:
            if error.code not in ("channel_not_found", "not_in_channel"):
                raise
            found = Channel("", is_member=False, is_direct=False, is_archived=False)
        if found.is_direct:
            raise Refused(DIRECT)
        if found.is_archived:
            raise Refused("This channel is archived. Unarchive it and try again.")
        if not found.is_member:
            bot = self._services.slack.identity.user_id
            raise Refused(f"I'm not in this channel yet. Type `/invite <@{bot}>`, then try again.")
        return found
