"""Reminders by table: what people do in a stretch of time, and what is seen in Slack.

Weekends, holidays and clock changes: tests/unit/test_reminder_schedule.py.

`pytest -s` prints the table. Time is freezegun's; the bot, Slack and the database are as always.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, a_world

NEW_YORK, LONDON = "America/New_York", "Europe/London"
Action = Callable[[World], Awaitable[object]]
GoTo = Callable[[datetime], None]
GRID = timedelta(hours=12)
SECOND = timedelta(seconds=1)


# --- what people do ---


async def choose(world: World) -> None:
    await world.press(world.ann, "step:1", "choose_account:new")


async def finish_from_the_reminder(world: World) -> None:
    [slot] = [slot for slot in world.slots() if slot.startswith("reminder:")]
    await world.press(world.ann, slot, "choose_account:new")


async def snooze(world: World) -> None:
    slots = [slot for slot in world.slots() if slot.startswith("reminder:")]
    await world.press(world.ann, slots[-1], "snooze")


async def ask(world: World) -> None:
    view = await world.open(world.ann, "step:1", "step_help")
    await world.submit(world.ann, view, question="Which account?")


async def hand_over(world: World) -> None:
    await world.press(world.ann, "step:1", "hand_over")


async def pause(world: World) -> None:
    await world.type("pause")


async def resume(world: World) -> None:
    await world.type("resume")


async def remind(world: World) -> None:
    await world.type("remind")


async def cancel(world: World) -> None:
    await world.type("cancel")
    await world.submit(world.erin, world.view_of(world.erin), reason="They left.")


async def verify(world: World) -> None:
    await world.press(world.erin, "step:25", "run_verification")


# --- what is seen ---

CLIENT, HEAVYSET, ENGINEERING = (
    "reminder to the client",
    "reminder to HeavySet",
    "engineering is told",
)


def told_of(world: World) -> list[str]:
    """The reminders and escalations that stand in Slack, each kind in its order."""
    reminders = [
        HEAVYSET if text.startswith(f"👋 <@{world.erin.id}>") else CLIENT
        for message in world.channel.messages
        if message.slot and message.slot.startswith("reminder:")
        for text in [(message.versions or [message])[0].text]
    ]
    escalations = [ENGINEERING for text in world.announced if "has stalled" in text]
    return reminders + escalations


@dataclass(frozen=True)
class Case:
    """A stretch of time in one zone: what people do at which times, and what is seen when."""

    name: str
    start: str
    expected: Mapping[str, str]
    actions: Mapping[str, Action] = field(default_factory=dict)
    zone: str = NEW_YORK
    step: int = 1
    days: int = 9
    down: tuple[str, str] | None = None  # the bot does not run

    def moment(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def local(self, moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"

    @property
    def moments(self) -> Iterator[datetime]:
        """Twice a day, and just before and at each moment that matters."""
        start = self.moment(self.start)
        grid = {start + GRID * number for number in range(self.days * 2)}
        exact = {self.moment(one) for one in (*self.expected, *self.actions)}
        moments = sorted(grid | exact | {one - SECOND for one in exact})
        down = [self.moment(one) for one in self.down or ()]
        return (one for one in moments if not down or not down[0] <= one < down[1])


BOTH = f"{CLIENT} + {ENGINEERING}"
CASES = [
    Case(
        "working days",
        "2026-11-16 10:00",
        {"2026-11-17 10:00": CLIENT, "2026-11-19 10:00": ENGINEERING},
    ),
    Case(
        "over Christmas, in London",
        "2026-12-24 16:00",
        {"2026-12-29 16:00": CLIENT, "2026-12-31 16:00": ENGINEERING},
        zone=LONDON,
    ),
    Case(
        "progress begins it anew",
        "2026-11-16 10:00",
        {"2026-11-18 09:30": CLIENT, "2026-11-20 09:30": ENGINEERING},
        {"2026-11-17 09:30": choose},
    ),
    Case(
        "done from the reminder",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": CLIENT,
            "2026-11-18 12:00": CLIENT,
            "2026-11-20 12:00": ENGINEERING,
        },
        {"2026-11-17 12:00": finish_from_the_reminder},
    ),
    Case(
        "snoozed once",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": CLIENT,
            "2026-11-18 12:00": CLIENT,
            "2026-11-19 10:00": ENGINEERING,
        },
        {"2026-11-17 12:00": snooze},
    ),
    Case(
        "snoozed over the weekend, again and again",
        "2026-11-19 10:00",
        {
            "2026-11-20 10:00": CLIENT,
            "2026-11-23 16:00": CLIENT,
            "2026-11-24 10:00": ENGINEERING,
            "2026-11-25 09:00": CLIENT,
        },
        {"2026-11-20 16:00": snooze, "2026-11-23 20:00": snooze},
        days=5,
    ),
    Case(
        "reminded by hand at night",
        "2026-11-16 10:00",
        {"2026-11-16 20:00": CLIENT, "2026-11-19 10:00": ENGINEERING},
        {"2026-11-16 20:00": remind},
    ),
    Case("paused", "2026-11-16 10:00", {}, {"2026-11-17 09:30": pause}),
    Case(
        "paused after the reminder",
        "2026-11-16 10:00",
        {"2026-11-17 10:00": CLIENT},
        {"2026-11-18 09:30": pause},
    ),
    Case(
        "paused and taken up again",
        "2026-11-16 10:00",
        {"2026-11-24 11:00": CLIENT},
        {"2026-11-17 09:30": pause, "2026-11-23 11:00": resume},
    ),
    Case("cancelled", "2026-11-16 10:00", {}, {"2026-11-17 09:30": cancel}),
    Case("completed", "2026-11-16 10:00", {}, {"2026-11-16 11:00": verify}, step=25),
    Case(
        "HeavySet's turn",
        "2026-11-16 10:00",
        {"2026-11-17 10:00": HEAVYSET, "2026-11-19 10:00": ENGINEERING},
        step=23,
    ),
    Case(
        "a step that was handed over",
        "2026-11-16 10:00",
        {"2026-11-17 11:00": HEAVYSET, "2026-11-19 11:00": ENGINEERING},
        {"2026-11-16 11:00": hand_over},
    ),
    Case(
        "HeavySet owes an answer",
        "2026-11-16 10:00",
        {"2026-11-17 11:00": HEAVYSET, "2026-11-19 11:00": ENGINEERING},
        {"2026-11-16 11:00": ask},
    ),
    Case(
        "the bot was down until the weekend",
        "2026-11-16 10:00",
        {"2026-11-23 09:00": BOTH},
        down=("2026-11-16 10:30", "2026-11-21 12:00"),
    ),
    Case(
        "the bot was down until a working hour",
        "2026-11-16 10:00",
        {"2026-11-20 11:00": BOTH},
        down=("2026-11-16 10:30", "2026-11-20 11:00"),
    ),
    Case(
        "the bot was down over the reminder alone",
        "2026-11-16 10:00",
        {"2026-11-18 09:00": CLIENT, "2026-11-19 10:00": ENGINEERING},
        down=("2026-11-17 09:00", "2026-11-17 20:00"),
    ),
]


@asynccontextmanager
async def a_stalled_world(database: AnyDatabase, case: Case) -> AsyncIterator[tuple[World, GoTo]]:
    """A world whose onboarding was brought to its step when the case starts, and its clock."""
    with freeze_time(case.moment(case.start), real_asyncio=True) as clock:
        async with a_world(database, business_timezone=case.zone) as world:
            world.ann.user.tz = None  # so that the setting holds
            await world.begin()
            if case.step > 1:
                await world.walk_to(case.step)
            yield world, clock.move_to


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


async def seen(case: Case, world: World, go_to: GoTo) -> dict[str, str]:
    """Let the time of a case pass; returns what was told, and when."""
    found: dict[str, str] = {}
    for moment in case.moments:
        before = told_of(world)
        go_to(moment)
        for at, action in case.actions.items():
            if case.moment(at) == moment:
                await action(world)
        await sweep(world)
        await sweep(world)
        new = told_of(world)
        for one in before:
            new.remove(one)
        if new:
            found[case.local(moment)] = " + ".join(new)
    return found


@ON_SQLITE
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_who_is_told_when(case: Case, database: AnyDatabase) -> None:
    async with a_stalled_world(database, case) as (world, go_to):
        found = await seen(case, world, go_to)

    for title, told in (("expected", case.expected), ("seen", found)):
        lines = "; ".join(f"{at[5:]} {what}" for at, what in sorted(told.items())) or "nothing"
        print(f"\n{case.name if title == 'expected' else '':45} {title:9} {lines}", end="")  # noqa: T201
    assert found == case.expected
