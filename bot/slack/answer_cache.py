"""Caches answers from Slack for a while; concurrent lookups of the same key share one call."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.background import BackgroundTasks
from bot.core.deadline import before_deadline
from bot.core.errors import OnboardingError, Unavailable

Answer = TypeVar("Answer")

FRESH_SECONDS = 300
# While Slack is slow or unavailable, an answer up to this old is good enough.
STALE_SECONDS = 900
# How long to wait for Slack if there is another answer to use.
FALLBACK_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Lookup(Generic[Answer]):
    """A lookup in progress, and when it began, by the event loop's clock."""

    outcome: asyncio.Future[Answer | OnboardingError]
    since: float


class AnswerCache(Generic[Answer]):
    """The answers to one kind of question, by key."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Answer]],
        is_lasting: Callable[[Answer], bool],
        tasks: BackgroundTasks,
    ) -> None:
        """Take the function that asks, and which answers to remember.

        A lookup continues after everyone has stopped waiting: the next caller gets its answer.
        """
        self._ask, self._is_lasting, self._tasks = ask, is_lasting, tasks
        self._found: dict[str, tuple[float, Answer]] = {}
        self._running: dict[str, Lookup[Answer]] = {}

    async def get(
        self,
        key: str,
        fallback: Answer | None = None,
        ask: Callable[[str], Awaitable[Answer]] | None = None,
    ) -> Answer:
        """Return the answer for `key`; a stale one, or else `fallback`, if Slack gives none.

        `ask` is another way to ask, used if no lookup is running. Raises what asking raises, and
        Unavailable at the deadline of the request if there is nothing else to return.
        """
        if key in self._found:
            at, found = self._found[key]
            age = time.monotonic() - at
            if age <= FRESH_SECONDS:
                return found
            if age <= STALE_SECONDS:
                fallback = found
        lookup = self._running.get(key) or self._start(key, ask)
        if fallback is None:
            return await self._wait(lookup)
        try:
            return await self._wait(lookup, FALLBACK_SECONDS)
        except Unavailable:
            return fallback

    async def renew(self, key: str, seconds: float | None = None) -> Answer:
        """Ask now, ignoring the cache, and return the answer.

        Raises what `ask` raises, and Unavailable at the deadline or after `seconds`.
        """
        return await self._wait(self._start(key), seconds)

    async def _wait(self, lookup: Lookup[Answer], seconds: float | None = None) -> Answer:
        """Wait for an answer, until `seconds` after the lookup began."""
        until = None if seconds is None else lookup.since + seconds
        try:
            async with asyncio.timeout_at(until):
                outcome = await before_deadline(asyncio.shield(lookup.outcome))
        except TimeoutError:
            raise Unavailable("Slack is slow to answer") from None
        if isinstance(outcome, OnboardingError):
            raise outcome
        return outcome

    def _start(
        self, key: str, ask: Callable[[str], Awaitable[Answer]] | None = None
    ) -> Lookup[Answer]:
        loop = asyncio.get_running_loop()
        lookup: Lookup[Answer] = Lookup(loop.create_future(), loop.time())
        self._running[key] = lookup
        self._tasks.spawn(self._run(key, lookup, ask or self._ask), "look somebody up in Slack")
        return lookup

    async def _run(
        self, key: str, lookup: Lookup[Answer], ask: Callable[[str], Awaitable[Answer]]
    ) -> None:
        outcome: Answer | OnboardingError = Unavailable("nobody was asked")
        try:
            outcome = await ask(key)
            if self._running.get(key) is lookup:  # otherwise a later lookup is more recent
                self._found.pop(key, None)
                if self._is_lasting(outcome):
                    self._found[key] = (time.monotonic(), outcome)
        except OnboardingError as error:
            outcome = error
        finally:
            if self._running.get(key) is lookup:
                del self._running[key]
            lookup.outcome.set_result(outcome)
