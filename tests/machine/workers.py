"""The bots that receive Slack's requests: one on SQLite, several on PostgreSQL."""

from contextlib import AsyncExitStack

from bot.app.bot import Bot
from tests.background import wait_for_tasks
from tests.integration.world import World


class Workers:
    """They take turns with the requests; a restart replaces them all."""

    def __init__(self, world: World, count: int) -> None:
        self._world, self._count = world, count
        self._bots: list[Bot] = []
        self._running = AsyncExitStack()
        self._turn = 0

    async def start(self) -> None:
        for _ in range(self._count):
            self._bots.append(await self._running.enter_async_context(self._world.second_bot()))
        self._world.bot = self._bots[0]
        self.take_turns()

    async def stop(self) -> None:
        await self._running.aclose()
        self._bots.clear()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def take_turns(self, *, from_first: bool = False) -> None:
        """Deliver the next request to the next bot."""
        self._turn = 0 if from_first else self._turn + 1
        port = self._bots[self._turn % self._count].settings.port
        self._world.slack.deliver_to(f"http://127.0.0.1:{port}/slack/events")

    async def idle(self) -> None:
        for bot in [*self._bots, *self._bots]:  # the last may have woken the first
            await wait_for_tasks(bot.tasks)

    async def sweep(self) -> None:
        for bot in self._bots:
            await bot.sweep()
