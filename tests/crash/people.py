"""People who do not give up: they go through a whole onboarding with a bot that dies on them.

Whoever presses, types or submits and gets no acknowledgement waits until the bot is back, looks at
what Slack shows, and does it again if it is still to be done.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Message, Person, SlackSandbox, offers
from tests.crash.crashing_bot import Points
from tests.databases import AnyDatabase

STEPS = 25
LAST_OF_CLIENT = 22
ASKS_FOR_HELP_AT = 5
UNDONE = 7
# Said in the thread instead of pressed. Said twice, as Slack tells it again, it means the next step
# too: nothing but its button is to be done there.
SAID = (3, 12, 17)
ENTERED_AT = {
    11: ("booking_provider_id",),
    18: ("tenant_id", "client_id"),
    19: ("client_secret",),
    22: ("application_key",),
}
PATIENCE = 90.0
QUESTION = "I see two menus called My Apps. Which one is it?"

Found = TypeVar("Found")


class Bot(Protocol):
    """The bot, as far as people notice it."""

    @property
    def is_up(self) -> bool:
        """Whether it answers at all."""

    @property
    def deaths(self) -> int:
        """How often it died."""

    @property
    def patience(self) -> float:
        """How many seconds people wait for an effect before they try again."""

    @property
    def database(self) -> AnyDatabase:
        """Where it keeps everything."""

    def log_text(self) -> str: ...

    async def breathe(self) -> None:
        """Let some time pass."""


@dataclass(repr=False)  # what was typed is nobody's business
class People:
    """Erin, HeavySet's engineer, and Ann, the client's admin."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    bot: Bot
    points: Points
    erin: Person
    ann: Person
    channel: Channel
    engineering: Channel
    client: str = "Acme Plumbing"
    hasty: bool = False  # they act as soon as they see a button, while the bot is still at it
    longest: float = 0.0  # seconds that anything took, from the first try on
    acknowledged: list[tuple[str, int | None]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    async def onboard(self) -> None:
        """From `/servicetitan start` to “complete”."""
        await self.begin()
        for number in range(1, STEPS + 1):
            await self.step(number)
        self.points.begin("status")
        await self.command("status")

    async def begin(self) -> None:
        self.points.begin("the form")

        async def opened() -> None:
            await self.command(f"start {self.client}")

        await self.do(lambda: self.erin.view or self.message("root"), opened)
        self.points.begin("begin")

        async def submitted() -> None:
            form = self.erin.view
            if form and not (await self.erin.submit(form)).ok and self.rows(self.onboarding):
                await self.erin.close(form)  # it runs already

        await self.do(lambda: self.message("root"), submitted)
        if self.erin.view:
            await self.erin.close(self.erin.view)

    async def step(self, number: int) -> None:
        """Do one step, with all that belongs to it."""
        person = self.ann if number <= LAST_OF_CLIENT else self.erin
        await self.step_comes(number)
        if number == ASKS_FOR_HELP_AT:
            await self.ask_for_help(number)
        if number in ENTERED_AT:
            await self.enter(number)
        if number == LAST_OF_CLIENT + 1:
            await self.look_at_values(number)
        self.points.begin(f"step {number}")
        if number == 1:
            await self.press(person, number, "choose_account:new", "step_done")
        elif number == STEPS:
            await self.press(person, number, "run_verification", "verification_requested")
            await self.comes(lambda: not self.offered(number, "run_verification"))
        elif number in SAID:
            await self.say_done(person, number)
        else:
            await self.press(person, number, "step_done", "step_done")
        if number == UNDONE:
            self.points.begin(f"step {number} undone")
            await self.press(person, number, "step_undo", "step_undone")
            self.points.begin(f"step {number} again")
            await self.press(person, number, "step_done", "step_done", times=2)

    async def step_comes(self, number: int) -> None:
        """Wait for the message of a step."""
        await self.comes(lambda: self.message(f"step:{number}"))

    async def press(
        self, person: Person, number: int, action_id: str, kind: str, times: int = 1
    ) -> None:
        """Press the button, when it is there, until the message offers it no longer.

        It may have been done already: who says `done` twice in haste means two steps.
        """
        await self.comes(
            lambda: self.offered(number, action_id) or self.count(kind, number) >= times
        )

        async def pressed() -> None:
            told = len(person.ephemerals)
            press = await person.press(self.the(number), action_id)
            if press.ack.ok and not await self.was_told_to_try_again(person, told, kind, number):
                self.must_be_kept(kind, number, times)

        await self.do(lambda: not self.offered(number, action_id), pressed)

    async def say_done(self, person: Person, number: int) -> None:
        """Say `done` in the thread; Slack itself repeats what is not acknowledged."""
        root = self.message("root")
        assert root

        def done() -> bool:
            return not self.offered(number, "step_done")

        async def said() -> None:
            await person.say(self.channel, "done", root.ts)
            with contextlib.suppress(TimeoutError):
                await self.comes(done, self.bot.patience)
            if not done():  # Slack may still tell it again; said twice, it means two steps
                await self.slack.delivered()

        await self.comes(lambda: not done() or self.count("step_done", number))
        await self.do(done, said)

    async def ask_for_help(self, number: int) -> None:
        self.points.begin("help form")
        await self.form(self.ann, number, "step_help")
        self.points.begin("help")

        def keep() -> None:
            self.must_be_kept("help_asked", number, 1)

        await self.answer({"question": QUESTION}, keep)

    async def enter(self, number: int) -> None:
        """Enter what ServiceTitan's screens show."""
        values = {name: self.servicetitan.credentials[name] for name in ENTERED_AT[number]}
        self.points.begin(f"form {number}")
        await self.form(self.ann, number, "enter_credentials")
        self.points.begin(f"values {number}")

        def keep() -> None:
            self.kept.update(values)
            for name in values:
                kept = self.rows(f"{self.of('credential')} AND field = '{name}'")
                assert kept, f"{name} is lost"

        await self.answer(values, keep)
        if number == LAST_OF_CLIENT:
            await self.comes(lambda: self.message("verification:1"))

    async def answer(self, values: dict[str, str], keep: Callable[[], None]) -> None:
        """Have Ann submit the form that she sees, until it is taken; once is enough."""
        taken = False

        async def submitted() -> None:
            nonlocal taken
            form = self.ann.view
            if form and taken:  # she had pressed twice, and this one came late
                await self.ann.close(form)
            elif form and (await self.ann.submit(form, values)).ok:
                taken = True
                keep()

        await self.do(lambda: self.ann.view is None, submitted)

    async def look_at_values(self, number: int) -> None:
        self.points.begin("reveal")
        await self.form(self.erin, number, "reveal_credentials")
        if self.erin.view:
            await self.erin.press(self.erin.view, "reveal_credentials:client_secret")
            await self.erin.close(self.erin.view)

    async def form(self, person: Person, number: int, action_id: str) -> None:
        """Press until the modal opens; whoever presses twice may see another in its place."""
        if person.view:
            await person.close(person.view)

        async def pressed() -> None:
            deaths = self.bot.deaths
            press = await person.press(self.the(number), action_id)
            if press.ack.ok:
                with contextlib.suppress(TimeoutError):
                    await self.comes(
                        lambda: person.view or self.bot.deaths > deaths, self.bot.patience
                    )

        await self.do(lambda: person.view, pressed)

    async def command(self, text: str) -> None:
        """Type until it is acknowledged."""
        while not (await self.erin.command(self.channel, "/servicetitan", text)).ack.ok:
            await self.level()
            if text.startswith("start") and self.erin.view:
                return

    # --- what they see ---

    async def do(self, done: Callable[[], object], act: Callable[[], Awaitable[None]]) -> None:
        """Act until it is done: whenever the bot is level, or in haste whenever it lives."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(200):
            await self.comes(lambda: self.bot.is_up if self.hasty else self.is_level())
            if done():
                self.longest = max(self.longest, loop.time() - began)
                return
            await self._act_once(done, act)
        raise AssertionError(f"{self.points.scene}: it is never done")

    async def _act_once(
        self, done: Callable[[], object], act: Callable[[], Awaitable[None]]
    ) -> None:
        deaths = self.bot.deaths
        await act()
        with contextlib.suppress(TimeoutError):
            await self.comes(lambda: self.bot.deaths > deaths or done(), self.bot.patience)

    async def level(self) -> None:
        """Wait until the bot lives, and Slack shows its newest state."""
        await self.comes(self.is_level)

    def is_level(self) -> bool:
        """Whether the bot lives and has nothing to do; a lease that ran out is nobody's."""
        now = datetime.now(UTC)
        return self.bot.is_up and not (
            self.rows(
                f"{self.onboarding} AND (revision > published_revision OR lease_until > ?)", now
            )
            or self.rows(f"{self.of('verification')} AND due_at IS NOT NULL")
        )

    async def comes(self, look: Callable[[], Found], within: float = PATIENCE) -> Found:
        """Wait for what `look` finds."""
        now = asyncio.get_running_loop().time
        deadline = now() + within
        while not (found := look()):
            if now() > deadline:
                raise TimeoutError(f"{self.points.scene}\n{self.bot.log_text()[-2000:]}")
            await self.bot.breathe()
        return found

    def message(self, slot: str) -> Message | None:
        return self.slack.message(self.channel, slot)

    def the(self, number: int) -> Message:
        message = self.message(f"step:{number}")
        assert message, f"step {number} does not stand in the thread"
        return message

    def offered(self, number: int, action_id: str) -> bool:
        return offers(self.the(number), action_id)

    # --- what the database holds ---

    async def was_told_to_try_again(
        self, person: Person, told: int, kind: str, number: int
    ) -> bool:
        """Whether a press was not carried out, and whoever pressed was told so."""
        if self.count(kind, number):
            return False
        with contextlib.suppress(TimeoutError):
            await self.comes(lambda: len(person.ephemerals) > told, within=2.0)
        return any("try again" in one.text for one in person.ephemerals[told:])

    def must_be_kept(self, kind: str, number: int, times: int) -> None:
        """Now that it was acknowledged, the history must have it."""
        if kind == "verification_requested":
            return
        self.acknowledged.append((kind, number))
        assert self.count(kind, number) >= times, f"{self.points.scene}: {kind} was lost"

    def count(self, kind: str, number: int) -> int:
        return self.rows(f"{self.of('event')} AND kind = '{kind}' AND step = {number}")

    def rows(self, what: str, *values: Any) -> int:
        return int(self.query(f"SELECT count(*) FROM {what}", *values)[0][0])  # noqa: S608

    @property
    def onboarding(self) -> str:
        """Their row, for a query."""
        return f"onboarding WHERE channel = '{self.channel.id}'"

    def of(self, table: str) -> str:
        """What a table has of theirs, for a query."""
        return f"{table} WHERE onboarding_id IN (SELECT id FROM {self.onboarding})"  # noqa: S608

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the bot's database, past the bot."""
        return self.bot.database.rows(text, *values)
