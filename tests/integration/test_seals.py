"""Sealed history: tampering behind the bot's back is detected, named, and can't be hidden."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from bot.app.setting_values import decode_key
from bot.onboarding import BOT, Event, EventKind
from storage import history
from storage.audit.reseal import reseal
from storage.audit.sealed_state import SealedState
from storage.audit.seals import End, Seals
from storage.audit.verify_history import EVENTS, AuditReport, _entry, verify
from storage.database import Database
from storage.key_rotation import rotate_seals
from storage.keys import key_id
from tests.commands import onboarding
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import KEY, OTHER_KEY, World

OLD, NEW = (decode_key(SecretStr(key)) for key in (KEY, OTHER_KEY))
COLUMNS = "onboarding_id, kind, actor_user, actor_team, actor_role, step, detail, at"


@pytest.fixture
async def recorded(begun: World) -> World:
    """A world whose onboarding has seven events; all but the first are completed steps."""
    await begun.walk_to(6)
    assert begun.rows("SELECT count(*) FROM event") == [(7,)]
    return begun


@asynccontextmanager
async def open_database(world: World, *keys: bytes) -> AsyncIterator[Database]:
    """The database, with these keys in CREDENTIAL_KEYS."""
    database = Database(world.settings.database_url, Seals(keys))
    yield database
    await database.close()


async def check_history(world: World, *keys: bytes) -> AuditReport:
    """Check every history with these keys."""
    async with (
        open_database(world, *(keys or [OLD])) as database,
        database.begin(write=False) as session,
    ):
        return await verify(session)


async def problems(world: World, *keys: bytes) -> list[str]:
    """The problems found, without the onboarding's name that begins each line."""
    name = f"onboarding {world.onboarding} (Acme Plumbing): "
    return [line.removeprefix(name) for line in (await check_history(world, *keys)).problems]


async def reseal_all(world: World, *keys: bytes) -> tuple[int, list[str]]:
    """Reseal with the first key; return how many histories, and what could not be resealed."""
    done, left = 0, list[str]()
    async with open_database(world, *keys) as database:
        async for progress in rotate_seals(database):
            done, left = progress.resealed, progress.unreadable
    return done, left


@ON_BOTH
async def test_an_untouched_history_passes_the_check(recorded: World) -> None:
    found = await check_history(recorded)

    assert (found.problems, found.onboardings, found.events, found.late) == ([], 1, 7, 0)


async def test_refusals_are_sealed_in_the_same_chain(recorded: World) -> None:
    await recorded.ann.press_raw(
        recorded.message("root"), "run_verification", f"{recorded.onboarding}:25"
    )
    await recorded.idle()
    await recorded.press(recorded.ann, "step:6", "step_done")

    assert len(recorded.events("refused")) == 1
    assert await problems(recorded) == []


async def assert_edits_are_named(
    world: World, subtests: pytest.Subtests, *edits: tuple[str, object]
) -> None:
    """Check that each edit of the fourth event is named."""
    for column, value in edits:
        with subtests.test(f"{column} = {value}"), world.database.restored("event"):
            world.write(f"UPDATE event SET {column} = ? WHERE position = 4", value)  # noqa: S608

            [line] = await problems(world)

            assert line.startswith("event 4 (")
            assert "was edited" in line


@ON_BOTH
async def test_an_edited_event_is_named(recorded: World, subtests: pytest.Subtests) -> None:
    await assert_edits_are_named(
        recorded,
        subtests,
        ("kind", "step_skipped"),
        ("actor_user", "U0SOMEBODY"),
        ("actor_team", "T0ELSEWHERE"),
        ("actor_role", "engineer"),
        ("step", 9),
        ("step", None),
        ("detail", '{"fields": []}'),
        ("at", "2020-01-01 00:00:00.000000"),
        ("at", "yesterday"),
    )
    assert await problems(recorded) == []


@ON_SQLITE  # SQLite accepts any value in any column
async def test_malformed_column_values_are_named(
    recorded: World, subtests: pytest.Subtests
) -> None:
    await assert_edits_are_named(recorded, subtests, ("step", "three"), ("detail", "no json"))


@ON_SQLITE
async def test_a_time_zone_appended_to_a_timestamp_is_detected(recorded: World) -> None:
    recorded.write("UPDATE event SET at = at || '+05:00' WHERE position = 4")

    assert len(await problems(recorded)) == 1


async def test_an_event_moved_to_another_onboarding_is_detected(recorded: World) -> None:
    other = await recorded.begin(
        "Bravo Air", recorded.slack.add_channel("bravo", recorded.erin, recorded.ann)
    )
    recorded.write("UPDATE event SET onboarding_id = ? WHERE position = 7", other)

    lines = (await check_history(recorded)).problems

    assert {line.split()[1] for line in lines} == {recorded.onboarding, other}


async def test_onboardings_on_every_page_are_checked(
    recorded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.audit.verify_rows.ONBOARDINGS_PER_PAGE", 2)
    for name in ("bravo", "charlie"):
        channel = recorded.slack.add_channel(name, recorded.erin, recorded.ann)
        await recorded.begin(f"{name.title()} Air", channel)
    recorded.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 1")

    found = await check_history(recorded)

    assert found.onboardings == 3
    assert sum("event 1 (started) was edited" in line for line in found.problems) == 3


async def test_a_removed_event_is_named(recorded: World) -> None:
    recorded.write("DELETE FROM event WHERE position = 4")

    assert await problems(recorded) == ["event 4 was removed"]


async def test_renumbering_events_does_not_hide_a_removed_one(recorded: World) -> None:
    recorded.write("DELETE FROM event WHERE position = 4")
    for position in (5, 6, 7):
        recorded.write("UPDATE event SET position = position - 1 WHERE position = ?", position)
    recorded.write("UPDATE onboarding SET history_length = 6")

    lines = await problems(recorded)

    assert "events 4 to 6 do not fit" in lines[0]


async def test_an_inserted_event_is_named(recorded: World) -> None:
    insert(recorded, 8)

    lines = await problems(recorded)

    assert any("were inserted after event 7" in line for line in lines)


async def test_an_inserted_event_is_named_even_if_the_event_count_matches(recorded: World) -> None:
    insert(recorded, 8)
    recorded.write("UPDATE onboarding SET history_length = 8")

    lines = await problems(recorded)

    assert lines[0].startswith("event 8 (step_done) was edited")
    assert "inserted at its end" in lines[1]


@ON_BOTH
async def test_an_event_inserted_between_others_is_named(recorded: World) -> None:
    recorded.write("DROP INDEX event_onboarding_id_position")
    insert(recorded, 4)

    [line] = await problems(recorded)

    assert line.startswith("event 4 (step_done), row ")
    assert "was inserted" in line


def insert(world: World, position: int) -> None:
    """Put a copy of event 4 at `position`."""
    world.write(
        f"INSERT INTO event ({COLUMNS}, position, seal) "  # noqa: S608
        f"SELECT {COLUMNS}, {position}, seal FROM event WHERE position = 4"
    )


@ON_BOTH
async def test_swapped_events_are_named(recorded: World, subtests: pytest.Subtests) -> None:
    for column in ("position", "id"):
        with subtests.test(column), recorded.database.restored("event"):
            query = f"SELECT {column} FROM event WHERE step IN (3, 4)"  # noqa: S608
            [(third,), (fourth,)] = recorded.rows(query)
            for now, then in ((third, -1), (fourth, third), (-1, fourth)):
                recorded.write(f"UPDATE event SET {column} = ? WHERE {column} = ?", then, now)  # noqa: S608

            lines = await problems(recorded)

            assert any("put elsewhere: the order was changed" in line for line in lines)


async def test_a_truncated_history_is_detected(recorded: World) -> None:
    recorded.write("DELETE FROM event WHERE position > 5")

    assert await problems(recorded) == ["events 6 to 7 were cut off at its end"]


async def test_truncation_is_detected_even_if_the_event_count_matches(recorded: World) -> None:
    recorded.write("DELETE FROM event WHERE position > 5")
    recorded.write("UPDATE onboarding SET history_length = 5")

    [line] = await problems(recorded)

    assert "cut off" in line


async def test_continuing_the_onboarding_does_not_hide_a_truncated_history(recorded: World) -> None:
    recorded.write("DELETE FROM event WHERE position > 5")
    [(seal,)] = recorded.rows("SELECT seal FROM event WHERE position = 5")
    recorded.write("UPDATE onboarding SET history_length = 5, history_end = ?", seal)

    await recorded.press(recorded.ann, "step:6", "step_done")

    line, of_the_state = await problems(recorded)
    assert line.startswith("event 6 (step_done) was edited, or cut off")
    assert "don't fit their seal" in of_the_state
    assert await reseal_all(recorded, NEW, OLD) == (
        0,
        [f"onboarding {recorded.onboarding} (left as it is): {line}"],
    )


async def test_a_deleted_history_is_detected(recorded: World) -> None:
    recorded.write("DELETE FROM event")
    recorded.write("UPDATE onboarding SET history_length = 0, history_end = ''")

    lines = await problems(recorded)
    assert lines[0] == "all its events were removed"
    assert "don't fit their seal" in lines[1]


@ON_SQLITE  # PostgreSQL's foreign keys prevent this
async def test_events_of_a_deleted_onboarding_are_detected(recorded: World) -> None:
    recorded.write("DELETE FROM onboarding")

    assert (await check_history(recorded)).problems == [
        "7 events belong to onboardings that are gone"
    ]


async def test_seals_forged_with_another_key_are_detected(recorded: World) -> None:
    """The forger knows how seals are made, but not the key."""
    recorded.write("UPDATE event SET detail = '{}', actor_user = 'U0FORGER' WHERE position = 7")
    await forge(recorded, b"f" * 32)

    lines = await problems(recorded)

    assert "key" in lines[0]
    await forge(recorded, b"f" * 32, named=key_id(OLD))
    assert any("was edited" in line or "do not fit" in line for line in await problems(recorded))


class FormerSeals(Seals):
    """Seals as they were made before HKDF was used."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        super().__init__(keys)
        self._signing = key_id(keys[0])


async def test_seals_from_before_hkdf_are_verified_and_replaced_by_rotation(
    recorded: World,
) -> None:
    await forge(recorded, OLD, seals=FormerSeals([OLD]))
    assert await problems(recorded) == []

    recorded.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")
    assert "was edited" in (await problems(recorded))[0]
    recorded.write("UPDATE event SET actor_user = ? WHERE position = 4", recorded.ann.id)

    assert await reseal_all(recorded, OLD) == (1, [])
    assert await problems(recorded) == []
    assert await reseal_all(recorded, OLD) == (0, [])


async def forge(
    world: World, key: bytes, named: str | None = None, seals: Seals | None = None
) -> None:
    """Seal the history with `key`, under the name of another one."""
    seals, end = seals or Seals([key]), ""
    async with open_database(world, key) as database, database.begin(write=False) as session:
        rows = (await (await session.connection()).execute(EVENTS)).all()
    for row in rows:
        seal = seals.seal(_entry(row), end)
        end = seals.end(row.onboarding_id, row.position, seal)
        shown = seal.replace(key_id(key), named or key_id(key))
        world.write("UPDATE event SET seal = ? WHERE id = ?", shown, row.id)
    for onboarding_id, stored in world.rows("SELECT id, sealed_state FROM onboarding"):
        state = replace(SealedState.read(seals, onboarding_id, end, stored), fits=True)
        made = state.columns(seals, onboarding_id, End(seal=end))
        text = json.dumps(made["sealed_state"])
        world.write("UPDATE onboarding SET sealed_state = ? WHERE id = ?", text, onboarding_id)
    world.write(
        "UPDATE onboarding SET history_end = ?", end.replace(key_id(key), named or key_id(key))
    )


async def test_announcement_columns_are_not_sealed(recorded: World) -> None:
    recorded.write("UPDATE event SET announcing_since = NULL, announced_ts = '1.1'")

    assert await problems(recorded) == []


async def test_a_missing_key_is_reported(recorded: World) -> None:
    text = f"key {key_id(OLD)} is not among CREDENTIAL_KEYS: 7 events cannot be checked without it"

    assert (await check_history(recorded, NEW)).problems == [text]


async def test_events_sealed_with_the_missing_one_of_two_keys_are_reported(recorded: World) -> None:
    async with open_database(recorded, NEW, OLD) as database:
        await record_event(database, recorded.onboarding)
        await record_event(database, recorded.onboarding)

    assert await problems(recorded, OLD, NEW) == []
    assert [line.split(":")[0] for line in await problems(recorded, NEW)] == [
        f"key {key_id(OLD)} is not among CREDENTIAL_KEYS"
    ]


async def record_event(database: Database, onboarding_id: str) -> None:
    """Record an event that changes nothing else."""
    event = Event(EventKind.REFUSED, BOT, datetime.now(UTC))
    async with database.begin() as session:
        await history.record(session, onboarding_id, event)


async def test_a_missing_key_does_not_stop_new_events_from_being_recorded(recorded: World) -> None:
    async with open_database(recorded, NEW) as database:
        await record_event(database, recorded.onboarding)

    [line] = await problems(recorded, NEW, OLD)  # the history goes on; nobody could check the state
    assert "its rows don't fit their seal" in line


@ON_BOTH
async def test_rotation_seals_every_history_with_the_first_key(recorded: World) -> None:
    assert await reseal_all(recorded, NEW, OLD) == (1, [])

    assert await problems(recorded, NEW) == []
    assert await reseal_all(recorded, NEW, OLD) == (0, [])


async def test_rotation_resumes_where_it_stopped(recorded: World) -> None:
    other = await recorded.begin(
        "Bravo Air", recorded.slack.add_channel("bravo", recorded.erin, recorded.ann)
    )
    async with open_database(recorded, NEW, OLD) as database, database.begin() as session:
        await reseal(session, other)

    assert await reseal_all(recorded, NEW, OLD) == (1, [])
    assert await problems(recorded, NEW) == []


async def test_rotation_does_not_reseal_an_altered_history(recorded: World) -> None:
    recorded.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")

    done, [line] = await reseal_all(recorded, NEW, OLD)

    assert done == 0
    assert "event 4 (step_done) was edited" in line
    assert len(await problems(recorded, NEW, OLD)) == 1
    seals = recorded.rows("SELECT DISTINCT substr(seal, 1, 8) FROM event")
    assert seals == [(key_id(OLD),)]


async def test_rotation_reports_a_missing_old_key(recorded: World) -> None:
    done, [line] = await reseal_all(recorded, NEW)

    assert done == 0
    assert key_id(OLD) in line


@ON_BOTH
async def test_concurrent_events_form_one_chain(recorded: World) -> None:
    ids = await recorded.begin(
        "Bravo Air", recorded.slack.add_channel("bravo", recorded.erin, recorded.ann)
    )
    async with open_database(recorded, OLD) as another:
        databases = (recorded.bot.database, another)
        await asyncio.gather(
            *(record_event(database, ids) for database in databases for _ in range(10))
        )

    assert await problems(recorded) == []
    assert recorded.rows("SELECT history_length FROM onboarding WHERE id = ?", ids) == [(21,)]


async def test_db_check_reports_an_intact_history(recorded: World) -> None:
    ended = await onboarding(recorded.database.directory, "db", "check", **environment(recorded))

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == ("7 events, 1 onboarding: history intact")


@ON_BOTH
async def test_db_check_names_an_edited_event(recorded: World) -> None:
    recorded.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")

    ended = await onboarding(recorded.database.directory, "db", "check", **environment(recorded))

    assert ended.status == 1
    assert f"onboarding {recorded.onboarding} (Acme Plumbing): event 4 (step_done)" in ended.err
    assert "Traceback" not in ended.err


async def test_keys_rotate_reseals_the_histories_too(recorded: World) -> None:
    keys = {"CREDENTIAL_KEYS": f"{OTHER_KEY},{KEY}"}

    ended = await onboarding(
        recorded.database.directory, "keys", "rotate", **environment(recorded) | keys
    )

    assert (ended.status, ended.err) == (0, "")
    assert "1 of 1 histories" in ended.out
    assert await problems(recorded, NEW) == []


def environment(world: World) -> dict[str, str]:
    return {**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url}
