"""Steps: done, undone, handed over; with buttons or words in the thread."""

from functools import partial

from bot.core.errors import Refused
from bot.core.mrkdwn import mention
from bot.onboarding import EventKind, Onboarding
from bot.onboarding.catching_up import catch_up, may_be_done
from bot.onboarding.permissions import Permission
from bot.onboarding.steps import (
    choose_option,
    finish_step,
    give_back_steps,
    hand_over_steps,
    reopen_step,
    undo_step,
)
from bot.onboarding.throttling import HANDOVERS, in_minutes
from bot.use_cases.authorization import must_have_opened, permission_for_step
from bot.use_cases.services import InvalidInput, Request
from bot.use_cases.use_case import AlsoWrite, Transition, UseCase
from bot.views.catching_up import catch_up_modal
from bot.views.forms import View
from bot.views.ids import LAST_STEP, FormRef, StepRef
from storage import event_log
from storage.session import Session


class Steps(UseCase):
    """What the buttons of a step do, and the words that mean the same."""

    async def finish(self, request: Request, ref: StepRef) -> None:
        await self._change_step(request, ref, finish_step)

    async def undo(self, request: Request, ref: StepRef) -> None:
        await self._change_step(request, ref, undo_step)

    async def choose(self, request: Request, ref: StepRef, option: str) -> None:
        """Answer the question of a step."""
        await self._change_step(request, ref, partial(choose_option, option_id=option))

    async def reopen(self, request: Request, ref: StepRef) -> None:
        """Reopen one earlier step; those after it stay done."""
        reopened = partial(reopen_step, number=ref.step)
        await self._act(request, ref.onboarding_id, Permission.REOPEN, reopened)

    async def hand_over(self, request: Request, ref: StepRef) -> None:
        """Have HeavySet do a step."""
        await self._change_step(request, ref, hand_over_steps, _must_be_slow)

    async def hand_over_phase(self, request: Request, ref: StepRef) -> None:
        """Have HeavySet do a step and the rest of its phase."""
        rest = partial(hand_over_steps, rest_of_phase=True)
        await self._change_step(request, ref, rest, _must_be_slow)

    async def give_back(self, request: Request, ref: StepRef) -> None:
        """Give a step that was handed over back to the client."""
        await self._change_step(request, ref, give_back_steps)

    async def catch_up_form(self, request: Request, ref: StepRef) -> View:
        """Return the window that asks which steps are done already."""
        onboarding = await self._get(ref.onboarding_id)
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        if not may_be_done(onboarding):
            raise Refused("There's nothing to mark as done here anymore.")
        return catch_up_modal(onboarding, request.form(onboarding.id, ref.step))

    async def catch_up(self, request: Request, ref: FormRef, last: str) -> None:
        """Mark the client's steps up to `last` as done, except those that ask for a credential."""
        await must_have_opened(self._services, request, ref)
        if not last.isdecimal():
            raise InvalidInput({LAST_STEP: "Which step did you finish last?"})
        caught_up = partial(catch_up, last=int(last))
        await self._act(request, ref.onboarding_id, Permission.CLIENT_STEP, caught_up)

    async def _change_step(
        self,
        request: Request,
        ref: StepRef,
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> None:
        """Change a step, if the person who asks is the one to do it."""
        permission = partial(permission_for_step, number=ref.step)
        changed = partial(transition, number=ref.step)
        await self._act(request, ref.onboarding_id, permission, changed, also)


async def _must_be_slow(session: Session, after: Onboarding) -> None:
    """Raise Refused if steps were handed to HeavySet too often: each time pings the engineer."""
    now, kinds = after.active_at, (EventKind.STEPS_HANDED_OVER, EventKind.HANDED_OVER)
    times = [event.at for event in await event_log.events_of(session, after.id, *kinds)]
    if times and times[-1] == now and (wait := HANDOVERS.wait(times[:-1], now)):
        raise Refused(
            f"{mention(after.engineer)} was told of this {HANDOVERS.most} times in the last hour. "
            f"Please try again {in_minutes(wait)}."
        )
