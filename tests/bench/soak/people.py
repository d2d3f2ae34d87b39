"""What clients and engineers do for a few minutes: at a human pace, and with mistakes."""

import asyncio
import itertools
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.scripted_people import SHOWN_AT
from sandbox.slack import Message, NotOfferedError, Person, SlackSandbox, View, offers
from sandbox.slack.forms import inputs
from tests.bench.population import Client
from tests.bench.stage import Platforms

PAUSE_SECONDS = (10.0, 70.0)  # between two things that a client does
LOOK_SECONDS = (3.0, 8.0)  # between two things that an engineer does
READING_SECONDS = 1.5
WINDOW_SECONDS = 10.0
QUESTIONS = (
    "Where do I find My Apps?",
    "I can't see the API Application Access menu, who can give me access?",
    "how long does this take",
    "It says the client secret is invalid",
    "status",
)
QUIET_SHARE = 0.1  # of the clients, who do nothing, and are reminded
LAST_STEP = 22


@dataclass
class ClientAtWork:
    """A client's admin: does steps, asks, looks for help, presses twice, mistypes values."""

    client: Client
    slack: SlackSandbox
    values: dict[str, str]
    rng: random.Random
    counts: Counter[str]

    async def work(self, seconds: float) -> None:
        """Act at intervals, for `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        acts: dict[Callable[[Message], Awaitable[None]], int] = {
            self._read: 40,
            self._finish: 2,  # what costs edits, of which Slack takes 50 a minute
            self._ask: 12,
            self._look_for_help: 15,
            self._press_twice: 1,
            self._press_an_old_button: 10,
            self._mistype: 5,
        }
        await asyncio.sleep(min(self.rng.random() * max(PAUSE_SECONDS), seconds))
        while loop.time() < end:
            [act] = self.rng.choices(list(acts), list(acts.values()))
            await self._try(act)
            pause = self.rng.uniform(*PAUSE_SECONDS)
            await asyncio.sleep(min(pause, max(0.0, end - loop.time())))

    async def _try(self, act: Callable[[Message], Awaitable[None]]) -> None:
        name = act.__name__.strip("_").replace("_", " ")
        message = self._current()
        if message is None:
            return
        try:
            await act(message)
        except (NotOfferedError, TimeoutError) as error:  # the button has gone since
            name = f"{name}: {type(error).__name__}"
        self.counts[name] += 1

    def _current(self) -> Message | None:
        found = [step for step in self._steps() if offers(step, "step_done")]
        return max(found, key=_number, default=None)

    def _steps(self) -> list[Message]:
        return [message for message in self.client.channel.messages if _number(message)]

    async def _read(self, _message: Message) -> None:
        await asyncio.sleep(READING_SECONDS)

    async def _finish(self, message: Message) -> None:
        """Enter what the step asks for, then press *Done*."""
        if _number(message) in SHOWN_AT and offers(message, "enter_credentials"):
            await self._enter(message, self.values)
        if offers(message, "step_done"):
            await self.client.admin.press(message, "step_done")

    async def _enter(self, message: Message, values: dict[str, str]) -> None:
        admin = self.client.admin
        await admin.press(message, "enter_credentials")
        form = await self._window()
        asked = {block["block_id"] for block, _ in inputs(form)}
        await asyncio.sleep(READING_SECONDS)
        await admin.submit(form, {name: values[name] for name in asked & values.keys()})
        if admin.view:
            await admin.close(admin.view)

    async def _mistype(self, message: Message) -> None:
        """Paste the Client ID everywhere."""
        if offers(message, "enter_credentials"):
            await self._enter(message, dict.fromkeys(self.values, self.values["client_id"]))

    async def _ask(self, message: Message) -> None:
        thread = message.thread_ts or message.ts
        await self.client.admin.say(
            self.client.channel, self.rng.choice(QUESTIONS), thread_ts=thread
        )

    async def _look_for_help(self, message: Message) -> None:
        """Open the window; occasionally send a question to the engineer."""
        admin = self.client.admin
        await admin.press(message, "step_help")
        form = await self._window()
        await asyncio.sleep(READING_SECONDS)
        if self.rng.random() < 1 / 10:
            await admin.submit(form, {"question": "Which of the two menus is it?"})
        if admin.view:
            await admin.close(admin.view)

    async def _press_twice(self, message: Message) -> None:
        admin = self.client.admin
        await asyncio.gather(admin.press(message, "step_done"), admin.press(message, "step_done"))

    async def _press_an_old_button(self, message: Message) -> None:
        earlier = min(self._steps(), key=_number)
        await self.client.admin.press_raw(
            message, "step_done", f"{self.client.id}:{_number(earlier)}"
        )

    async def _window(self) -> View:
        admin = self.client.admin
        return await self.slack.until(lambda: admin.view, WINDOW_SECONDS)


async def look_after_clients(platforms: Platforms, rng: random.Random, seconds: float) -> None:
    """Act as an engineer: list clients, look at one, open the Home, answer questions."""
    slack, channel = platforms.slack, platforms.engineering
    engineer = slack.add_person("Eve Engineer")
    await slack.admin.invite(channel, engineer, platforms.engineer)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    words = ("status", "status stuck", "status mine", "status s7-1", "history s7-1", "help")
    for number in itertools.count():
        await asyncio.sleep(rng.uniform(*LOOK_SECONDS))
        if loop.time() > end:
            return
        if number % 4 == 0:
            await engineer.open_home()
        elif number % 4 == 1:
            await _answer_a_question(platforms, engineer)
        else:
            await engineer.command(channel, "/servicetitan", rng.choice(words))
        if engineer.view:
            await engineer.close(engineer.view)


async def _answer_a_question(platforms: Platforms, engineer: Person) -> None:
    asked = (
        message for message in platforms.engineering.messages if offers(message, "mark_answered")
    )
    if message := next(asked, None):
        await engineer.press(message, "mark_answered")


def _number(message: Message) -> int:
    found = re.fullmatch(r"step:(\d+)", message.slot or "")
    return int(found[1]) if found else 0
