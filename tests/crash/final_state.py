"""What must be true in the end, however often the bot died."""

import hashlib
import re
from collections import Counter

from bot.guide.loading import SERVICETITAN
from bot.publishing.desired import desired
from bot.publishing.pins import BOOKMARK, PIN
from bot.views.announcement import ANNOUNCED
from storage import credentials, onboardings, posted_messages
from storage.audit.seals import Seals
from storage.audit.verify_history import verify
from storage.database import Database
from storage.guides import GuideStore
from storage.vault import Vault
from tests.crash.people import ASKS_FOR_HELP_AT, STEPS, UNDONE, People
from tests.invariants import WORKSPACE, of

KEY = hashlib.sha256(b"k").digest()  # what the bots of these tests encrypt with


async def assert_onboarding_completed(people: People) -> None:
    """Nothing is lost, nothing is there twice, and Slack shows the state as it is."""
    nothing_is_twice(people)
    every_announcement_is_made_once(people)
    what_was_done_is_recorded_once(people)
    database = Database(people.bot.database.url, Seals([KEY]))
    try:
        await the_thread_shows_the_state(people, database)
        await the_values_can_be_read(people, database)
        await the_history_is_whole(database)
    finally:
        await database.close()
    log = people.bot.log_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert not any(
        "our side" in one.text for one in (*people.ann.ephemerals, *people.erin.ephemerals)
    )


def nothing_is_twice(people: People) -> None:
    """Every slot stands once in its channel, the steps in their order."""
    for channel in (people.channel, people.engineering):
        slots = [one.slot for one in channel.messages if one.user is people.slack.bot]
        twice = [slot for slot, count in Counter(slots).items() if count > 1]
        assert not twice, f"twice in #{channel.name}: {twice}"
        assert len(channel.pins) <= 1
        assert len(channel.bookmarks) <= 1
    found = [re.fullmatch(r"step:(\d+)", one.slot or "") for one in people.channel.messages]
    steps = [int(step[1]) for step in found if step]
    assert steps == sorted(steps)


def the_thread_is_pinned(people: People) -> None:
    assert (len(people.channel.pins), len(people.channel.bookmarks)) == (1, 1)


def every_announcement_is_made_once(people: People) -> None:
    kinds = ", ".join(f"'{kind.value}'" for kind in ANNOUNCED)
    where = f"{people.of('event')} AND kind IN ({kinds}) ORDER BY id"
    events = people.query(f"SELECT id FROM {where}")  # noqa: S608
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    announced = [one.slot for one in of(onboarding_id, people.engineering)]
    assert announced == [f"announcement:{number}" for (number,) in events]


def what_was_done_is_recorded_once(people: People) -> None:
    done = Counter(
        people.query(
            f"SELECT kind, step FROM {people.of('event')}"  # noqa: S608
            " AND kind IN ('step_done', 'step_undone', 'help_asked')"
        )
    )
    expected = Counter({("step_done", number): 1 for number in range(1, STEPS + 1)})
    expected[("step_done", UNDONE)] += 1
    expected[("step_undone", UNDONE)] = 1
    expected[("help_asked", ASKS_FOR_HELP_AT)] = 1
    assert done == expected, done - expected or expected - done
    assert done.keys() >= set(people.acknowledged)
    for kind in ("started", "account_chosen", "handed_over", "completed"):
        assert people.rows(f"{people.of('event')} AND kind = '{kind}'") == 1, kind
    ended = people.query(f"SELECT status, finished_steps FROM {people.onboarding}")  # noqa: S608
    assert ended == [("completed", STEPS)]


async def the_thread_shows_the_state(people: People, database: Database) -> None:
    """Each message says what the bot's views make of the last state, and no other stands there."""
    guides = GuideStore.from_file(SERVICETITAN)
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    async with database.begin(write=False) as session:
        onboarding = await onboardings.get(session, guides, onboarding_id)
        posted = await posted_messages.by_slot(session, onboarding_id)
    wanted = {one.slot: one for one in desired(onboarding, posted, WORKSPACE)}
    shown = {one.slot: one for one in people.channel.messages if one.slot}
    assert shown.keys() == wanted.keys() == posted.keys() - {PIN, BOOKMARK}
    for slot, message in wanted.items():
        assert shown[slot].text == message.text, slot
        assert posted[slot].ts == shown[slot].ts, slot
        assert posted[slot].digest == message.digest, slot
        assert posted[slot].posting_since is None, slot


async def the_values_can_be_read(people: People, database: Database) -> None:
    """Each acknowledged value is the one that was typed; a difference is named, not shown."""
    vault = Vault([KEY])
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    async with database.begin(write=False) as session:
        sealed = await credentials.of(session, onboarding_id)
    right = people.servicetitan.credentials
    assert people.kept == right
    wrong = [
        name
        for name, value in people.kept.items()
        if name not in sealed or vault.open(sealed[name]).get_secret_value() != value
    ]
    assert not wrong


async def the_history_is_whole(database: Database) -> None:
    """Each event is sealed with all before it."""
    async with database.begin(write=False) as session:
        found = await verify(session)
    assert found.events
    assert not found.problems
