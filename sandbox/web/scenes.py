"""Prepared scenes: scripted people play up to a moment that is worth looking at."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.clock import SharedClock
from sandbox.run import Stage
from sandbox.scripted_people import (
    LAST_CLIENT_STEP,
    SHOWN_AT,
    STEPS,
    next_step,
    opened,
    outcome,
    press_until_gone,
    start,
    steps,
    submit,
)
from sandbox.slack import Message, offers
from sandbox.web.session import Scene

DAY = 86_400.0
CLIENTS = (
    "Birch Heating",
    "Cedar Plumbing",
    "Delta Air",
    "Elm Electric",
    "Fir Drains",
    "Grand Rapids HVAC",
    "Harbor Plumbing",
    "Ivy Climate",
    "Juniper Services",
    "Keystone Rooter",
    "Lakeside Heating",
)
A_MOMENT = 0.4  # for the bot to notice that the clock has moved
SWEPT = 1.5  # seconds in which it has checked for due work
OFFICE = ZoneInfo("America/New_York")
MORNING = time(9, 5)
SATURDAY = 5


@dataclass
class Walk:
    """One client's onboarding; `wrong` are values to enter instead of the correct ones."""

    stage: Stage
    wrong: Mapping[str, str] | None = None
    entered: set[int] = field(default_factory=set)

    async def to_step(self, number: int) -> None:
        """Do every step before `number`."""
        async for at, message in steps(self.stage, before=number):
            await self._take(at, message)

    async def _take(self, number: int, message: Message) -> None:
        stage = self.stage
        who = stage.admin if number <= LAST_CLIENT_STEP else stage.engineer
        if number in SHOWN_AT and number not in self.entered:
            await self.enter(number, message)
        for action in ("choose_account:new", "step_done"):
            if offers(message, action):
                await press_until_gone(stage, who, message, action)

    async def enter(self, number: int, message: Message) -> None:
        """Fill in what the screen of this step shows."""
        stage = self.stage
        values = {**stage.servicetitan.credentials, **(self.wrong or {})}
        await stage.admin.press(message, "enter_credentials")
        form = await opened(stage, stage.admin, "enter_credentials")
        await submit(stage.admin, form, {name: values[name] for name in SHOWN_AT[number]})
        self.entered.add(number)

    async def finish(self) -> None:
        """Do every step, including HeavySet's own."""
        await self.to_step(LAST_CLIENT_STEP + 1)
        await outcome(self.stage)
        await self.to_step(STEPS)
        _, message = await next_step(self.stage, after=STEPS - 1)
        await press_until_gone(self.stage, self.stage.engineer, message, "run_verification")
        await outcome(self.stage, "verification:2")


async def begin(stage: Stage, wrong: Mapping[str, str] | None = None) -> Walk:
    await start(stage)
    return Walk(stage, wrong)


async def begin_another(stage: Stage, client: str, person: str) -> Walk:
    """Begin the onboarding of another client, whose admin is `person`."""
    admin = stage.slack.add_person(person, stage.slack.add_team(client))
    name = f"{client.split()[0].lower()}-heavyset"
    channel = stage.slack.add_channel(name, stage.engineer, admin)
    stage = replace(stage, admin=admin, client_channel=channel)
    await start(stage, client)
    return Walk(stage)


def at_step(number: int) -> Scene:
    async def scene(stage: Stage, _clock: SharedClock) -> None:
        walk = await begin(stage)
        await walk.to_step(number)

    return scene


async def failed_check(stage: Stage, _clock: SharedClock) -> None:
    """The secret that was entered is an older one."""
    old = stage.servicetitan.client_secret
    stage.servicetitan.regenerate_secret()
    walk = await begin(stage, {"client_secret": old})
    await walk.to_step(22)
    _, message = await next_step(stage, after=21)
    await walk.enter(22, message)
    await outcome(stage)


async def hand_over(stage: Stage, _clock: SharedClock) -> None:
    """The client's part is done, and the check has passed."""
    walk = await begin(stage)
    await walk.to_step(23)
    await outcome(stage)


async def complete(stage: Stage, _clock: SharedClock) -> None:
    walk = await begin(stage)
    await walk.finish()


async def twelve_clients(stage: Stage, clock: SharedClock) -> None:
    """An engineer's week: twelve clients, each at a different step."""
    for number, client in enumerate(CLIENTS):
        walk = await begin_another(stage, client, f"{client.split()[0]} Admin")
        await walk.to_step(2 + 2 * number)
        if number % 3 == 2:
            clock.advance(DAY)
            await asyncio.sleep(A_MOMENT)
    await at_step(7)(stage, clock)


async def three_months_later(stage: Stage, clock: SharedClock) -> None:
    """One client finished, another went quiet and was reminded; three months have passed."""
    quiet = await begin_another(stage, "Birch Heating", "Bo Birch")
    await quiet.to_step(12)
    await complete(stage, clock)
    for days in (1, 2, 4, 28, 28, 28):
        clock.advance(days * DAY)
        clock.advance(until_morning(clock()))  # people are reminded in business hours
        await _quiet(stage)


async def _quiet(stage: Stage) -> None:
    """Wait until the bot, which checks every second for due work, makes no more Slack calls."""
    await asyncio.sleep(SWEPT)
    seen = -1
    while seen != len(stage.slack.calls):
        seen = len(stage.slack.calls)
        await asyncio.sleep(A_MOMENT)


def until_morning(now: float) -> float:
    """Seconds until five past nine on the next weekday in New York."""
    today = datetime.fromtimestamp(now, OFFICE)
    day = today.date() + timedelta(days=today.time() >= MORNING)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, MORNING, OFFICE).timestamp() - now


SCENES: Mapping[str, tuple[str, Scene | None]] = {
    "fresh": ("Fresh", None),
    "step-4": ("Step 4", at_step(4)),
    "step-11": ("Step 11: the first credential", at_step(11)),
    "step-19": ("Step 19: the Client Secret", at_step(19)),
    "failed": ("A failed check", failed_check),
    "hand-over": ("The hand-over", hand_over),
    "complete": ("Complete", complete),
    "twelve": ("Twelve clients", twelve_clients),
    "later": ("Three months later", three_months_later),
}
