"""Where the machine acts: a real bot, or two, and for each example a client's own channel."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

from sandbox.slack import Ack, Message, Person, Press, Trouble, View, buttons
from sandbox.slack.delivery import Outgoing
from storage.audit.verify_history import verify
from tests.builders import ALL_FIELDS, GUIDE
from tests.databases import AnyDatabase
from tests.integration.world import World, running_world
from tests.invariants import assert_consistent
from tests.machine.actions import ABOUT_A_STEP, ENGINEERS, FILLED, PRESSED, SAID, TYPED, Act, Deed
from tests.machine.model import LAST, LAST_OF_CLIENT, RIGHT, WRONG, Model, Seen, explains
from tests.machine.observations import Seeing
from tests.machine.workers import Workers

# Whatever waits for Slack tries again after five minutes at the latest.
MINUTE, PATIENCE = timedelta(minutes=1), 12
ASKED_AT = [step.number for step in GUIDE.steps if step.credentials]
BAD_WEATHER = (
    Trouble.RATE_LIMITED,
    Trouble.SERVER_ERROR,
    Trouble.UNAVAILABLE,
    Trouble.RESET,
    Trouble.BROKEN_JSON,
)


class Stage(Seeing):
    """The people, the bots (`workers`) and the onboarding that this example is about."""

    model: Model

    def __init__(self, world: World, workers: Workers, clock: Any, log: StringIO) -> None:
        self.world, self.workers, self._clock, self._log = world, workers, clock, log
        slack = world.slack
        elsewhere = slack.add_team("Otto & Sons")
        self.people: dict[str, Person] = {
            "ann": world.ann,
            "ben": slack.add_person("Ben Admin", world.ann.team),
            "erin": world.erin,
            "eve": slack.add_person("Eve Engineer"),
            "gus": slack.add_person("Gus Guest", is_restricted=True),
            "otto": slack.add_person("Otto Other", elsewhere),
        }
        self._names = {person.id: name for name, person in self.people.items()}
        self._otto_s = slack.add_channel("otto", world.erin, self.people["otto"])
        self._examples = 0
        self.carried_out: list[Outgoing] = []
        self._refusals: list[str] = []  # of forms
        self._unanswered = 0
        self._since = 0  # the deliveries of this example

    # --- an example ---

    async def begin(self, step: int) -> None:
        """Start an onboarding in a new channel, and bring it to `step`."""
        self._examples += 1
        self.carried_out.clear()
        self._since = len(self.world.slack.deliveries)
        insiders = [person for name, person in self.people.items() if name != "otto"]
        channel = self.world.slack.add_channel(f"client-{self._examples}", *insiders)
        self.world.channel, self._client = channel, f"Client {self._examples}"
        self.workers.take_turns(from_first=True)
        self.onboarding = await self.world.begin(self._client, channel)
        for number in range(1, min(step, LAST_OF_CLIENT)):
            await self.world.finish(self.onboarding, number)
        self.world.bot.publisher.wake(self.onboarding)
        await self.settle()
        self.model = await self._model()
        if step > LAST_OF_CLIENT:
            await self.act([Deed("erin", "enter right")])
            for _ in range(LAST_OF_CLIENT, step):
                await self.act([Deed("erin", "done")])
        assert self.current == step

    @property
    def current(self) -> int:
        """The number of the current step; after the last one, that."""
        return self.model.current or LAST

    async def act(
        self,
        *waves: Sequence[Deed],
        again: int = 0,
        weather: int | None = None,
        restart: bool = False,
    ) -> None:
        """Let people act at the same moment, and see that some order of their deeds explains all.

        Each of the `waves` begins as soon as the one before it is acknowledged, while the bots are
        still at work. `again`: meanwhile Slack sends an earlier request so often. `weather` is the
        seed of Slack's troubles meanwhile. `restart`: then the bots are stopped at their work.
        """
        acts = await self._prepared(waves)
        newest, told, excuses = self._newest_event(), self._told(), self._excuses()
        sent = len(self.world.slack.deliveries)
        async with self._weather(weather):
            refused = await self._do_all(acts, again)
            if restart:
                await self.workers.stop()
            await self._rest()
        if restart:
            await self.workers.start()
        await self.settle()
        before, self.model = self.model, await self._model()
        seen = Seen(self.model, await self._events(newest), self._told() - told + refused)
        well = weather is None and self._excuses() == excuses
        heard = well and not again and not restart
        assert explains(before, acts, seen, weather=not well, told=heard), (
            f"no order of {acts} leads from {before} to {seen}"
        )
        if well and sum(map(len, acts)) == 1 and seen.events:
            self.carried_out.append(self.world.slack.deliveries[sent].outgoing)
        await self._close_windows()

    async def passes(self, duration: timedelta) -> None:
        """Let time pass in one go; the bot notices at its next sweep."""
        self._clock.tick(duration)
        await self.workers.sweep()
        await self.settle()
        assert await self._model() == self.model

    async def restart(self) -> None:
        """Stop the bots as a deployment does, and start them anew."""
        await self.workers.restart()
        await self.settle()
        assert await self._model() == self.model

    async def settle(self) -> None:
        """Let the bots come to rest, and Slack show all; whatever waits is waited for."""
        for _ in range(PATIENCE):
            await self._rest()
            if self._is_level():
                return
            self._clock.tick(MINUTE)
            await self.workers.sweep()
        raise AssertionError("the bot does not come to rest")

    async def assert_consistent(self) -> None:
        bot, world = self.world.bot, self.world
        ids = (bot.database, bot.guides, self.onboarding)
        await assert_consistent(*ids, world.channel, world.engineering)

    async def versions(self) -> dict[str, int]:
        """How often each value was entered."""
        rows = self.world.rows(
            "SELECT field, version FROM credential WHERE onboarding_id = ?", self.onboarding
        )
        return {name: int(version) for name, version in rows}

    async def end(self) -> None:
        """See that the history is sealed and nothing was told; then nobody needs this one."""
        async with self.world.bot.database.begin(write=False) as session:
            assert (await verify(session)).problems == []
        log, kept = self._log.getvalue(), self.world.database.content()
        for value in (*self._values(RIGHT).values(), *self._values(WRONG).values()):
            assert value not in log
            assert value.encode() not in kept
        assert "Traceback" not in log, log[log.index("Traceback") :]
        self._log.truncate(0)
        self._log.seek(0)
        if self.model.status in ("active", "paused"):
            await self.act([Deed("erin", "/cancel")])

    async def _prepared(self, waves: Iterable[Iterable[Deed]]) -> list[list[Act]]:
        """Find out which step each deed is about, and open the forms, one for each person.

        Whose form does not open, or who has another one before them, does not act.
        """
        prepared: list[list[Act]] = []
        forms: dict[str, tuple[int, Act, Act | None]] = {}
        for number, wave in enumerate(waves):
            prepared.append([])
            for act in map(self._about, wave):
                if act.what not in FILLED:
                    prepared[-1].append(act)
                    continue
                if act.who not in forms:
                    forms[act.who] = (number, act, await self._opened(act))
                *asked, opened = forms[act.who]
                if opened and asked == [number, act]:
                    prepared[-1].append(opened)
        return prepared

    def _about(self, deed: Deed) -> Act:
        if deed.what not in ABOUT_A_STEP:
            return Act(deed.who, deed.what, 0)
        step = min(max(self.current + deed.away, 1), LAST)
        if deed.what.startswith("enter"):
            step = max((n for n in ASKED_AT if n <= step), default=ASKED_AT[0])
        return Act(deed.who, deed.what, step)

    async def _opened(self, act: Act) -> Act | None:
        """Open the form that an act is about; None if it does not open."""
        person = self.people[act.who]
        if act.what == "/cancel":
            await person.command(self.world.channel, "/servicetitan", "cancel")
        else:
            await self._press(person, FILLED[act.what], act.step)
        await self.workers.idle()
        return replace(act, fields=self._fields(person.view)) if person.view else None

    def _fields(self, view: View) -> tuple[str, ...]:
        names = [block["block_id"] for block in view.blocks if block["type"] == "input"]
        return tuple(name for name in names if name in ALL_FIELDS)

    async def _do_all(self, waves: Iterable[Iterable[Act]], again: int) -> Counter[str]:
        """Do it wave by wave; returns how often each was told at a form that it is not taken."""
        refused: list[str | None] = []
        for wave in waves:
            doing = [self._do(act) for act in wave]
            refused += await asyncio.gather(*doing, *(self._send_again() for _ in range(again)))
            again = 0
        return Counter(filter(None, refused))

    async def _do(self, act: Act) -> str | None:
        """Do it; returns who did it if a form stayed open."""
        self.workers.take_turns()
        person, channel = self.people[act.who], self.world.channel
        if act.what in PRESSED:
            press = await self._press(person, PRESSED[act.what], act.step)
            self._must_be_answered(press.ack)
        elif act.what in SAID:
            to_us = f"<@{self.world.slack.bot.id}> " if act.who in ENGINEERS else ""
            text = f"{to_us}{SAID[act.what]}"
            await person.say(channel, text, self.world.message("root").ts)
        elif act.what in TYPED:
            text = TYPED[act.what].format(step=act.step)
            reply = await person.command(channel, "/servicetitan", text)
            self._must_be_answered(reply.ack)
        else:
            return await self._fill_in(person, act)
        return None

    async def _press(self, person: Person, action: str, step: int) -> Press:
        """Press a button on the newest screen that offers it; else on one that nobody has seen."""
        value, root = f"{self.onboarding}:{step}", self.world.message("root")
        if self._names[person.id] == "otto":
            return await person.press_raw(root, action, value, channel=self._otto_s)
        for screen in self._screens(step):
            for button in buttons(screen):
                if button["action_id"] == action and button["value"].startswith(value):
                    return await person.press(screen, action, value=button["value"])
        return await person.press_raw(root, action, value)

    def _screens(self, step: int) -> list[Message]:
        """The message of a step as it stands now, then as it stood before, the latest first."""
        message = self.world.find(f"step:{step}")
        return [message, *reversed(message.versions)] if message else []

    async def _fill_in(self, person: Person, act: Act) -> str | None:
        view = person.view
        assert view
        if act.what == "ask":
            values = {"question": "Which portal is that?"}
        elif act.what == "/cancel":
            values = {"reason": "They move house."}
        else:
            all_values = self._values(RIGHT if act.what == "enter right" else WRONG)
            values = {name: all_values[name] for name in act.fields}
        answer = await person.submit(view, values)
        assert answer.ack
        self._must_be_answered(answer.ack)
        self._refusals += answer.errors.values()
        return None if answer.ok else act.who

    def _must_be_answered(self, ack: Ack) -> None:
        """Slack waits three seconds, which may be too short on a machine with much else to do."""
        assert ack.ok or ack.failure == "http_timeout", ack
        self._unanswered += not ack.ok

    async def _send_again(self) -> str | None:
        """Send what was carried out once more, as Slack does when it has not heard of it."""
        self.workers.take_turns()
        body, kind = self.carried_out[-1].http_body()
        headers = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
        self._must_be_answered(await self.world.slack.post_signed(body, kind, headers=headers))
        return None

    @asynccontextmanager
    async def _weather(self, seed: int | None) -> AsyncIterator[None]:
        """Let Slack fail in one way, for the calls that `seed` picks; None: it does not."""
        if seed is None:
            yield
            return
        trouble = BAD_WEATHER[seed % len(BAD_WEATHER)]
        with self.world.slack.outage(troubles=[trouble], probability=0.5, seed=seed):
            yield
        self._clock.tick(MINUTE)  # who was told to wait has waited

    async def _rest(self) -> None:
        """Let the bots finish what they are at, also what Slack had to tell them again."""
        slack = self.world.slack
        await slack.delivered()
        await slack.until(lambda: not self._untold() or None)
        await self.workers.idle()

    def _untold(self) -> set[str]:
        """What people said that no bot has taken yet."""
        said, taken = set(), set()
        for one in self.world.slack.deliveries[self._since :]:
            payload = one.outgoing.payload
            if payload.get("event", {}).get("user") in self._names:
                said.add(payload["event_id"])
                if one.ack.ok:
                    taken.add(payload["event_id"])
        return said - taken

    async def _close_windows(self) -> None:
        for person in self.people.values():
            while person.view:
                await person.close(person.view)


@asynccontextmanager
async def a_stage(
    database: AnyDatabase, workers: int, clock: Any, log: StringIO
) -> AsyncIterator[Stage]:
    """Set it up for many examples, one after the other; so many `workers` act on the database."""
    async with running_world(database) as world:
        bots = Workers(world, workers)
        await bots.start()
        try:
            yield Stage(world, bots, clock, log)
        finally:
            await bots.stop()
