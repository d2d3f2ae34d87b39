"""What the machine acts on: one real bot or two, and a new client channel for each example."""

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
from tests.machine.actions import (
    ABOUT_A_STEP,
    BUTTONS,
    COMMANDS,
    ENGINEERS,
    FORMS,
    THREAD_MESSAGES,
    Action,
    RelativeAction,
)
from tests.machine.model import LAST, LAST_CLIENT_STEP, RIGHT, WRONG, Model, Observed, explains
from tests.machine.observations import Observer
from tests.machine.workers import Workers

# Whatever waits for Slack is retried after five minutes at the latest.
MINUTE, MAX_SWEEPS = timedelta(minutes=1), 12
ASKING_STEPS = [step.number for step in GUIDE.steps if step.credentials]
TROUBLES = (
    Trouble.RATE_LIMITED,
    Trouble.SERVER_ERROR,
    Trouble.UNAVAILABLE,
    Trouble.RESET,
    Trouble.BROKEN_JSON,
)


class Stage(Observer):
    """The people, the bots (`workers`) and the onboarding that this example is about."""

    model: Model

    def __init__(self, world: World, workers: Workers, clock: Any, log: StringIO) -> None:
        self.world, self.workers, self._clock, self._log = world, workers, clock, log
        slack = world.slack
        other_team = slack.add_team("Otto & Sons")
        self.people: dict[str, Person] = {
            "ann": world.ann,
            "ben": slack.add_person("Ben Admin", world.ann.team),
            "erin": world.erin,
            "eve": slack.add_person("Eve Engineer"),
            "gus": slack.add_person("Gus Guest", is_restricted=True),
            "otto": slack.add_person("Otto Other", other_team),
        }
        self._names = {person.id: name for name, person in self.people.items()}
        self._ottos_channel = slack.add_channel("otto", world.erin, self.people["otto"])
        self._examples = 0
        self.successful_requests: list[Outgoing] = []
        self._refusals: list[str] = []  # of forms
        self._unanswered = 0
        self._first_delivery = 0  # the deliveries of this example

    # --- an example ---

    async def begin(self, step: int) -> None:
        """Start an onboarding in a new channel, and bring it to `step`."""
        self._examples += 1
        self.successful_requests.clear()
        self._first_delivery = len(self.world.slack.deliveries)
        insiders = [person for name, person in self.people.items() if name != "otto"]
        channel = self.world.slack.add_channel(f"client-{self._examples}", *insiders)
        self.world.channel, self._client = channel, f"Client {self._examples}"
        self.workers.take_turns(from_first=True)
        self.onboarding = await self.world.begin(self._client, channel)
        for number in range(1, min(step, LAST_CLIENT_STEP)):
            await self.world.finish(self.onboarding, number)
        self.world.bot.publisher.wake(self.onboarding)
        await self.settle()
        self.model = await self._model()
        if step > LAST_CLIENT_STEP:
            await self.act([RelativeAction("erin", "enter right")])
            for _ in range(LAST_CLIENT_STEP, step):
                await self.act([RelativeAction("erin", "done")])
        assert self.current == step

    @property
    def current(self) -> int:
        """The number of the current step; after the last one, that."""
        return self.model.current or LAST

    async def act(
        self,
        *waves: Sequence[RelativeAction],
        resends: int = 0,
        outage_seed: int | None = None,
        restart: bool = False,
    ) -> None:
        """Have people act concurrently, and assert that some order of their actions explains it.

        Each of the `waves` begins as soon as the one before it is acknowledged, while the bots are
        still at work. Meanwhile Slack sends an earlier request `resends` more times, and fails at
        random if there is an `outage_seed`. With `restart`, the bots are then stopped mid-work.
        """
        actions = await self._prepare(waves)
        newest, replies, failures = (
            self._newest_event(),
            self._reply_counts(),
            self._service_failures(),
        )
        sent = len(self.world.slack.deliveries)
        async with self._outage(outage_seed):
            refused = await self._do_all(actions, resends)
            if restart:
                await self.workers.stop()
            await self._rest()
        if restart:
            await self.workers.start()
        await self.settle()
        before, self.model = self.model, await self._model()
        observed = Observed(
            self.model, await self._events(newest), self._reply_counts() - replies + refused
        )
        undisturbed = outage_seed is None and self._service_failures() == failures
        compare_replies = undisturbed and not resends and not restart
        assert explains(
            before, actions, observed, outage=not undisturbed, compare_replies=compare_replies
        ), f"no order of {actions} leads from {before} to {observed}"
        if undisturbed and sum(map(len, actions)) == 1 and observed.events:
            self.successful_requests.append(self.world.slack.deliveries[sent].outgoing)
        await self._close_windows()

    async def advance(self, duration: timedelta) -> None:
        """Let time pass in one go; the bot notices at its next sweep."""
        self._clock.tick(duration)
        await self.workers.sweep()
        await self.settle()
        assert await self._model() == self.model

    async def restart(self) -> None:
        """Stop and restart the bots, as a deployment does."""
        await self.workers.restart()
        await self.settle()
        assert await self._model() == self.model

    async def settle(self) -> None:
        """Wait until the bots are idle and Slack shows everything, with retries and leases."""
        for _ in range(MAX_SWEEPS):
            await self._rest()
            if self._is_caught_up():
                return
            self._clock.tick(MINUTE)
            await self.workers.sweep()
        raise AssertionError("the bot does not become idle")

    async def assert_consistent(self) -> None:
        bot, world = self.world.bot, self.world
        await assert_consistent(bot.database, self.onboarding, world.channel, world.engineering)

    async def versions(self) -> dict[str, int]:
        """How often each value was entered."""
        rows = self.world.rows(
            "SELECT field, version FROM credential WHERE onboarding_id = ?", self.onboarding
        )
        return {name: int(version) for name, version in rows}

    async def end(self) -> None:
        """Assert that the history is sealed and no value leaked, then cancel the onboarding."""
        async with self.world.bot.database.begin(write=False) as session:
            assert (await verify(session)).problems == []
        log, stored = self._log.getvalue(), self.world.database.content()
        for value in (*self._values(RIGHT).values(), *self._values(WRONG).values()):
            assert value not in log
            assert value.encode() not in stored
        assert "Traceback" not in log, log[log.index("Traceback") :]
        self._log.truncate(0)
        self._log.seek(0)
        if self.model.status in ("active", "paused"):
            await self.act([RelativeAction("erin", "/cancel")])

    async def _prepare(self, waves: Iterable[Iterable[RelativeAction]]) -> list[list[Action]]:
        """Resolve the step of each action, and open the forms, one per person.

        A person whose form doesn't open, or who has another one open, does not act.
        """
        prepared: list[list[Action]] = []
        forms: dict[str, tuple[int, Action, Action | None]] = {}
        for number, wave in enumerate(waves):
            prepared.append([])
            for action in map(self._resolve, wave):
                if action.what not in FORMS:
                    prepared[-1].append(action)
                    continue
                if action.who not in forms:
                    forms[action.who] = (number, action, await self._open_form(action))
                *asked, opened = forms[action.who]
                if opened and asked == [number, action]:
                    prepared[-1].append(opened)
        return prepared

    def _resolve(self, action: RelativeAction) -> Action:
        if action.what not in ABOUT_A_STEP:
            return Action(action.who, action.what, 0)
        step = min(max(self.current + action.offset, 1), LAST)
        if action.what.startswith("enter"):
            step = max((n for n in ASKING_STEPS if n <= step), default=ASKING_STEPS[0])
        return Action(action.who, action.what, step)

    async def _open_form(self, action: Action) -> Action | None:
        """Open the form for an action; None if it does not open."""
        person = self.people[action.who]
        if action.what == "/cancel":
            await person.command(self.world.channel, "/servicetitan", "cancel")
        else:
            await self._press(person, FORMS[action.what], action.step)
        await self.workers.idle()
        return replace(action, fields=self._fields(person.view)) if person.view else None

    def _fields(self, view: View) -> tuple[str, ...]:
        names = [block["block_id"] for block in view.blocks if block["type"] == "input"]
        return tuple(name for name in names if name in ALL_FIELDS)

    async def _do_all(self, waves: Iterable[Iterable[Action]], resends: int) -> Counter[str]:
        """Act wave by wave; returns how many forms of each person were refused."""
        refused: list[str | None] = []
        for wave in waves:
            doing = [self._do(action) for action in wave]
            refused += await asyncio.gather(*doing, *(self._resend() for _ in range(resends)))
            resends = 0
        return Counter(filter(None, refused))

    async def _do(self, action: Action) -> str | None:
        """Act; returns who did if their form was refused."""
        self.workers.take_turns()
        person, channel = self.people[action.who], self.world.channel
        if action.what in BUTTONS:
            press = await self._press(person, BUTTONS[action.what], action.step)
            self._must_be_answered(press.ack)
        elif action.what in THREAD_MESSAGES:
            to_us = f"<@{self.world.slack.bot.id}> " if action.who in ENGINEERS else ""
            text = f"{to_us}{THREAD_MESSAGES[action.what]}"
            await person.say(channel, text, self.world.message("root").ts)
        elif action.what in COMMANDS:
            text = COMMANDS[action.what].format(step=action.step)
            reply = await person.command(channel, "/servicetitan", text)
            self._must_be_answered(reply.ack)
        else:
            return await self._fill_in(person, action)
        return None

    async def _press(self, person: Person, action: str, step: int) -> Press:
        """Press a button on the newest version that offers it; otherwise a forged one."""
        value, root = f"{self.onboarding}:{step}", self.world.message("root")
        if self._names[person.id] == "otto":
            return await person.press_raw(root, action, value, channel=self._ottos_channel)
        for version in self._versions(step):
            for button in buttons(version):
                if button["action_id"] == action and button["value"].startswith(value):
                    return await person.press(version, action, value=button["value"])
        return await person.press_raw(root, action, value)

    def _versions(self, step: int) -> list[Message]:
        """The versions of a step's message, newest first."""
        message = self.world.find(f"step:{step}")
        return [message, *reversed(message.versions)] if message else []

    async def _fill_in(self, person: Person, action: Action) -> str | None:
        view = person.view
        assert view
        if action.what == "ask":
            values = {"question": "Which portal is that?"}
        elif action.what == "/cancel":
            values = {"reason": "They move house."}
        else:
            all_values = self._values(RIGHT if action.what == "enter right" else WRONG)
            values = {name: all_values[name] for name in action.fields}
        answer = await person.submit(view, values)
        assert answer.ack
        self._must_be_answered(answer.ack)
        self._refusals += answer.errors.values()
        return None if answer.ok else action.who

    def _must_be_answered(self, ack: Ack) -> None:
        """Slack waits three seconds, which may be too short on a busy machine."""
        assert ack.ok or ack.failure == "http_timeout", ack
        self._unanswered += not ack.ok

    async def _resend(self) -> str | None:
        """Send the last successful request once more, as Slack does without an acknowledgement."""
        self.workers.take_turns()
        body, kind = self.successful_requests[-1].http_body()
        headers = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
        self._must_be_answered(await self.world.slack.post_signed(body, kind, headers=headers))
        return None

    @asynccontextmanager
    async def _outage(self, seed: int | None) -> AsyncIterator[None]:
        """Make Slack fail in one way, on calls picked by `seed`; with None, it doesn't."""
        if seed is None:
            yield
            return
        trouble = TROUBLES[seed % len(TROUBLES)]
        with self.world.slack.outage(troubles=[trouble], probability=0.5, seed=seed):
            yield
        self._clock.tick(MINUTE)  # long enough for every Retry-After

    async def _rest(self) -> None:
        """Wait until the bots have finished, including events that Slack redelivers."""
        slack = self.world.slack
        await slack.delivered()
        await slack.until(lambda: not self._undelivered() or None)
        await self.workers.idle()

    def _undelivered(self) -> set[str]:
        """The messages of people that no bot has acknowledged yet."""
        sent, acknowledged = set(), set()
        for delivery in self.world.slack.deliveries[self._first_delivery :]:
            payload = delivery.outgoing.payload
            if payload.get("event", {}).get("user") in self._names:
                sent.add(payload["event_id"])
                if delivery.ack.ok:
                    acknowledged.add(payload["event_id"])
        return sent - acknowledged

    async def _close_windows(self) -> None:
        for person in self.people.values():
            while person.view:
                await person.close(person.view)


@asynccontextmanager
async def running_stage(
    database: AnyDatabase, workers: int, clock: Any, log: StringIO
) -> AsyncIterator[Stage]:
    """Set up a stage for many examples in turn, with `workers` bots on one database."""
    async with running_world(database) as world:
        bots = Workers(world, workers)
        await bots.start()
        try:
            yield Stage(world, bots, clock, log)
        finally:
            await bots.stop()
