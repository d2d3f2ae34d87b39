"""What people type in the thread: words such as `done`, and questions."""

import re
from dataclasses import dataclass

from bot.core.errors import Refused
from bot.core.mrkdwn import mention
from bot.core.typed_text import folded
from bot.guide.answers import is_question
from bot.onboarding import Onboarding
from bot.onboarding.people import Permission, Role
from bot.use_cases.help import Help
from bot.use_cases.services import Request, Services, UseCase
from bot.use_cases.steps import Steps
from bot.views.ids import StepRef
from bot.views.replies import help_text, refusal_text, status_text, words_text
from storage import onboardings


@dataclass(frozen=True, slots=True)
class Reply:
    """What the writer is told; `onboarding_id` is empty where there is no onboarding."""

    onboarding_id: str
    text: str


class Words(UseCase):
    """Does what a word says. Most words need no answer: the thread itself moves."""

    def __init__(self, services: Services, steps: Steps, help_: Help) -> None:
        """Take the services, and the use cases that the words stand for."""
        super().__init__(services)
        self._steps, self._help = steps, help_

    async def say(
        self, request: Request, thread_ts: str | None, text: str, *, mentioned: bool
    ) -> Reply | None:
        """Do what `text` says in a thread, or anywhere in the channel if we were `mentioned`.

        Returns None where there is nothing to say, above all when people just talk.
        """
        onboarding = await self._find(request.channel, thread_ts)
        if onboarding is None:
            return Reply("", NOTHING_HERE) if mentioned else None
        if onboarding.open_questions and thread_ts:
            await self._help.answered(request, onboarding)
        word, _, rest = text.partition(" ")
        word = re.sub(r"^\W+|\W+$", "", folded(word))
        known = _known(onboarding, word) and (not rest or word == "help")
        try:
            if known:
                answer = await self._do(request, onboarding, word, rest.strip())
            elif is_question(onboarding.guide, text):
                answer = await self._answer(request, onboarding, text, mentioned, bool(thread_ts))
            elif mentioned:
                await self._actor(request, onboarding, Permission.CLIENT_STEP)
                answer = words_text(onboarding)
            else:
                answer = None
        except Refused as refusal:
            answer = refusal_text(refusal)
        return Reply(onboarding.id, answer) if answer else None

    async def _do(
        self, request: Request, onboarding: Onboarding, word: str, rest: str
    ) -> str | None:
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        if word == "help" and rest:
            return await self._ask(request, onboarding, rest)
        if word == "done":
            await self._steps.finish_current(request, onboarding)
            return None
        if word == "undo":
            await self._steps.undo_last(request, onboarding)
            return None
        if word in _options(onboarding):
            await self._steps.choose_current(request, onboarding, word)
            return None
        return status_text(onboarding) if word == "status" else help_text(onboarding)

    async def _answer(
        self,
        request: Request,
        onboarding: Onboarding,
        question: str,
        mentioned: bool,
        in_thread: bool,
    ) -> str | None:
        """Answer from the guide, in the thread; what it does not know goes to the engineer.

        Engineers talk with clients in the thread, so only when they ask us they are answered.
        """
        role = await self._role(request.person, onboarding)
        if role is not Role.CLIENT_ADMIN and not mentioned:
            return None
        if await self._help.answer(request, onboarding, question):
            return None if in_thread else "The answer is in the thread."
        if role is Role.ENGINEER:
            return words_text(onboarding)
        return await self._ask(request, onboarding, question)

    async def _ask(self, request: Request, onboarding: Onboarding, question: str) -> str:
        number = onboarding.current.number if onboarding.current else len(onboarding.steps)
        await self._help.ask(request, StepRef(onboarding.id, number), question)
        return f"Your question is with {mention(onboarding.engineer)}, who answers in this thread."

    async def _find(self, channel: str, thread_ts: str | None) -> Onboarding | None:
        services = self._services
        async with services.database.begin(write=False) as session:
            if thread_ts is None:
                running = await onboardings.running_in(session, services.guides, channel)
                return running[0] if running else None
            return await onboardings.of_thread(session, services.guides, channel, thread_ts)


NOTHING_HERE = (
    "No onboarding runs in this channel. A HeavySet engineer starts one with `/servicetitan start`."
)


def _options(onboarding: Onboarding) -> set[str]:
    choice = onboarding.current.choice if onboarding.current else None
    return {option.id for option in choice.options} if choice else set()


def _known(onboarding: Onboarding, word: str) -> bool:
    return word in {"done", "undo", "status", "help"} | _options(onboarding)
