"""Table-driven reminder tests: what people do over time, and what is posted in Slack.

Weekends, holidays and clock changes: tests/unit/test_reminder_schedule.py.

`pytest -s` prints the table. freezegun sets the time; everything else is as in other tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, running_world

NEW_YORK, LONDON = "America/New_York", "Europe/London"
Action = Callable[[World], Awaitable[object]]
MoveClock = Callable[[datetime], None]
GRID = timedelta(days=5)
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


async def undo(world: World) -> None:
    await world.press(world.ann, "step:1", "step_undo")


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


def say(words: str, who: str = "ann") -> Action:
    """Someone writes in the thread."""

    async def action(world: World) -> None:
        person, root = getattr(world, who), world.message("root")
        await person.say(world.channel, words, thread_ts=root.ts)
        await world.idle()

    return action


def decide(button: str) -> Action:
    """An engineer presses a button of the message about a quiet client."""

    async def action(world: World) -> None:
        [*_, asked] = [
            message for message in world.engineering.messages if "What now?" in message.text
        ]
        await world.erin.press(asked, button)
        await world.idle()

    return action


# --- what is posted ---

CLIENT, HEAVYSET, ENGINEERING, WHAT_NOW = (
    "reminder to the client",
    "reminder to HeavySet",
    "engineering is told",
    "engineering is asked",
)
# Phrases that only that day's follow-up contains.
DAY_BY_PHRASE = {
    "a friendly nudge": "1",
    "Is something in the way?": "2",
    "sorry for the wait": "2",
    "Bad timing?": "3",
    "on us for a while": "3",
    "my last reminder for now": "last",
    "asking the whole team": "last",
    "checking in once more": "again",
    "after the snooze": "snoozed",
    "just checking in": "named day",
}


def notifications(world: World) -> list[str]:
    """The reminders, and engineering's announcements, each kind in order."""
    reminders = [
        f"{HEAVYSET if text.startswith(f'👋 <@{world.erin.id}>') else CLIENT} ({day})"
        for message in world.channel.messages
        if message.slot and message.slot.startswith("reminder:")
        for text in [(message.versions or [message])[0].text]
        for day in [next((day for phrase, day in DAY_BY_PHRASE.items() if phrase in text), "1")]
    ]
    kinds = {"has stalled": ENGINEERING, "What now?": WHAT_NOW}
    return reminders + [
        kind for text in world.announced for phrase, kind in kinds.items() if phrase in text
    ]


@dataclass(frozen=True)
class Case:
    """A period in one time zone: what people do and when, and what is posted and when."""

    name: str
    start: str
    expected: Mapping[str, str]
    actions: Mapping[str, Action] = field(default_factory=dict)
    zone: str = NEW_YORK
    step: int = 1
    days: int = 9
    down: tuple[str, str] | None = None  # while the bot isn't running
    settings: Mapping[str, Any] = field(default_factory=dict)

    def moment(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def local(self, moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"

    @property
    def moments(self) -> Iterator[datetime]:
        """Every few days, plus at each moment that matters and just before what is posted."""
        start = self.moment(self.start)
        grid = {start + GRID * number for number in range(self.days // GRID.days)}
        posted = {self.moment(moment) for moment in self.expected}
        before = {moment - SECOND for moment in posted}
        moments = sorted(grid | posted | before | {self.moment(moment) for moment in self.actions})
        down = [self.moment(moment) for moment in self.down or ()]
        return (moment for moment in moments if not down or not down[0] <= moment < down[1])


def client(day: str) -> str:
    return f"{CLIENT} ({day})"


def heavyset(day: str) -> str:
    return f"{HEAVYSET} ({day})"


# No progress since Monday, November 16 at 10; Thanksgiving is the 26th.
SCHEDULE = {
    "2026-11-17 10:00": client("1"),
    "2026-11-19 10:00": f"{client('2')} + {ENGINEERING}",
    "2026-11-25 10:00": client("3"),
    "2026-12-07 10:00": f"{client('last')} + {WHAT_NOW}",
}
MONTH = 31
CASES = [
    Case(
        "business days 1, 3, 7 and 14, then paused",
        "2026-11-16 10:00",
        SCHEDULE,
        {"2026-12-07 12:00": decide("pause_quiet")},
        days=35,
    ),
    Case(
        "over Christmas, in London",
        "2026-12-24 16:00",
        {
            "2026-12-29 16:00": client("1"),
            "2026-12-31 16:00": f"{client('2')} + {ENGINEERING}",
            "2027-01-07 16:00": client("3"),
            "2027-01-18 16:00": f"{client('last')} + {WHAT_NOW}",
        },
        zone=LONDON,
        days=MONTH,
    ),
    Case(
        "progress restarts the schedule",
        "2026-11-16 10:00",
        {"2026-11-18 09:30": client("1"), "2026-11-20 09:30": f"{client('2')} + {ENGINEERING}"},
        {"2026-11-17 09:30": choose},
    ),
    Case(
        "done from the reminder, and undone after the second",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": client("1"),
            "2026-11-18 12:00": client("1"),
            "2026-11-20 12:00": f"{client('2')} + {ENGINEERING}",
            "2026-11-24 09:30": client("1"),
        },
        {"2026-11-17 12:00": finish_from_the_reminder, "2026-11-23 09:30": undo},
    ),
    Case(
        "snoozed once: the next one is a day after the snooze",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": client("1"),
            "2026-11-18 12:00": client("snoozed"),
            "2026-11-19 10:00": ENGINEERING,
            "2026-11-19 12:00": client("2"),
        },
        {"2026-11-17 12:00": snooze},
    ),
    Case(
        "snoozed over the weekend, again and again",
        "2026-11-19 10:00",
        {
            "2026-11-20 10:00": client("1"),
            "2026-11-23 16:00": client("snoozed"),
            "2026-11-24 10:00": ENGINEERING,
            "2026-11-25 09:00": client("2"),
        },
        {"2026-11-20 16:00": snooze, "2026-11-23 20:00": snooze},
        days=7,
    ),
    Case(
        "a manual reminder at night replaces the first",
        "2026-11-16 10:00",
        {"2026-11-16 20:00": client("1"), "2026-11-19 10:00": f"{client('2')} + {ENGINEERING}"},
        {"2026-11-16 20:00": remind},
        days=7,
    ),
    Case(
        "a manual reminder on the second day replaces the second",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": client("1"),
            "2026-11-18 15:00": client("1"),
            "2026-11-19 10:00": ENGINEERING,
            "2026-11-25 10:00": client("3"),
        },
        {"2026-11-18 15:00": remind},
        days=14,
    ),
    Case(
        "“back Thursday”",
        "2026-11-16 10:00",
        {
            "2026-11-19 09:00": client("named day"),
            "2026-11-19 14:18": ENGINEERING,
            "2026-11-23 09:00": client("2"),
        },
        {"2026-11-16 14:18": say("Waiting for our IT, back Thursday")},
    ),
    Case(
        "“out until Sunday” as the answer to a reminder, over Thanksgiving",
        "2026-11-23 10:00",
        {
            "2026-11-24 10:00": client("1"),
            "2026-11-30 09:00": client("named day"),
            "2026-11-30 11:00": ENGINEERING,
            "2026-12-02 09:00": client("2"),
        },
        {"2026-11-24 11:00": say("I'm out until Sunday, sorry!")},
        days=12,
    ),
    Case(
        "an answer without a day restarts the schedule",
        "2026-11-16 10:00",
        {
            "2026-11-17 10:00": client("1"),
            "2026-11-19 09:30": client("1"),
            "2026-11-23 09:30": f"{client('2')} + {ENGINEERING}",
        },
        {"2026-11-18 09:30": say("Thanks, we are still waiting for our IT")},
    ),
    Case(
        "what HeavySet writes on the client's turn isn't an answer",
        "2026-11-16 10:00",
        {"2026-11-17 10:00": client("1"), "2026-11-19 10:00": f"{client('2')} + {ENGINEERING}"},
        {"2026-11-17 12:00": say("Any news? I'm back Monday.", "erin")},
        days=7,
    ),
    Case("paused", "2026-11-16 10:00", {}, {"2026-11-17 09:30": pause}),
    Case(
        "paused and resumed",
        "2026-11-16 10:00",
        {"2026-11-24 11:00": client("1")},
        {"2026-11-17 09:30": pause, "2026-11-23 11:00": resume},
    ),
    Case("cancelled", "2026-11-16 10:00", {}, {"2026-11-17 09:30": cancel}),
    Case("completed", "2026-11-16 10:00", {}, {"2026-11-16 11:00": verify}, step=25),
    Case(
        "HeavySet's turn",
        "2026-11-16 10:00",
        {at: text.replace(CLIENT, HEAVYSET) for at, text in SCHEDULE.items()},
        step=23,
        days=MONTH,
    ),
    Case(
        "HeavySet's turn: what the engineer writes is an answer, what the client asks isn't",
        "2026-11-16 10:00",
        {
            "2026-11-19 09:00": heavyset("named day"),
            "2026-11-20 09:30": ENGINEERING,
            "2026-11-23 09:00": heavyset("2"),
        },
        {
            "2026-11-17 09:30": say("Our platform team does it on Thursday.", "erin"),
            "2026-11-18 12:00": say("Great, thanks a lot"),
        },
        step=23,
        days=8,
    ),
    Case(
        "a step that was handed over",
        "2026-11-16 10:00",
        {"2026-11-17 11:00": heavyset("1"), "2026-11-19 11:00": f"{heavyset('2')} + {ENGINEERING}"},
        {"2026-11-16 11:00": hand_over},
        days=7,
    ),
    Case(
        "HeavySet owes an answer",
        "2026-11-16 10:00",
        {"2026-11-17 11:00": heavyset("1"), "2026-11-19 11:00": f"{heavyset('2')} + {ENGINEERING}"},
        {"2026-11-16 11:00": ask},
        days=7,
    ),
    Case(
        "the bot was down until the weekend: only the newest",
        "2026-11-16 10:00",
        {"2026-11-23 09:00": f"{client('2')} + {ENGINEERING}", "2026-11-25 10:00": client("3")},
        down=("2026-11-16 10:30", "2026-11-21 12:00"),
        days=12,
    ),
    Case(
        "the bot was down for a month: the last one, and one question",
        "2026-11-16 10:00",
        {"2026-12-21 09:00": f"{client('last')} + {WHAT_NOW}"},
        down=("2026-11-16 10:30", "2026-12-21 09:00"),
        days=40,
    ),
    Case(
        "the bot was down for the first: the later ones keep their days",
        "2026-11-16 10:00",
        {"2026-11-18 09:00": client("1"), "2026-11-19 10:00": f"{client('2')} + {ENGINEERING}"},
        down=("2026-11-17 09:00", "2026-11-17 20:00"),
        days=7,
    ),
    Case(
        "asked again in two weeks, and once more",
        "2026-11-16 10:00",
        {
            **SCHEDULE,
            "2026-12-21 12:00": f"{client('again')} + {WHAT_NOW}",
            "2027-01-04 13:00": f"{client('again')} + {WHAT_NOW}",
        },
        {"2026-12-07 12:00": decide("ask_again"), "2026-12-21 13:00": decide("ask_again")},
        days=55,
    ),
    Case(
        "follow-ups off",
        "2026-11-16 10:00",
        {"2026-11-19 10:00": ENGINEERING},
        settings={"follow_ups": "off"},
        days=MONTH,
    ),
    Case(
        "other days, and the first after half a day",
        "2026-11-16 10:00",
        {
            "2026-11-16 14:00": client("1"),
            "2026-11-18 10:00": client("2"),
            "2026-11-19 10:00": ENGINEERING,
            "2026-11-20 10:00": f"{client('last')} + {WHAT_NOW}",
        },
        settings={"follow_ups": "1,2,4", "remind_after": 14400},
        days=12,
    ),
]


@asynccontextmanager
async def stalled_world(
    database: AnyDatabase, case: Case
) -> AsyncIterator[tuple[World, MoveClock]]:
    """A world with the onboarding at the case's step when it starts, and its clock."""
    with freeze_time(case.moment(case.start), real_asyncio=True) as clock:
        async with running_world(database, business_timezone=case.zone, **case.settings) as world:
            world.ann.user.tz = None  # so the setting applies
            await world.begin()
            if case.step > 1:
                await world.walk_to(case.step)
            yield world, clock.move_to


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


async def run_case(case: Case, world: World, move_clock: MoveClock) -> dict[str, str]:
    """Let a case's time pass; return what was posted, and when."""
    found: dict[str, str] = {}
    for moment in case.moments:
        before = notifications(world)
        move_clock(moment)
        for at, action in case.actions.items():
            if case.moment(at) == moment:
                await action(world)
        await sweep(world)
        new = notifications(world)
        for notification in before:
            new.remove(notification)
        if new:
            found[case.local(moment)] = " + ".join(new)
    return found


@ON_SQLITE
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_reminders_and_escalations_are_sent_on_schedule(
    case: Case, database: AnyDatabase
) -> None:
    async with stalled_world(database, case) as (world, move_clock):
        found = await run_case(case, world, move_clock)

    for title, timeline in (("expected", case.expected), ("seen", found)):
        lines = "; ".join(f"{at[5:]} {what}" for at, what in sorted(timeline.items())) or "nothing"
        print(f"\n{case.name if title == 'expected' else '':45} {title:9} {lines}", end="")  # noqa: T201
    assert found == case.expected
