"""What must be true of every onboarding while nobody acts and Slack is up."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlmodel import select

from bot.onboarding import Event, EventKind, Onboarding, Status
from bot.publishing.desired import MAX_JUMPS, desired
from bot.publishing.pins import BOOKMARK, PIN
from bot.views.announcement import ANNOUNCED
from bot.views.blocks import Message as Wanted
from sandbox.slack import Channel, Message
from storage import onboardings, posted_messages
from storage.audit.verify_history import verify
from storage.cache import OnboardingCache
from storage.database import Database
from storage.event_log import event_of
from storage.posted_messages import Posted
from storage.tables import EventRow
from tests.builders import states

# The URL of the home workspace in the sandbox.
WORKSPACE = "https://heavyset-tech.slack.com/"


async def assert_consistent(
    database: Database,
    onboarding_id: str,
    channel: Channel,
    engineering: Channel,
) -> None:
    """Check one onboarding: its steps, its history, its thread and its announcements."""
    async with database.begin(write=False) as session:
        cached = await onboardings.get(session, onboarding_id)
    database.cache = OnboardingCache()
    async with database.begin(write=False) as session:
        onboarding = await onboardings.get(session, onboarding_id)
        all_posted = await posted_messages.by_slot(session, onboarding_id)
        where = EventRow.onboarding_id == onboarding_id
        rows = list(await session.exec(select(EventRow).where(where).order_by("id")))
        unverified = (await verify(session)).problems
    assert not [line for line in unverified if onboarding_id in line]
    for field in fields(cached):
        assert getattr(cached, field.name) == getattr(onboarding, field.name), field.name
    events = [event_of(row) for row in rows]
    leftovers = [slot for slot in all_posted if slot.startswith(posted_messages.LEFTOVER)]
    assert not [slot for slot in leftovers if all_posted[slot].ts], leftovers
    past = {f"jump:{number + 1}" for number in range(len(onboarding.jumps) - MAX_JUMPS)}
    posted = {slot: row for slot, row in all_posted.items() if slot not in (*leftovers, *past)}
    assert_steps_in_order(onboarding)
    assert_history_matches(onboarding, events)
    shown = [message for message in messages_of(onboarding_id, channel) if message.slot not in past]
    assert_thread_shows(onboarding, posted, shown)
    announced = [row for row in rows if EventKind(row.kind) in ANNOUNCED]
    expected_slots = [
        f"announcement:{row.id}" for row in announced if row.announced_ts != ""
    ]  # quiet
    assert [message.slot for message in messages_of(onboarding_id, engineering)] == expected_slots


def messages_of(onboarding_id: str, channel: Channel) -> list[Message]:
    """The messages of an onboarding, in the order in which they were posted."""
    return [
        message
        for message in channel.messages
        if message.payload.get("onboarding_id") == onboarding_id
    ]


def assert_steps_in_order(onboarding: Onboarding) -> None:
    """Finished steps, then the current one, then those waiting or skipped ahead."""
    done = onboarding.status is Status.COMPLETED
    assert re.fullmatch("[ds]*" if done else "[ds]*c[ws]*", states(onboarding)), states(onboarding)


def assert_history_matches(onboarding: Onboarding, events: Sequence[Event]) -> None:
    """The events alone yield the state: each change was recorded exactly once."""
    assert states(onboarding) == replayed(onboarding, events)
    happened = Counter(event.kind for event in events)
    assert happened[EventKind.STARTED] == 1
    assert happened[EventKind.COMPLETED] == (onboarding.status is Status.COMPLETED)
    assert happened[EventKind.CANCELLED] == (onboarding.status is Status.CANCELLED)
    pauses = happened[EventKind.PAUSED] - happened[EventKind.RESUMED]
    if not onboarding.finished_at:
        assert pauses == (onboarding.status is Status.PAUSED)
    asked = happened[EventKind.HELP_ASKED] + happened[EventKind.GUIDE_ANSWERED]
    assert asked == len(onboarding.questions)
    assert happened[EventKind.REMINDED] == len(onboarding.reminders)
    entered: Counter[str] = Counter()
    for event in events:
        if event.kind in (EventKind.CREDENTIAL_ENTERED, EventKind.CREDENTIAL_REPLACED):
            entered[event.detail["field"]] += 1
    stored = {name: credential.version for name, credential in onboarding.credentials.items()}
    assert stored == ({} if onboarding.destroyed_at else entered)


def replayed(onboarding: Onboarding, events: Sequence[Event]) -> str:
    """The states of the steps according to the events alone, a letter each."""
    finished: dict[int, str] = {}
    choice = None
    for event in events:
        number = event.step or 0
        if event.kind is EventKind.ACCOUNT_CHOSEN:
            choice = event.detail["choice"]
        elif event.kind is EventKind.STEP_DONE:
            finished[number] = "d"
        elif event.kind is EventKind.STEP_SKIPPED:
            finished[number] = "s"
        elif event.kind is EventKind.STEP_UNDONE and event.detail.get("alone"):
            finished.pop(number, None)
        elif event.kind is EventKind.STEP_UNDONE:
            needless = {2} if choice == "existing" else set()
            finished = {
                n: state
                for n, state in finished.items()
                if n < number or (n > number and state == "s" and n not in needless)
            }
    letters = "".join(finished.get(step.number, "w") for step in onboarding.guide.steps)
    return letters.replace("w", "c", 1)


def assert_thread_shows(
    onboarding: Onboarding,
    posted: Mapping[str, Posted],
    shown: Sequence[Message],
) -> None:
    """The thread has every expected message once, in order, with the expected content."""
    wanted = {message.slot: message for message in desired(onboarding, posted, WORKSPACE)}
    slots = [message.slot or "" for message in shown]
    assert sorted(slots) == sorted(wanted) == sorted(posted.keys() - {PIN, BOOKMARK})
    for message in shown:
        row, expected = posted[message.slot or ""], wanted[message.slot or ""]
        assert (row.ts, row.digest, row.posting_since) == (message.ts, expected.digest, None), (
            expected.slot
        )
        assert_same_content(message, expected)
    root = shown[0]
    assert root.slot == "root"
    assert root.ts == onboarding.thread_ts
    assert all(message.thread_ts == root.ts for message in shown[1:])
    for kind in ("step", "verification", "reminder", "answer", "exposed", "jump"):
        found = [re.fullmatch(rf"{kind}:(\d+)", slot) for slot in slots]
        numbers = [int(result[1]) for result in found if result]
        assert numbers == sorted(numbers)


def assert_same_content(shown: Message, wanted: Wanted) -> None:
    """Compare text and blocks, without the ids that Slack adds to blocks."""
    assert [_plain(block) for block in shown.blocks] == [_plain(block) for block in wanted.blocks]
    assert shown.text == wanted.text


def _plain(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "block_id"}
