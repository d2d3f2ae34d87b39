"""What must be true in the end, however often the bot crashed."""

import hashlib
import re
from collections import Counter

from bot.publishing.desired import desired
from bot.publishing.pins import BOOKMARK, PIN
from bot.views.announcement import ANNOUNCED
from storage import credentials, onboardings, posted_messages
from storage.audit.seals import Seals
from storage.audit.verify_history import verify
from storage.database import Database
from storage.vault import Vault
from tests.crash.people import HELP_STEP, STEPS, UNDONE_STEP, People
from tests.invariants import WORKSPACE, messages_of

KEY = hashlib.sha256(b"k").digest()  # what the bots of these tests encrypt with


async def assert_onboarding_completed(people: People) -> None:
    """Assert that nothing is lost or duplicated, and that Slack shows the actual state."""
    assert_no_duplicates(people)
    assert_announced_once(people)
    assert_recorded_once(people)
    database = Database(people.bot.database.url, Seals([KEY]))
    try:
        await assert_thread_shows_state(people, database)
        await assert_values_readable(people, database)
        await assert_history_sealed(database)
    finally:
        await database.close()
    log = people.bot.log_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert not any(
        "our side" in reply.text for reply in (*people.ann.ephemerals, *people.erin.ephemerals)
    )


def assert_no_duplicates(people: People) -> None:
    """Assert that every slot is in its channel once, with the steps in order."""
    for channel in (people.channel, people.engineering):
        slots = [message.slot for message in channel.messages if message.user is people.slack.bot]
        duplicates = [slot for slot, count in Counter(slots).items() if count > 1]
        assert not duplicates, f"twice in #{channel.name}: {duplicates}"
        assert len(channel.pins) <= 1
        assert len(channel.bookmarks) <= 1
    found = [re.fullmatch(r"step:(\d+)", message.slot or "") for message in people.channel.messages]
    steps = [int(step[1]) for step in found if step]
    assert steps == sorted(steps)


def assert_pinned(people: People) -> None:
    assert (len(people.channel.pins), len(people.channel.bookmarks)) == (1, 1)


def assert_announced_once(people: People) -> None:
    kinds = ", ".join(f"'{kind.value}'" for kind in ANNOUNCED)
    where = f"{people.rows_of('event')} AND kind IN ({kinds}) ORDER BY id"
    events = people.query(f"SELECT id FROM {where}")  # noqa: S608
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    announced = [message.slot for message in messages_of(onboarding_id, people.engineering)]
    assert announced == [f"announcement:{number}" for (number,) in events]


def assert_recorded_once(people: People) -> None:
    done = Counter(
        people.query(
            f"SELECT kind, step FROM {people.rows_of('event')}"  # noqa: S608
            " AND kind IN ('step_done', 'step_undone', 'help_asked')"
        )
    )
    expected = Counter({("step_done", number): 1 for number in range(1, STEPS + 1)})
    expected[("step_done", UNDONE_STEP)] += 1
    expected[("step_undone", UNDONE_STEP)] = 1
    expected[("help_asked", HELP_STEP)] = 1
    assert done == expected, done - expected or expected - done
    assert done.keys() >= set(people.acknowledged)
    for kind in ("started", "account_chosen", "handed_over", "completed"):
        assert people.count_rows(f"{people.rows_of('event')} AND kind = '{kind}'") == 1, kind
    ended = people.query(f"SELECT status, finished_steps FROM {people.onboarding}")  # noqa: S608
    assert ended == [("completed", STEPS)]


async def assert_thread_shows_state(people: People, database: Database) -> None:
    """Assert that the thread has exactly the messages that the views render for the state."""
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    async with database.begin(write=False) as session:
        onboarding = await onboardings.get(session, onboarding_id)
        posted = await posted_messages.by_slot(session, onboarding_id)
    wanted = {message.slot: message for message in desired(onboarding, posted, WORKSPACE)}
    shown = {message.slot: message for message in people.channel.messages if message.slot}
    assert shown.keys() == wanted.keys() == posted.keys() - {PIN, BOOKMARK}
    for slot, message in wanted.items():
        assert shown[slot].text == message.text, slot
        assert posted[slot].ts == shown[slot].ts, slot
        assert posted[slot].digest == message.digest, slot
        assert posted[slot].posting_since is None, slot


async def assert_values_readable(people: People, database: Database) -> None:
    """Assert that each acknowledged value is the one typed; a failure names fields only."""
    vault = Vault([KEY])
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    async with database.begin(write=False) as session:
        sealed = await credentials.of(session, onboarding_id)
    assert people.entered == people.servicetitan.credentials
    wrong = [
        name
        for name, value in people.entered.items()
        if name not in sealed or vault.open(sealed[name]).get_secret_value() != value
    ]
    assert not wrong


async def assert_history_sealed(database: Database) -> None:
    """Assert that each event is sealed with all before it."""
    async with database.begin(write=False) as session:
        found = await verify(session)
    assert found.events
    assert not found.problems
