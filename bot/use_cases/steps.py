"""Steps: done, undone, handed over; by button or by words in the thread."""

from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Refused
from bot.core.mrkdwn import mention
from bot.onboarding import EventKind, Onboarding, StepState
from bot.onboarding.people import Permission
from bot.onboarding.steps import (
    choose_option,
    finish_step,
    give_back_steps,
    hand_over_steps,
    reopen_step,
    undo_step,
)
from bot.onboarding.throttling import HANDOVERS, HOUR, in_minutes
from bot.use_cases.permissions import permission_for_step
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.ids import StepRef
from storage import event_log


class Steps(UseCase):
    """Done, undo, and the answers of a step's question."""

    async def choose(self, request: Request, ref: StepRef, option: str) -> None:
        """Answer the question of a step."""
        await self._act(
            request,
            ref.onboarding_id,
            partial(permission_for_step, number=ref.step),
            lambda at, actor, now: choose_option(at, ref.step, option, actor, now),
        )

    async def finish(self, request: Request, ref: StepRef) -> None:
        await self._act(
            request,
            ref.onboarding_id,
            partial(permission_for_step, number=ref.step),
            lambda at, actor, now: finish_step(at, ref.step, actor, now),
        )

    async def undo(self, request: Request, ref: StepRef) -> None:
        await self._act(
            request,
            ref.onboarding_id,
            partial(permission_for_step, number=ref.step),
            lambda at, actor, now: undo_step(at, ref.step, actor, now),
        )

    async def reopen(self, request: Request, ref: StepRef) -> None:
        """Open one older step again; those after it stay done."""
        await self._act(
            request,
            ref.onboarding_id,
            lambda _: Permission.REOPEN,
            lambda at, actor, now: reopen_step(at, ref.step, actor, now),
        )

    async def hand_over(self, request: Request, ref: StepRef, *, rest_of_phase: bool) -> None:
        """Have HeavySet do a step, or the rest of its phase."""
        await self._act(
            request,
            ref.onboarding_id,
            partial(permission_for_step, number=ref.step),
            lambda at, actor, now: hand_over_steps(
                at, ref.step, actor, now, rest_of_phase=rest_of_phase
            ),
            _must_be_slow,
        )

    async def give_back(self, request: Request, ref: StepRef) -> None:
        """Return a step that was handed over to the client."""
        await self._act(
            request,
            ref.onboarding_id,
            partial(permission_for_step, number=ref.step),
            lambda at, actor, now: give_back_steps(at, ref.step, actor, now),
        )

    async def finish_current(self, request: Request, onboarding: Onboarding) -> None:
        await self.finish(request, StepRef(onboarding.id, _current(onboarding)))

    async def choose_current(self, request: Request, onboarding: Onboarding, word: str) -> None:
        """Answer the current step's question with one of its words, such as `new`."""
        await self.choose(request, StepRef(onboarding.id, _current(onboarding)), word)

    async def undo_last(self, request: Request, onboarding: Onboarding) -> None:
        done = [one.number for one in onboarding.steps if one.state is StepState.DONE]
        if not done:
            raise Refused("Nothing is done yet, so there's nothing to undo.")
        await self.undo(request, StepRef(onboarding.id, done[-1]))


async def _must_be_slow(session: AsyncSession, after: Onboarding) -> None:
    """Raise Refused if steps were handed to HeavySet too often: each time pings the engineer."""
    now, kinds = after.active_at, (EventKind.STEPS_HANDED_OVER, EventKind.HANDED_OVER)
    times = await event_log.times_of(session, after.id, kinds, now - HOUR)
    if times and times[-1] == now and (wait := HANDOVERS.wait(times[:-1], now)):
        raise Refused(
            f"{mention(after.engineer)} was told of this {HANDOVERS.most} times in the last hour. "
            f"Please try again {in_minutes(wait)}."
        )


def _current(onboarding: Onboarding) -> int:
    if onboarding.current is None:
        raise Refused("All steps are done. Nothing left to do here.")
    return onboarding.current.number
