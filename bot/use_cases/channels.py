"""What happens to channels: onboardings pause, resume or move, and engineering is notified."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial

from bot.core.errors import Refused, Unavailable, UnreadableRow
from bot.core.loops import for_each
from bot.onboarding import InvitationAnswer, Loss, Onboarding, lifecycle
from bot.onboarding.people import Actor, Person, Role
from bot.use_cases.services import Request
from bot.use_cases.use_case import Transition, UseCase
from bot.views.root import ROOT
from storage import onboardings, posted_messages
from storage.session import Session

log = logging.getLogger(__name__)

# Slack repeats an event that is not acknowledged within three seconds.
LOOKUP_SECONDS = 1.5


class Channels(UseCase):
    """Each method handles an event from Slack, and does nothing if there is nothing to do."""

    async def lost(self, request: Request, loss: Loss) -> None:
        if request.channel == self._services.engineering_channel:
            if loss is Loss.UNSHARED:
                self._services.engineering.check_soon()
            else:
                log.error("the engineering channel is lost", extra={"loss": loss.value})
        await self._all_in(request, partial(lifecycle.lose_channel, loss=loss))

    async def regained(self, request: Request, losses: Collection[Loss]) -> None:
        """Resume the onboardings that were paused for one of `losses`."""
        if request.channel == self._services.engineering_channel:
            self._services.announcements.ask_again()
            self._services.engineering.check_soon()
        await self._all_in(request, partial(lifecycle.regain_channel, losses=losses))

    async def moved(self, request: Request, new_channel: str) -> None:
        if request.channel == self._services.engineering_channel:
            log.error("the channel moved: set ENGINEERING_CHANNEL", extra={"channel": new_channel})
        await self._all_in(request, partial(lifecycle.move_channel, channel=new_channel))

    async def lost_all(self, request_key: str) -> None:
        """Pause everything: the app was removed from the workspace."""
        running = await self._services.read(onboardings.running_ids)
        log.error("the app was uninstalled, or its token revoked", extra={"running": len(running)})
        nobody = Request(Person("", ""), "", request_key)
        lost = partial(lifecycle.lose_channel, loss=Loss.UNINSTALLED)
        await self._each(nobody, running, lost)

    async def regained_all(self) -> None:
        """Resume what was paused because the app was uninstalled, or because of a refusal.

        Slack accepts our token again, and the cause of a refusal may have been fixed.
        """
        losses = {Loss.UNINSTALLED, Loss.REFUSED}
        paused = await self._services.read(onboardings.ids_paused_for, losses)
        again = Request(Person("", ""), "", f"start:{self._services.clock().timestamp()}")
        await self._each(again, paused, partial(lifecycle.regain_channel, losses=losses))

    async def message_deleted(self, request: Request, ts: str) -> None:
        """Post again what somebody deleted: the whole thread, or one of its messages.

        A message that is no longer needed stays deleted.
        """
        place = await self._services.read(posted_messages.find, request.channel, ts)
        if place is None:
            return
        onboarding_id, slot = place

        async def forget(session: Session, onboarding: Onboarding) -> None:
            await posted_messages.forget_digest(session, onboarding.id, slot)

        with suppress(Refused):  # it has ended, or the publisher has noticed
            if slot == ROOT:
                lost = partial(lifecycle.lose_thread, thread_ts=ts)
                await self._change(request, onboarding_id, lost, posted_messages.forget_thread)
            else:
                again = lifecycle.publish_again
                await self._change(request, onboarding_id, lambda at, **_: again(at), forget)

    async def joined(self, request: Request) -> None:
        """Greet the client's people as they join; notify engineering about the first one."""
        directory = self._services.directory
        known = await directory.membership(request.person)
        if known.home or not known.organizations:
            return
        person = known.person
        running = await self._running_in(request.channel)
        roles = [(one.id, await directory.role_in(one, person)) for one in running]
        theirs = [onboarding_id for onboarding_id, role in roles if role is Role.CLIENT_ADMIN]
        actor = Actor(person.user_id, person.team_id, Role.CLIENT_ADMIN)
        timezone = None
        # The reminders look it up later if Slack is slow.
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LOOKUP_SECONDS):
                timezone = await directory.timezone(person.user_id) if theirs else None
        joined = partial(lifecycle.client_joins, actor=actor, timezone=timezone)
        await self._each(request, theirs, joined)

    async def invitation_answered(
        self, request: Request, answer: InvitationAnswer, address: str
    ) -> None:
        """Notify engineering about the answer to an invitation to the channel."""
        actor = Actor(request.person.user_id, request.person.team_id, Role.NOBODY)
        answered = partial(lifecycle.answer_invitation, answer=answer, address=address, actor=actor)
        await self._all_in(request, answered)

    async def _all_in(self, request: Request, transition: Transition) -> None:
        ids = await self._services.read(onboardings.ids_in, request.channel)
        await self._each(request, ids, transition)

    async def _each(
        self, request: Request, onboarding_ids: Sequence[str], transition: Transition
    ) -> None:
        """Apply `transition` to each onboarding that allows it; raises as `for_each`."""

        async def follow(onboarding_id: str) -> None:
            # Finished, or already in that state: nothing changes. One that can't be read is
            # logged.
            with suppress(Refused, UnreadableRow):
                await self._change(request.part(onboarding_id), onboarding_id, transition)

        await for_each(onboarding_ids, follow)
