"""Snoozing reminders, and what engineers can do about a client who stays quiet."""

from functools import partial

from bot.core.mrkdwn import escape, when
from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.onboarding.permissions import Permission
from bot.onboarding.reminders import must_be_open, pause_quiet
from bot.use_cases.authorization import TO_ACT_FOR
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.ids import StepRef
from bot.views.modals import cancel_modal


class QuietClients(UseCase):
    """Reminders are sent by `bot.reminders.sender`, or manually with `/servicetitan remind`."""

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Postpone the next reminder, for the side that was reminded."""

        def permission(onboarding: Onboarding) -> Permission:
            reminder = onboarding.reminder
            return TO_ACT_FOR[reminder.to if reminder else Owner.CLIENT]

        await self._act(request, ref.onboarding_id, permission, self._services.follow_ups.snooze)

    # --- after the last follow-up: `ref.step` is the number of the offer to engineering ---

    async def pause_quiet(self, request: Request, ref: StepRef) -> str:
        """Pause; return a line that says so."""
        paused = partial(pause_quiet, number=ref.step)
        after = await self._change_as_engineer(request, ref.onboarding_id, paused)
        return f"*{escape(after.client_name)}*: On hold. No reminders until you resume."

    async def ask_again(self, request: Request, ref: StepRef) -> str:
        """Send one more reminder in two weeks; return a line that says so."""
        put_off = partial(self._services.follow_ups.put_off, number=ref.step)
        after = await self._change_as_engineer(request, ref.onboarding_id, put_off)
        offer = after.quiet_offer
        again = when(offer.again_at) if offer and offer.again_at else "in two weeks"
        return f"*{escape(after.client_name)}*: I'll remind them again {again}, then ask you."

    async def cancel_quiet_form(self, request: Request, ref: StepRef) -> View:
        await self._engineer(request.person)
        onboarding = await self._get(ref.onboarding_id)
        must_be_open(onboarding, ref.step)
        return cancel_modal(onboarding, request.form(onboarding.id, ref.step))
