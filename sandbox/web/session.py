"""A run of the sandbox: the stage, the bot's process, the clock; started over on request."""

import asyncio
import contextlib
import itertools
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.bot_process import THE_BOT, BotFailedError, BotProcess
from sandbox.clock import SharedClock
from sandbox.run import Scenery, Stage, scenery
from sandbox.slack import Person
from sandbox.slack.change_feed import Change, Noticed
from sandbox.slack.errors import NotOfferedError

NOTICES_KEPT = 3
# The bot checks for due work every second, so a jump of the clock shows right away.
BOT_SETTINGS = {"SWEEP_INTERVAL": "1", "SUPPORT_EMAIL": "support@heavyset.example"}

Scene = Callable[[Stage, SharedClock], Awaitable[None]]


@dataclass(frozen=True)
class Notice:
    """Something that Slack itself tells a person."""

    number: int
    text: str


@dataclass
class Running:
    """One run, from one "start over" to the next."""

    scene: Scenery
    clock: SharedClock
    stack: AsyncExitStack  # what ends with it
    bot: BotProcess | None = None
    trouble: str = ""  # why the bot isn't running
    switched_on: set[str] = field(default_factory=set)  # what is wrong at ServiceTitan and Slack
    notices: dict[str, deque[Notice]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=NOTICES_KEPT))
    )


class Session:
    """The state that the page shows."""

    def __init__(self, *, hold_at: float | None = None, seed: int | None = None) -> None:
        """Freeze the clock at `hold_at`, if given; `seed` makes ServiceTitan's values the same."""
        self.generation = 0
        self.preparing = ""  # the scene that is being prepared
        self._hold_at, self._seed = hold_at, seed
        self._key: str | None = None  # generated once: the next run can use it again
        self._numbers = itertools.count(1)
        self._running: Running | None = None
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def now(self) -> Running:
        if self._running is None:
            raise RuntimeError("nothing was started")
        return self._running

    async def start(self) -> None:
        """Set the stage and start the bot; if it doesn't start, keep its error for the page."""
        stack = AsyncExitStack()
        directory = Path(stack.enter_context(TemporaryDirectory()))
        clock = SharedClock(directory / "clock")
        if self._hold_at is not None:
            clock.hold(self._hold_at)
        scene = await stack.enter_async_context(
            scenery(clock=clock, seed=self._seed, key=self._key)
        )
        self._key = scene.environment["CREDENTIAL_KEYS"]
        scene.environment.update(BOT_SETTINGS)
        scene.slack.observers.append(self._observe)
        scene.slack.deliver_to(f"http://127.0.0.1:{scene.environment['PORT']}/slack/events")
        self._running = Running(scene, clock, stack)
        self.generation += 1
        await self.start_bot()

    async def close(self) -> None:
        await self._leave_scene()
        await _end(self._running)

    async def start_over(self, name: str = "", scene: Scene | None = None) -> None:
        """Start again from nothing, and prepare `scene` in the background."""
        await self._leave_scene()
        self.preparing = name
        self.touch()
        async with self._busy:
            old = self._running
            await self.start()
            await _end(old)
        if scene is None or self.now.trouble:
            self.preparing = ""
        else:
            self._task = asyncio.create_task(self._prepare(scene))

    async def start_bot(self) -> None:
        """Start the bot's process unless it is running."""
        running = self.now
        if running.bot is not None and running.bot.is_running:
            return
        scene = running.scene
        command = ("-m", "sandbox.shifted_time", str(running.clock.path), *THE_BOT[1:])
        try:
            running.bot = await BotProcess.start(scene.environment, scene.directory, command)
        except BotFailedError as error:
            running.bot, running.trouble = None, str(error)
        else:
            running.trouble = ""

    async def kill_bot(self) -> None:
        if self.now.bot is not None:
            await self.now.bot.kill()
            self.now.trouble = "The bot was killed (kill -9)."

    async def reload_guide(self) -> None:
        """Restart the bot: it reads the guide, and edits the messages whose text has changed."""
        async with self._busy:
            if self.now.bot is not None:
                await self.now.bot.stop()
            await self.start_bot()

    def stage(self) -> Stage:
        """The stage, for scripted people."""
        running, scene = self.now, self.now.scene
        if running.bot is None:
            raise NotOfferedError("the bot does not run")
        return Stage(**vars(scene), bot=running.bot)

    def person(self, user_id: str) -> Person:
        """Somebody on the page."""
        for person in self.now.scene.slack.people:
            if person.id == user_id:
                return person
        raise NotOfferedError("there is no such person")

    def notice(self, user_id: str, text: str) -> None:
        """Show a person a notice from Slack itself."""
        self.now.notices[user_id].append(Notice(next(self._numbers), text))
        self.touch()

    def touch(self) -> None:
        """Make every open page look again."""
        if self._running is not None:
            self._running.scene.slack.touch()

    async def changed(self) -> None:
        """Wait until something on the page changes."""
        await self.now.scene.slack.changed_once()

    def _observe(self, change: Change) -> None:
        if isinstance(change, Noticed):
            self.notice(change.user.id, change.text)

    async def _prepare(self, scene: Scene) -> None:
        engineer = self.now.scene.engineer.id
        try:
            await scene(self.stage(), self.now.clock)
        except Exception as error:  # reported on the page, which keeps working
            self.notice(engineer, f"The scene got stuck: {error}")
        finally:
            self.preparing = ""
            self.touch()

    async def _leave_scene(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


async def _end(running: Running | None) -> None:
    if running is not None:
        running.scene.slack.touch()  # pages that waited for its changes look at the new one
        if running.bot is not None:
            await running.bot.kill()
        await running.stack.aclose()
