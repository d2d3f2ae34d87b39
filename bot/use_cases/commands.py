"""What engineers change with the slash command. Repeating a command does no harm."""

from collections.abc import Callable
from datetime import datetime

from slack_sdk.models.views import View
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Refused
from bot.core.mrkdwn import escape, link, mention, permalink
from bot.onboarding import Change, Onboarding, lifecycle
from bot.onboarding.people import Actor
from bot.onboarding.reminders import remind
from bot.onboarding.steps import finish_steps, skip_steps, undo_step
from bot.onboarding.verifications import request_verification
from bot.use_cases.lookup import client_of
from bot.use_cases.permissions import must_have_opened
from bot.use_cases.services import InvalidInput, Request
from bot.use_cases.slash_command import person_and_client, step_and_client, steps_and_client
from bot.use_cases.typed_secrets import secret_in
from bot.use_cases.use_case import UseCase
from bot.views import modals
from bot.views.ids import FormRef
from bot.views.status import EphemeralReply, plain_answer
from storage import credentials


class EngineerCommands(UseCase):
    """For engineers only; `words` is what was typed after the command."""

    async def verify(self, request: Request, words: str) -> EphemeralReply:
        """Have a client's credentials checked now; after the end too, while they are kept."""
        actor = await self._engineer(request.person)
        found = await client_of(self._services, request.channel, words, finished=True)
        after = await self._change(
            request, found.id, lambda at, now: request_verification(at, actor, now)
        )
        self._services.verification_runner.wake(after.id)
        return self._done(after, "Checking now. The result will show up in the thread.")

    async def remind(self, request: Request, words: str) -> EphemeralReply:
        actor, found = await self._who_and_whom(request, words)
        after = await self._change(request, found.id, lambda at, now: remind(at, actor, now))
        return self._done(after, "Reminder sent.")

    async def assign(self, request: Request, words: str) -> EphemeralReply:
        named = person_and_client(words)
        if named is None:
            raise Refused("Who? For example: `/servicetitan assign @engineer [client]`")
        engineer, name = named
        actor, found = await self._who_and_whom(request, name)
        directory = self._services.directory
        if not await directory.is_engineer(engineer):
            raise Refused(f"{mention(engineer)} isn't a HeavySet engineer.")
        after = await self._change(
            request, found.id, lambda at, now: lifecycle.assign(at, engineer, actor, now)
        )
        return self._done(after, f"Reassigned to {mention(engineer)}.")

    async def skip(self, request: Request, words: str) -> EphemeralReply:
        numbers, name = _range(words, "skip 7` or `skip 3-8")
        actor, found = await self._who_and_whom(request, name)
        after = await self._change(
            request, found.id, lambda at, now: skip_steps(at, numbers, actor, now)
        )
        return self._done(after, f"Skipped {_named(numbers)}.")

    async def done(self, request: Request, words: str) -> EphemeralReply:
        """Mark steps as done that were done before, with the written guide."""
        numbers, name = _range(words, "done 2-7")
        actor, found = await self._who_and_whom(request, name)
        after = await self._change(
            request, found.id, lambda at, now: finish_steps(at, numbers, actor, now)
        )
        return self._done(after, f"Marked {_named(numbers)} done.")

    async def reopen(self, request: Request, words: str) -> EphemeralReply:
        """Go back to a step and go through the later ones again."""
        number, name = _numbered(words, "reopen")
        actor, found = await self._who_and_whom(request, name)
        after = await self._change(
            request, found.id, lambda at, now: undo_step(at, number, actor, now)
        )
        return self._done(after, _reopened(after, number))

    async def pause(self, request: Request, words: str) -> EphemeralReply:
        return await self._simply(
            request,
            words,
            lambda at, actor, now: lifecycle.pause(at, actor, now),
            "On hold. No reminders until you resume.",
        )

    async def resume(self, request: Request, words: str) -> EphemeralReply:
        return await self._simply(
            request, words, lambda at, actor, now: lifecycle.resume(at, actor, now), "Resumed."
        )

    async def cancel_form(self, request: Request, words: str) -> View:
        """Return the form that asks why to cancel an onboarding."""
        _, found = await self._who_and_whom(request, words)
        person = request.person
        form = FormRef(request.channel, person.user_id, person.team_id, found.id)
        return modals.cancel_modal(found, form)

    async def cancel(self, request: Request, ref: FormRef, reason: str) -> None:
        """Cancel an onboarding; its credentials are destroyed in the same transaction."""
        await must_have_opened(self._services, request, ref)
        actor = await self._engineer(request.person)
        if not reason.strip():
            raise InvalidInput({"reason": "Please add a short reason for the history."})
        onboarding = await self._get(ref.onboarding_id)
        if label := await secret_in(self._services, reason, onboarding):
            raise InvalidInput({"reason": f"Please remove the {label}; this text is saved."})

        async def destroy(session: AsyncSession, after: Onboarding) -> None:
            await credentials.destroy(session, after.id)

        await self._change(
            request,
            ref.onboarding_id,
            lambda at, now: lifecycle.cancel(at, actor, reason.strip(), now),
            destroy,
        )

    async def _simply(
        self,
        request: Request,
        words: str,
        transition: Callable[[Onboarding, Actor, datetime], Change],
        said: str,
    ) -> EphemeralReply:
        actor, found = await self._who_and_whom(request, words)
        after = await self._change(request, found.id, lambda at, now: transition(at, actor, now))
        return self._done(after, said)

    async def _who_and_whom(self, request: Request, name: str) -> tuple[Actor, Onboarding]:
        actor = await self._engineer(request.person)
        return actor, await client_of(self._services, request.channel, name)

    def _done(self, onboarding: Onboarding, said: str) -> EphemeralReply:
        where = ""
        if onboarding.thread_ts:
            url = self._services.slack.identity.url
            address = permalink(url, onboarding.channel, onboarding.thread_ts)
            where = f" ({link(address, 'thread')})"
        return plain_answer(f"*{escape(onboarding.client_name)}*: {said}{where}")


def _reopened(onboarding: Onboarding, number: int) -> str:
    if onboarding.current and onboarding.current.number == number:
        return f"Back to step {number}."
    return f"Step {number} will come up again in order."


def _range(words: str, example: str) -> tuple[range, str]:
    """Return the steps and the rest of what was typed."""
    found = steps_and_client(words)
    if found is None:
        raise Refused(f"Which step? For example: `/servicetitan {example}`")
    return found


def _named(numbers: range) -> str:
    if len(numbers) == 1:
        return f"step {numbers[0]}"
    return f"steps {numbers[0]}–{numbers[-1]}"


def _numbered(words: str, command: str) -> tuple[int, str]:
    """Return the step and the rest of what was typed."""
    found = step_and_client(words)
    if found is None:
        raise Refused(f"Which step? For example: `/servicetitan {command} 7`")
    return found
