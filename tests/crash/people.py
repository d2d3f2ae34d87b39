"""Persistent people: they complete a whole onboarding with a bot that keeps crashing.

When a press, message or form isn't acknowledged, they wait until the bot is back, look at what
Slack shows, and try again if it is still necessary.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Message, Person, SlackSandbox, offers
from tests.crash.crashing_bot import CrashPoints
from tests.databases import AnyDatabase

STEPS = 25
LAST_CLIENT_STEP = 22
HELP_STEP = 5
UNDONE_STEP = 7
# Steps finished by typing “done”. When Slack redelivers the message, it finishes the next step too,
# so that step must need nothing but its button.
TYPED_STEPS = (3, 12, 17)
ENTERED_FIELDS = {
    11: ("booking_provider_id",),
    18: ("tenant_id", "client_id"),
    19: ("client_secret",),
    22: ("application_key",),
}
TIMEOUT_SECONDS = 90.0
QUESTION = "I see two menus called My Apps. Which one is it?"

Found = TypeVar("Found")


class Bot(Protocol):
    """The bot as people experience it."""

    @property
    def is_up(self) -> bool:
        """Whether it responds at all."""

    @property
    def crashes(self) -> int:
        """How often it has crashed."""

    @property
    def patience(self) -> float:
        """How many seconds people wait for an effect before they try again."""

    @property
    def database(self) -> AnyDatabase:
        """Its database."""

    def log_text(self) -> str: ...

    async def wait_a_moment(self) -> None:
        """Let some time pass."""


@dataclass(repr=False)  # keeps typed values out of failures
class People:
    """Erin, HeavySet's engineer, and Ann, the client's admin."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    bot: Bot
    points: CrashPoints
    erin: Person
    ann: Person
    channel: Channel
    engineering: Channel
    client: str = "Acme Plumbing"
    impatient: bool = False  # they act as soon as they see a button, while the bot is busy
    longest_wait: float = 0.0  # seconds, from the first attempt
    acknowledged: list[tuple[str, int | None]] = field(default_factory=list)
    entered: dict[str, str] = field(default_factory=dict)

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

        await self.retry_until(lambda: self.erin.view or self.message("root"), opened)
        self.points.begin("begin")

        async def submitted() -> None:
            form = self.erin.view
            if form and not (await self.erin.submit(form)).ok and self.count_rows(self.onboarding):
                await self.erin.close(form)  # the onboarding has started already

        await self.retry_until(lambda: self.message("root"), submitted)
        if self.erin.view:
            await self.erin.close(self.erin.view)

    async def step(self, number: int) -> None:
        """Do one step, with all that belongs to it."""
        person = self.ann if number <= LAST_CLIENT_STEP else self.erin
        await self.wait_for_step(number)
        if number == HELP_STEP:
            await self.ask_for_help(number)
        if number in ENTERED_FIELDS:
            await self.enter(number)
        if number == LAST_CLIENT_STEP + 1:
            await self.reveal_values(number)
        self.points.begin(f"step {number}")
        if number == 1:
            await self.press(person, number, "choose_account:new", "step_done")
        elif number == STEPS:
            await self.press(person, number, "run_verification", "verification_requested")
            await self.wait_for(lambda: not self.offered(number, "run_verification"))
        elif number in TYPED_STEPS:
            await self.say_done(person, number)
        else:
            await self.press(person, number, "step_done", "step_done")
        if number == UNDONE_STEP:
            self.points.begin(f"step {number} undone")
            await self.press(person, number, "step_undo", "step_undone")
            self.points.begin(f"step {number} again")
            await self.press(person, number, "step_done", "step_done", times=2)

    async def wait_for_step(self, number: int) -> None:
        """Wait for the message of a step."""
        await self.wait_for(lambda: self.message(f"step:{number}"))

    async def press(
        self, person: Person, number: int, action_id: str, kind: str, times: int = 1
    ) -> None:
        """Press the button, once it is there, until the message no longer offers it.

        The step may be done already: an impatient “done” typed twice finishes two steps.
        """
        await self.wait_for(
            lambda: self.offered(number, action_id) or self.count_events(kind, number) >= times
        )

        async def pressed() -> None:
            before = len(person.ephemerals)
            press = await person.press(self.step_message(number), action_id)
            if press.ack.ok and not await self.was_told_to_try_again(person, before, kind, number):
                self.assert_recorded(kind, number, times)

        await self.retry_until(lambda: not self.offered(number, action_id), pressed)

    async def say_done(self, person: Person, number: int) -> None:
        """Type `done` in the thread; Slack itself redelivers what isn't acknowledged."""
        root = self.message("root")
        assert root

        def done() -> bool:
            return not self.offered(number, "step_done")

        async def said() -> None:
            await person.say(self.channel, "done", root.ts)
            with contextlib.suppress(TimeoutError):
                await self.wait_for(done, self.bot.patience)
            if not done():  # Slack may redeliver it, which would finish two steps
                await self.slack.delivered()

        await self.wait_for(lambda: not done() or self.count_events("step_done", number))
        await self.retry_until(done, said)

    async def ask_for_help(self, number: int) -> None:
        self.points.begin("help form")
        await self.open_form(self.ann, number, "step_help")
        self.points.begin("help")

        def assert_saved() -> None:
            self.assert_recorded("help_asked", number, 1)

        await self.submit_form({"question": QUESTION}, assert_saved)

    async def enter(self, number: int) -> None:
        """Enter the values that ServiceTitan shows."""
        values = {name: self.servicetitan.credentials[name] for name in ENTERED_FIELDS[number]}
        self.points.begin(f"form {number}")
        await self.open_form(self.ann, number, "enter_credentials")
        self.points.begin(f"values {number}")

        def assert_saved() -> None:
            self.entered.update(values)
            for name in values:
                saved = self.count_rows(f"{self.rows_of('credential')} AND field = '{name}'")
                assert saved, f"{name} is lost"

        await self.submit_form(values, assert_saved)
        if number == LAST_CLIENT_STEP:
            await self.wait_for(lambda: self.message("verification:1"))

    async def submit_form(self, values: dict[str, str], on_accepted: Callable[[], None]) -> None:
        """Have Ann submit the open form until it is accepted, once."""
        accepted = False

        async def submitted() -> None:
            nonlocal accepted
            form = self.ann.view
            if form and accepted:  # from an earlier press, and late
                await self.ann.close(form)
            elif form and (await self.ann.submit(form, values)).ok:
                accepted = True
                on_accepted()

        await self.retry_until(lambda: self.ann.view is None, submitted)

    async def reveal_values(self, number: int) -> None:
        self.points.begin("reveal")
        await self.open_form(self.erin, number, "reveal_credentials")
        if self.erin.view:
            await self.erin.press(self.erin.view, "reveal_credentials:client_secret")
            await self.erin.close(self.erin.view)

    async def open_form(self, person: Person, number: int, action_id: str) -> None:
        """Press until the modal opens; a second press may replace it with another."""
        if person.view:
            await person.close(person.view)

        async def pressed() -> None:
            crashes = self.bot.crashes
            press = await person.press(self.step_message(number), action_id)
            if press.ack.ok:
                with contextlib.suppress(TimeoutError):
                    await self.wait_for(
                        lambda: person.view or self.bot.crashes > crashes, self.bot.patience
                    )

        await self.retry_until(lambda: person.view, pressed)

    async def command(self, text: str) -> None:
        """Type until it is acknowledged."""
        while not (await self.erin.command(self.channel, "/servicetitan", text)).ack.ok:
            await self.wait_until_caught_up()
            if text.startswith("start") and self.erin.view:
                return

    # --- waiting ---

    async def retry_until(
        self, done: Callable[[], object], act: Callable[[], Awaitable[None]]
    ) -> None:
        """Act until it is done: once the bot has caught up or, if impatient, once it is up."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(200):
            await self.wait_for(lambda: self.bot.is_up if self.impatient else self.is_caught_up())
            if done():
                self.longest_wait = max(self.longest_wait, loop.time() - began)
                return
            await self._act_once(done, act)
        raise AssertionError(f"{self.points.scene}: never done")

    async def _act_once(
        self, done: Callable[[], object], act: Callable[[], Awaitable[None]]
    ) -> None:
        crashes = self.bot.crashes
        await act()
        with contextlib.suppress(TimeoutError):
            await self.wait_for(lambda: self.bot.crashes > crashes or done(), self.bot.patience)

    async def wait_until_caught_up(self) -> None:
        """Wait until the bot is up, and Slack shows its newest state."""
        await self.wait_for(self.is_caught_up)

    def is_caught_up(self) -> bool:
        """Whether the bot is up and has nothing to do; expired leases don't count."""
        now = datetime.now(UTC)
        return self.bot.is_up and not (
            self.count_rows(
                f"{self.onboarding} AND (revision > published_revision OR lease_until > ?)", now
            )
            or self.count_rows(f"{self.rows_of('verification')} AND due_at IS NOT NULL")
        )

    async def wait_for(self, look: Callable[[], Found], within: float = TIMEOUT_SECONDS) -> Found:
        """Wait until `look` finds something, and return it."""
        now = asyncio.get_running_loop().time
        deadline = now() + within
        while not (found := look()):
            if now() > deadline:
                raise TimeoutError(f"{self.points.scene}\n{self.bot.log_text()[-2000:]}")
            await self.bot.wait_a_moment()
        return found

    def message(self, slot: str) -> Message | None:
        return self.slack.message(self.channel, slot)

    def step_message(self, number: int) -> Message:
        message = self.message(f"step:{number}")
        assert message, f"step {number} is not in the thread"
        return message

    def offered(self, number: int, action_id: str) -> bool:
        return offers(self.step_message(number), action_id)

    # --- what the database holds ---

    async def was_told_to_try_again(
        self, person: Person, before: int, kind: str, number: int
    ) -> bool:
        """Whether a press had no effect, and the person was told so."""
        if self.count_events(kind, number):
            return False
        with contextlib.suppress(TimeoutError):
            await self.wait_for(lambda: len(person.ephemerals) > before, within=2.0)
        return any("try again" in reply.text for reply in person.ephemerals[before:])

    def assert_recorded(self, kind: str, number: int, times: int) -> None:
        """Assert that the history has what was acknowledged."""
        if kind == "verification_requested":
            return
        self.acknowledged.append((kind, number))
        assert self.count_events(kind, number) >= times, f"{self.points.scene}: {kind} was lost"

    def count_events(self, kind: str, number: int) -> int:
        return self.count_rows(f"{self.rows_of('event')} AND kind = '{kind}' AND step = {number}")

    def count_rows(self, what: str, *values: Any) -> int:
        return int(self.query(f"SELECT count(*) FROM {what}", *values)[0][0])  # noqa: S608

    @property
    def onboarding(self) -> str:
        """Their row, as a FROM clause with its condition."""
        return f"onboarding WHERE channel = '{self.channel.id}'"

    def rows_of(self, table: str) -> str:
        """Their rows of a table, as a FROM clause with its condition."""
        return f"{table} WHERE onboarding_id IN (SELECT id FROM {self.onboarding})"  # noqa: S608

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the bot's database directly."""
        return self.bot.database.rows(text, *values)
