"""What engineers change with the slash command. Repeating a command is harmless."""

from datetime import datetime
from functools import partial
from typing import TypeVar

from bot.core.errors import Refused
from bot.onboarding import Change, Onboarding, lifecycle
from bot.onboarding.people import Actor
from bot.onboarding.reminders import must_be_open
from bot.onboarding.steps import finish_steps, skip_steps, undo_step
from bot.onboarding.verifications import request_verification
from bot.use_cases.services import InvalidInput, Request
from bot.use_cases.slash_command import step_and_client, steps_and_client
from bot.use_cases.steps_at_once import client_and_answer, done_text, must_have_answer
from bot.use_cases.typed_secrets import secret_in
from bot.use_cases.use_case import UseCase
from bot.views import modals
from bot.views.blocks import EphemeralReply
from bot.views.forms import View
from bot.views.ids import FormRef
from storage import credentials
from storage.session import Session

Steps = TypeVar("Steps", int, range)


class EngineerCommands(UseCase):
    """For engineers only; `words` is the text after the command."""

    async def verify(self, request: Request, words: str) -> EphemeralReply:
        """Check a client's credentials now; also after completion, while they are kept."""
        found = await self._named(request, words, finished=True)
        after = await self._change_as_engineer(request, found.id, request_verification)
        self._services.verification_runner.wake(after.id)
        return self._done(after, "Checking now. The result will show up in the thread.")

    async def remind(self, request: Request, words: str) -> EphemeralReply:
        reminded = self._services.follow_ups.remind_by_hand
        return await self._change_named(request, words, reminded, "Reminder sent.")

    async def skip(self, request: Request, words: str) -> EphemeralReply:
        numbers, name = _steps(steps_and_client(words), "skip 7` or `skip 3-8")
        skipped = partial(skip_steps, numbers=numbers)
        return await self._change_named(request, name, skipped, f"Skipped {_range(numbers)}.")

    async def done(self, request: Request, words: str) -> EphemeralReply:
        """Mark steps as done that were finished earlier, with the written guide."""
        numbers, rest = _steps(steps_and_client(words), "done 2-7")
        await self._engineer(request.person)
        found, answer = await client_and_answer(self._services, request.channel, rest)
        must_have_answer(found, numbers, answer)
        finished = partial(finish_steps, numbers=numbers, answer=answer)
        after = await self._change_as_engineer(request, found.id, finished)
        return self._done(after, done_text(found, after, numbers, self._services.clock()))

    async def reopen(self, request: Request, words: str) -> EphemeralReply:
        """Go back to a step, and repeat those after it."""
        number, name = _steps(step_and_client(words), "reopen 7")
        found = await self._named(request, name)
        undone = partial(undo_step, number=number)
        after = await self._change_as_engineer(request, found.id, undone)
        if after.current_step == number:
            return self._done(after, f"Back to step {number}.")
        return self._done(after, f"Step {number} will come up again in order.")

    async def pause(self, request: Request, words: str) -> EphemeralReply:
        said = "On hold. No reminders until you resume."
        return await self._change_named(request, words, lifecycle.pause, said)

    async def resume(self, request: Request, words: str) -> EphemeralReply:
        return await self._change_named(request, words, lifecycle.resume, "Resumed.")

    async def cancel_form(self, request: Request, words: str) -> View:
        found = await self._named(request, words)
        return modals.cancel_modal(found, request.form(found.id))

    async def cancel(self, request: Request, ref: FormRef, reason: str) -> None:
        """Cancel an onboarding; its credentials are destroyed in the same transaction."""
        await self._submitter(request, ref)
        if not reason.strip():
            raise InvalidInput({"reason": "Please add a short reason for the history."})
        onboarding = await self._get(ref.onboarding_id)
        if label := await secret_in(self._services, reason, onboarding):
            raise InvalidInput({"reason": f"Please remove the {label}; this text is saved."})

        async def destroy(session: Session, after: Onboarding) -> None:
            await credentials.destroy(session, after.id)

        def canceled(at: Onboarding, actor: Actor, now: datetime) -> Change:
            if ref.step:  # from the message about a quiet client, who may be active again
                must_be_open(at, ref.step)
            return lifecycle.cancel(at, actor, reason.strip(), now)

        await self._change_as_engineer(request, onboarding.id, canceled, destroy)


def _range(numbers: range) -> str:
    if len(numbers) == 1:
        return f"step {numbers[0]}"
    return f"steps {numbers[0]}–{numbers[-1]}"


def _steps(found: tuple[Steps, str] | None, example: str) -> tuple[Steps, str]:
    """Return the steps and the rest of the text; raises Refused if no step is named."""
    if found is None:
        raise Refused(f"Which step? For example: `/servicetitan {example}`")
    return found
