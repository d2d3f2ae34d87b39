"""What Slack was asked, remembered for a while; asked once, however many wait for the answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.background import BackgroundTasks
from bot.core.deadline import before_deadline
from bot.core.errors import OnboardingError, Unavailable

Answer = TypeVar("Answer")

REMEMBER_SECONDS = 300
# While Slack is slow or away, an older answer will do.
STALE_SECONDS = 900
# So long Slack is waited for where another answer will do.
SPARE_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """A call that goes on, and since when, by the event loop's clock."""

    outcome: asyncio.Future[Answer | OnboardingError]
    since: float


class Lookups(Generic[Answer]):
    """The answers to one kind of question, by what it is about."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Answer]],
        is_lasting: Callable[[Answer], bool],
        tasks: BackgroundTasks,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take how to ask, and which answers are worth remembering; `tasks` own the calls.

        A call goes on when nobody waits for it any more: who asks again finds its answer.
        """
        self._ask, self._is_lasting = ask, is_lasting
        self._tasks, self._monotonic = tasks, monotonic
        self._found: dict[str, tuple[float, Answer]] = {}
        self._asking: dict[str, Call[Answer]] = {}

    async def get(self, key: str, spare: Answer | None = None) -> Answer:
        """Return the answer about `key`; an older one, else `spare`, while Slack gives none.

        Raises what `ask` raises, and Unavailable at the deadline of the request.
        """
        if key in self._found:
            at, found = self._found[key]
            age = self._monotonic() - at
            if age <= REMEMBER_SECONDS:
                return found
            if age <= STALE_SECONDS:
                spare = found
        waiting = self._asking.get(key) or self._begin(key)
        answer = await self._answer(waiting, None if spare is None else SPARE_SECONDS)
        if not isinstance(answer, OnboardingError):
            return answer
        if spare is None or not isinstance(answer, Unavailable):
            raise answer
        return spare

    async def renew(self, key: str, patience: float | None = None) -> Answer:
        """Ask now, whatever is remembered, and return the answer, which is then remembered.

        Raises what `ask` raises, and Unavailable at the deadline or after `patience` in seconds.
        """
        answer = await self._answer(self._begin(key), patience)
        if isinstance(answer, OnboardingError):
            raise answer
        return answer

    def clear(self) -> None:
        """Forget what was found: everything is asked for again."""
        self._found.clear()

    async def _answer(
        self, waiting: Call[Answer], patience: float | None
    ) -> Answer | OnboardingError:
        """Wait for an answer, `patience` from when it was asked for."""
        until = None if patience is None else waiting.since + patience
        try:
            async with asyncio.timeout_at(until):
                return await before_deadline(asyncio.shield(waiting.outcome))
        except TimeoutError:
            return Unavailable("Slack takes long to answer")

    def _begin(self, key: str) -> Call[Answer]:
        loop = asyncio.get_running_loop()
        waiting: Call[Answer] = Call(loop.create_future(), loop.time())
        self._asking[key] = waiting
        self._tasks.spawn(self._look_up(key, waiting), "look somebody up in Slack")
        return waiting

    async def _look_up(self, key: str, waiting: Call[Answer]) -> None:
        outcome: Answer | OnboardingError = Unavailable("nobody was asked")
        try:
            outcome = await self._ask(key)
            if self._asking.get(key) is waiting:  # else a later call knows better
                self._found.pop(key, None)
                if self._is_lasting(outcome):
                    self._found[key] = (self._monotonic(), outcome)
        except OnboardingError as error:
            outcome = error
        finally:
            if self._asking.get(key) is waiting:
                del self._asking[key]
            waiting.outcome.set_result(outcome)
