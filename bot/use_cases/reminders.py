"""Reminders by hand, and putting one off."""

from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.people import Actor, Deed, Role
from bot.use_cases.base import Request, UseCase
from bot.views.ids import StepRef


class Reminders(UseCase):
    """What people do about reminders; by themselves they come from `bot.nudging`."""

    async def remind(self, request: Request, onboarding: Onboarding) -> Onboarding:
        """Nudge whoever's turn it is, whatever the hour; for engineers."""
        await self._must_be_engineer(request.person)
        actor = Actor(request.person.user_id, request.person.team_id, Role.ENGINEER)
        return await self._change(request, onboarding.id, lambda at, now: at.remind(actor, now))

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Put the next nudge off; for whoever the nudge that stands there is for."""
        onboarding, nudging = await self._get(ref.onboarding_id), self._services.nudging
        nudge = onboarding.reminder
        heavyset = nudge is not None and nudge.to is Owner.HEAVYSET
        deed = Deed.HEAVYSET_STEP if heavyset else Deed.CLIENT_STEP
        actor = await self._actor(request, onboarding, deed)
        await self._change(
            request,
            onboarding.id,
            lambda at, now: at.snooze(actor, now, nudging.quiet_until(at, now)),
        )
