"""The sealed history: whatever is altered past the bot is noticed, named, and cannot be hidden."""

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
from storage.audit.verify_history import AuditReport, _all_events, _entry, verify
from storage.database import Database
from storage.key_rotation import rotate_seals
from storage.keys import key_id
from tests.commands import onboarding
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.test_cli import COMPLETE
from tests.integration.world import KEY, OTHER_KEY, World

OLD, NEW = (decode_key(SecretStr(key)) for key in (KEY, OTHER_KEY))
COLUMNS = "onboarding_id, kind, actor_user, actor_team, actor_role, step, detail, at"


@pytest.fixture
async def told(begun: World) -> World:
    """A world whose onboarding has seven events: the second to the seventh are steps done."""
    await begun.walk_to(6)
    assert begun.rows("SELECT count(*) FROM event") == [(7,)]
    return begun


@asynccontextmanager
async def opened(world: World, *keys: bytes) -> AsyncIterator[Database]:
    """The database, with these keys in CREDENTIAL_KEYS."""
    database = Database(world.settings.database_url, Seals(keys))
    yield database
    await database.close()


async def checked(world: World, *keys: bytes) -> AuditReport:
    """Check every history with these keys."""
    async with opened(world, *(keys or [OLD])) as database, database.begin(write=False) as session:
        return await verify(session)


async def problems(world: World, *keys: bytes) -> list[str]:
    """What is wrong, without the name of the onboarding, which each line bears."""
    name = f"onboarding {world.onboarding} (Acme Plumbing): "
    return [line.removeprefix(name) for line in (await checked(world, *keys)).problems]


async def resealed(world: World, *keys: bytes) -> tuple[int, list[str]]:
    """Rotate the seals to the first key; how many histories, and what could not be sealed."""
    done, left = 0, list[str]()
    async with opened(world, *keys) as database:
        async for progress in rotate_seals(database):
            done, left = progress.resealed, progress.unreadable
    return done, left


@ON_BOTH
async def test_what_the_bot_wrote_fits(told: World) -> None:
    found = await checked(told)

    assert (found.problems, found.onboardings, found.events, found.late) == ([], 1, 7, 0)


async def test_refusals_go_into_the_same_chain(told: World) -> None:
    await told.ann.press_raw(told.message("root"), "run_verification", f"{told.onboarding}:25")
    await told.idle()
    await told.press(told.ann, "step:6", "step_done")

    assert len(told.events("refused")) == 1
    assert await problems(told) == []


async def edited(world: World, subtests: pytest.Subtests, *edits: tuple[str, object]) -> None:
    """See that each edit of the fourth event is named."""
    for column, value in edits:
        with subtests.test(f"{column} = {value}"), world.database.restored("event"):
            world.write(f"UPDATE event SET {column} = ? WHERE position = 4", value)  # noqa: S608

            [line] = await problems(world)

            assert line.startswith("event 4 (")
            assert "was edited" in line


@ON_BOTH
async def test_an_edited_event_is_named(told: World, subtests: pytest.Subtests) -> None:
    await edited(
        told,
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
    assert await problems(told) == []


@ON_SQLITE  # which takes anything everywhere
async def test_what_fits_no_column_is_named(told: World, subtests: pytest.Subtests) -> None:
    await edited(told, subtests, ("step", "three"), ("detail", "no json"))


@ON_SQLITE
async def test_a_time_with_a_zone_put_behind_it_is_no_longer_the_same(told: World) -> None:
    told.write("UPDATE event SET at = at || '+05:00' WHERE position = 4")

    assert len(await problems(told)) == 1


async def test_whose_event_it_is_is_sealed_too(told: World) -> None:
    other = await told.begin("Bravo Air", told.slack.add_channel("bravo", told.erin, told.ann))
    told.write("UPDATE event SET onboarding_id = ? WHERE position = 7", other)

    lines = (await checked(told)).problems

    assert {line.split()[1] for line in lines} == {told.onboarding, other}


async def test_a_removed_event_is_named(told: World) -> None:
    told.write("DELETE FROM event WHERE position = 4")

    assert await problems(told) == ["event 4 was removed"]


async def test_a_gap_that_was_closed_shows_from_there_on(told: World) -> None:
    told.write("DELETE FROM event WHERE position = 4")
    for position in (5, 6, 7):
        told.write("UPDATE event SET position = position - 1 WHERE position = ?", position)
    told.write("UPDATE onboarding SET history_length = 6")

    lines = await problems(told)

    assert "events 4 to 6 do not fit" in lines[0]


async def test_an_inserted_event_is_named(told: World) -> None:
    insert(told, 8)

    lines = await problems(told)

    assert any("were inserted after event 7" in line for line in lines)


async def test_an_inserted_event_is_named_though_the_onboarding_counts_it(told: World) -> None:
    insert(told, 8)
    told.write("UPDATE onboarding SET history_length = 8")

    lines = await problems(told)

    assert lines[0].startswith("event 8 (step_done) was edited")
    assert "inserted at its end" in lines[1]


@ON_BOTH
async def test_an_event_inserted_between_others_is_named(told: World) -> None:
    told.write("DROP INDEX event_onboarding_id_position")
    insert(told, 4)

    [line] = await problems(told)

    assert line.startswith("event 4 (step_done), row ")
    assert "was inserted" in line


def insert(world: World, position: int) -> None:
    """Put a copy of event 4 at `position`."""
    world.write(
        f"INSERT INTO event ({COLUMNS}, position, seal) "  # noqa: S608
        f"SELECT {COLUMNS}, {position}, seal FROM event WHERE position = 4"
    )


@ON_BOTH
async def test_two_events_that_changed_places_are_named(
    told: World, subtests: pytest.Subtests
) -> None:
    for column in ("position", "id"):
        with subtests.test(column), told.database.restored("event"):
            [(one,), (other,)] = told.rows(f"SELECT {column} FROM event WHERE step IN (3, 4)")  # noqa: S608
            for now, then in ((one, -1), (other, one), (-1, other)):
                told.write(f"UPDATE event SET {column} = ? WHERE {column} = ?", then, now)  # noqa: S608

            lines = await problems(told)

            assert any("put elsewhere: the order was changed" in line for line in lines)


async def test_a_tail_that_was_cut_off_is_noticed(told: World) -> None:
    told.write("DELETE FROM event WHERE position > 5")

    assert await problems(told) == ["events 6 to 7 were cut off at its end"]


async def test_a_tail_is_missed_though_the_onboarding_no_longer_counts_it(told: World) -> None:
    told.write("DELETE FROM event WHERE position > 5")
    told.write("UPDATE onboarding SET history_length = 5")

    [line] = await problems(told)

    assert "cut off" in line


async def test_going_on_does_not_hide_that_the_tail_was_cut_off(told: World) -> None:
    told.write("DELETE FROM event WHERE position > 5")
    [(seal,)] = told.rows("SELECT seal FROM event WHERE position = 5")
    told.write("UPDATE onboarding SET history_length = 5, history_end = ?", seal)

    await told.press(told.ann, "step:6", "step_done")

    line, of_the_state = await problems(told)
    assert line.startswith("event 6 (step_done) was edited, or cut off")
    assert "don't fit their seal" in of_the_state
    assert await resealed(told, NEW, OLD) == (
        0,
        [f"onboarding {told.onboarding} (left as it is): {line}"],
    )


async def test_a_history_that_is_gone_is_noticed(told: World) -> None:
    told.write("DELETE FROM event")
    told.write("UPDATE onboarding SET history_length = 0, history_end = ''")

    lines = await problems(told)
    assert lines[0] == "all its events were removed"
    assert "don't fit their seal" in lines[1]


@ON_SQLITE  # PostgreSQL does not let go of it
async def test_events_whose_onboarding_is_gone_are_noticed(told: World) -> None:
    told.write("DELETE FROM onboarding")

    assert (await checked(told)).problems == ["7 events belong to onboardings that are gone"]


async def test_seals_made_with_another_key_are_no_seals(told: World) -> None:
    """Somebody who knows how seals are made, but not the key."""
    told.write("UPDATE event SET detail = '{}', actor_user = 'U0FORGER' WHERE position = 7")
    await forge(told, b"f" * 32)

    lines = await problems(told)

    assert "key" in lines[0]
    await forge(told, b"f" * 32, named=key_id(OLD))
    assert any("was edited" in line or "do not fit" in line for line in await problems(told))


class FormerSeals(Seals):
    """Seals as they were made before HKDF."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        super().__init__(keys)
        self._signing = key_id(keys[0])


async def test_seals_that_were_not_made_by_hkdf_are_checked_and_rotated_away(told: World) -> None:
    await forge(told, OLD, seals=FormerSeals([OLD]))
    assert await problems(told) == []

    told.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")
    assert "was edited" in (await problems(told))[0]
    told.write("UPDATE event SET actor_user = ? WHERE position = 4", told.ann.id)

    assert await resealed(told, OLD) == (1, [])
    assert await problems(told) == []
    assert await resealed(told, OLD) == (0, [])


async def forge(
    world: World, key: bytes, named: str | None = None, seals: Seals | None = None
) -> None:
    """Seal the history with `key`, under the name of another one."""
    seals, end = seals or Seals([key]), ""
    async with opened(world, key) as database, database.begin(write=False) as session:
        rows = [row async for row in _all_events(session)]
    for row in rows:
        seal = seals.seal(_entry(row), end)
        end = seals.end(row.onboarding, row.position, seal)
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


async def test_what_the_announcements_write_is_not_sealed(told: World) -> None:
    told.write("UPDATE event SET announcing_since = NULL, announced_ts = '1.1'")

    assert await problems(told) == []


async def test_a_missing_key_is_said_to_be_missing(told: World) -> None:
    text = f"key {key_id(OLD)} is not among CREDENTIAL_KEYS: 7 events cannot be checked without it"

    assert (await checked(told, NEW)).problems == [text]


async def test_with_one_of_two_keys_the_events_of_the_other_are_named(told: World) -> None:
    async with opened(told, NEW, OLD) as database:
        await mark(database, told.onboarding)
        await mark(database, told.onboarding)

    assert await problems(told, OLD, NEW) == []
    assert [line.split(":")[0] for line in await problems(told, NEW)] == [
        f"key {key_id(OLD)} is not among CREDENTIAL_KEYS"
    ]


async def mark(database: Database, onboarding_id: str) -> None:
    """Put an event into a history that changes nothing."""
    event = Event(EventKind.REFUSED, BOT, datetime.now(UTC))
    async with database.begin() as session:
        await history.record(session, onboarding_id, event)


async def test_a_missing_key_keeps_nobody_from_going_on(told: World) -> None:
    async with opened(told, NEW) as database:
        await mark(database, told.onboarding)

    [line] = await problems(told, NEW, OLD)  # the history goes on; nobody could check the state
    assert "its rows don't fit their seal" in line


@ON_BOTH
async def test_rotation_seals_every_history_with_the_first_key(told: World) -> None:
    assert await resealed(told, NEW, OLD) == (1, [])

    assert await problems(told, NEW) == []
    assert await resealed(told, NEW, OLD) == (0, [])


async def test_rotation_goes_on_where_it_was_stopped(told: World) -> None:
    other = await told.begin("Bravo Air", told.slack.add_channel("bravo", told.erin, told.ann))
    async with opened(told, NEW, OLD) as database, database.begin() as session:
        await reseal(session, other)

    assert await resealed(told, NEW, OLD) == (1, [])
    assert await problems(told, NEW) == []


async def test_rotation_does_not_seal_what_was_altered(told: World) -> None:
    told.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")

    done, [line] = await resealed(told, NEW, OLD)

    assert done == 0
    assert "event 4 (step_done) was edited" in line
    assert len(await problems(told, NEW, OLD)) == 1
    seals = told.rows("SELECT DISTINCT substr(seal, 1, 8) FROM event")
    assert seals == [(key_id(OLD),)]


async def test_rotation_without_the_old_key_says_so(told: World) -> None:
    done, [line] = await resealed(told, NEW)

    assert done == 0
    assert key_id(OLD) in line


@ON_BOTH
async def test_many_at_once_make_one_chain(told: World) -> None:
    ids = await told.begin("Bravo Air", told.slack.add_channel("bravo", told.erin, told.ann))
    async with opened(told, OLD) as another:
        databases = (told.bot.database, another)
        await asyncio.gather(*(mark(one, ids) for one in databases for _ in range(10)))

    assert await problems(told) == []
    assert told.rows("SELECT history_length FROM onboarding WHERE id = ?", ids) == [(21,)]


async def test_the_command_says_that_all_is_well(told: World) -> None:
    ended = await onboarding(told.database.directory, "db", "check", **environment(told))

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == ("7 events, 1 onboarding: history intact")


@ON_BOTH
async def test_the_command_names_what_is_wrong(told: World) -> None:
    told.write("UPDATE event SET actor_user = 'U0SOMEBODY' WHERE position = 4")

    ended = await onboarding(told.database.directory, "db", "check", **environment(told))

    assert ended.status == 1
    assert f"onboarding {told.onboarding} (Acme Plumbing): event 4 (step_done)" in ended.err
    assert "Traceback" not in ended.err


async def test_the_command_rotates_the_seals_as_well(told: World) -> None:
    keys = {"CREDENTIAL_KEYS": f"{OTHER_KEY},{KEY}"}

    ended = await onboarding(told.database.directory, "keys", "rotate", **environment(told) | keys)

    assert (ended.status, ended.err) == (0, "")
    assert "1 of 1 histories" in ended.out
    assert await problems(told, NEW) == []


def environment(world: World) -> dict[str, str]:
    return {**COMPLETE, "DATABASE_URL": world.settings.database_url}
