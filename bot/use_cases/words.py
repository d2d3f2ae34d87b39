"""What people type in the thread: `done`, `undo`, `status`, `help`, the answers of a question."""

from dataclasses import dataclass

from bot.errors import Refused
from bot.mrkdwn import mention
from bot.onboarding import Onboarding
from bot.people import Deed
from bot.use_cases.base import Request, Services, UseCase
from bot.use_cases.help import Help
from bot.use_cases.steps import Steps
from bot.views.ids import StepRef
from bot.views.words import help_text, status_text, words_text
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
        word, _, rest = text.partition(" ")
        word = word.lower().strip(".,:!")
        if not (mentioned or (_known(onboarding, word) and (not rest or word == "help"))):
            return None
        try:
            answer = await self._do(request, onboarding, word, rest.strip())
        except Refused as refusal:
            answer = str(refusal)
        return Reply(onboarding.id, answer) if answer else None

    async def _do(
        self, request: Request, onboarding: Onboarding, word: str, rest: str
    ) -> str | None:
        if word == "help" and rest:
            return await self._ask(request, onboarding, rest)
        if not rest and word == "done":
            await self._steps.finish_current(request, onboarding)
            return None
        if not rest and word == "undo":
            await self._steps.undo_last(request, onboarding)
            return None
        if not rest and word in _options(onboarding):
            await self._steps.choose_current(request, onboarding, word)
            return None
        await self._actor(request, onboarding, Deed.CLIENT_STEP)
        if not rest and word == "status":
            return status_text(onboarding)
        return help_text(onboarding) if word == "help" else words_text(onboarding)

    async def _ask(self, request: Request, onboarding: Onboarding, question: str) -> str:
        number = onboarding.current.number if onboarding.current else len(onboarding.steps)
        await self._help.ask(request, StepRef(onboarding.id, number), question)
        return f"Your question is with {mention(onboarding.engineer)}, who answers in this thread."

    async def _find(self, channel: str, thread_ts: str | None) -> Onboarding | None:
        services = self._services
        async with services.database.begin(write=False) as session:
            if thread_ts is None:
                running = await onboardings.running_in(session, services.shelf, channel)
                return running[0] if running else None
            return await onboardings.of_thread(session, services.shelf, channel, thread_ts)


NOTHING_HERE = (
    "No onboarding runs in this channel. A HeavySet engineer starts one with `/servicetitan start`."
)


def _options(onboarding: Onboarding) -> set[str]:
    choice = onboarding.current.choice if onboarding.current else None
    return {option.id for option in choice.options} if choice else set()


def _known(onboarding: Onboarding, word: str) -> bool:
    return word in {"done", "undo", "status", "help"} | _options(onboarding)
