"""The apps that requests are sent to, and the onboardings that the requests are about."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, func, select
from sqlmodel import col

from bot.onboarding import EventKind
from sandbox.bot_process import BotProcess
from storage.tables import CredentialRow, EventRow, OnboardingRow
from tests.bench.load import Body
from tests.bench.population import Client, populate
from tests.bench.requests import Templates
from tests.bench.stage import Platforms, engine_for

FIRST_STEP, FORM_STEP = 2, 12
# Slack shows everything, and wasn't called for a while.
QUIET_SECONDS, QUIET_TIMEOUT = 0.4, 60.0


class LostRequestError(Exception):
    """Something was acknowledged that isn't in the database."""


@dataclass
class Target:
    """An app, and clients whose steps can be done and whose values can be entered."""

    name: str
    url: str = ""  # of the database; the stock apps have none
    walking: Sequence[Client] = ()
    entering: Sequence[Client] = ()
    app: BotProcess | None = None
    presses: int = 0
    forms: int = 0

    async def populate(
        self, platforms: Platforms, walking: int, ago: timedelta, entering: int = 0
    ) -> None:
        """Make the onboardings, before the bot starts.

        What follows a step depends on how long it took: the one before was done some time `ago`.
        """
        name = self.name.lower()
        self.walking = await populate(
            platforms, self.url, f"{name}-w", walking, FIRST_STEP, ago=ago
        )
        self.entering = await populate(
            platforms, self.url, f"{name}-e", entering, FORM_STEP, ago=ago
        )

    def done(self, templates: Templates, count: int) -> Iterator[Body]:
        """Yield `count` presses of *Done*."""
        for _ in range(count):
            step, index = divmod(self.presses, len(self.walking))
            yield templates.done(self.walking[index], FIRST_STEP + step)
            self.presses += 1

    def form(self, templates: Templates, count: int) -> Iterator[Body]:
        """Yield `count` forms."""
        for _ in range(count):
            yield templates.form(self.entering[self.forms % len(self.entering)])
            self.forms += 1

    async def settle(self, platforms: Platforms) -> None:
        """Wait until the app has finished all that followed, so as not to disturb others."""
        calls = -1
        async with asyncio.timeout(QUIET_TIMEOUT):
            while self._behind() or len(platforms.slack.calls) != calls:
                calls = len(platforms.slack.calls)
                await asyncio.sleep(QUIET_SECONDS)

    def _behind(self) -> int:
        """Return how many threads don't show the newest state yet."""
        row = OnboardingRow
        unpublished = col(row.revision) > col(row.published_revision)
        return self._scalar(select(func.count()).select_from(row).where(unpublished))

    def check(self) -> None:
        """Raise LostRequestError unless each press and each form has changed something."""
        done = select(func.count()).where(
            col(EventRow.onboarding_id).in_([client.id for client in self.walking]),
            col(EventRow.kind) == EventKind.STEP_DONE.value,
            col(EventRow.step) >= FIRST_STEP,
        )
        entered = select(func.coalesce(func.sum(col(CredentialRow.version)), 0)).where(
            col(CredentialRow.onboarding_id).in_([client.id for client in self.entering])
        )
        found = [self._scalar(query) for query in (done, entered)]
        if found != [self.presses, self.forms]:
            sent = f"{self.presses} presses and {self.forms} forms"
            raise LostRequestError(f"{self.name}: {sent} left {found[0]} steps, {found[1]} values")

    def _scalar(self, query: Select[int]) -> int:
        if not self.url:
            return 0
        engine = engine_for(self.url)
        with engine.connect() as connection:
            found = int(connection.execute(query).scalar_one())
        engine.dispose()
        return found
