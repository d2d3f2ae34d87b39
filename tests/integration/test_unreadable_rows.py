"""A row this release can't read is reported once and skipped; other onboardings keep working."""

import logging
from dataclasses import dataclass

import pytest

from bot.cli.doctor import examine
from sandbox.slack import Channel, visible_text
from storage.cache import OnboardingCache
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.world import World, last_reply

UNREADABLE_MESSAGE = "an onboarding can't be read and is left alone"
# As if written by a newer release or by hand: the statement, and why the row can't be read.
INVALID = {
    "a loss reason": (
        "UPDATE onboarding SET status = 'paused', loss = 'frozen' WHERE id = ?",
        "unknown Loss “frozen”",
    ),
    "a status": ("UPDATE onboarding SET status = 'dormant' WHERE id = ?", "unknown Status"),
    "a guide version": (
        "UPDATE onboarding SET guide_version = '99' WHERE id = ?",
        "its guide, servicetitan 99, isn't in the database",
    ),
    "a step's state": (
        "UPDATE step SET state = 'blocked' WHERE number = 3 AND onboarding_id = ?",
        "unknown StepState “blocked”",
    ),
    "a missing step": (
        "DELETE FROM step WHERE number = 25 AND onboarding_id = ?",
        "it doesn't fit its guide",
    ),
    "a role": (
        "UPDATE step SET by_user = 'U1', by_role = 'owner' WHERE number = 1 AND onboarding_id = ?",
        "unknown Role “owner”",
    ),
    "an announced event": (
        "UPDATE event SET kind = 'exposed', detail = '{}', announced_ts = NULL "
        "WHERE kind = 'started' AND onboarding_id = ?",
        "isn't as expected (KeyError)",
    ),
    "a list": ("UPDATE onboarding SET client_admins = '5' WHERE id = ?", "isn't as expected"),
}
# Only SQLite accepts these.
MALFORMED = {
    "JSON": (
        "UPDATE onboarding SET client_admins = '[\"U' WHERE id = ?",
        "client_admins is broken",
    ),
    "a time": ("UPDATE onboarding SET active_at = 'noon' WHERE id = ?", "active_at is broken"),
    "a number": ("UPDATE onboarding SET finished_steps = 'x' WHERE id = ?", "finished_steps"),
    "an event's JSON": (
        "UPDATE event SET detail = '{' WHERE kind = 'started' AND onboarding_id = ?",
        "event.detail is broken",
    ),
    "a message's time": (
        "UPDATE message SET posting_since = 'x' WHERE slot = 'root' AND onboarding_id = ?",
        "message.posting_since is broken",
    ),
}


@dataclass
class Neighbors:
    """Acme, which is fine; Beta in the same channel, which isn't; and Gamma in another channel."""

    world: World
    acme: str
    beta: str  # the damaged one
    gamma: str
    elsewhere: Channel


@pytest.fixture
async def neighbors(world: World) -> Neighbors:
    elsewhere = world.slack.add_channel("gamma", world.erin, world.ann)
    beta = await world.begin("Beta Heating")
    acme = await world.begin("Acme Plumbing")
    gamma = await world.begin("Gamma Roofing", elsewhere)
    ids = {
        name: onboarding
        for onboarding, name in world.rows("SELECT id, client_name FROM onboarding")
    }
    assert gamma == ids["Gamma Roofing"]
    acme, beta = ids["Acme Plumbing"], ids["Beta Heating"]
    return Neighbors(world, acme, beta, gamma, elsewhere)


def damage(neighbors: Neighbors, statement: str) -> None:
    neighbors.world.write(statement, neighbors.beta)
    touched = "UPDATE onboarding SET revision = revision + 1, next_reminder = NULL WHERE id = ?"
    neighbors.world.write(touched, neighbors.beta)


async def assert_neighbors_work(neighbors: Neighbors) -> None:
    world = neighbors.world
    for number, (onboarding, channel) in enumerate(
        ((neighbors.acme, world.channel), (neighbors.gamma, neighbors.elsewhere)), start=1
    ):
        step_1 = next(
            message
            for message in channel.messages
            if message.slot == "step:1" and message.payload["onboarding_id"] == onboarding
        )
        assert (await world.ann.press(step_1, "choose_account:new")).ack.ok
        await world.idle()
        posted = [
            message
            for message in channel.messages
            if message.payload.get("onboarding_id") == onboarding
        ]
        assert "step:2" in [message.slot for message in posted], number


async def assert_named_once(
    neighbors: Neighbors, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = neighbors.world
    for _ in range(3):
        await world.catch_up()
    records = [record for record in caplog.records if record.message == UNREADABLE_MESSAGE]
    assert [
        (record.__dict__["onboarding"], reason in record.__dict__["reason"]) for record in records
    ] == [(neighbors.beta, True)]
    assert [record.message for record in caplog.records if record.exc_info] == []
    [warning] = await world.warnings()
    assert neighbors.beta in warning
    assert reason in warning
    _, figures = await world.get("/metrics")
    assert "onboarding_unreadable 1.0" in figures


async def assert_left_alone(
    neighbors: Neighbors, statement: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(neighbors, statement)
    with caplog.at_level(logging.INFO):
        await assert_named_once(neighbors, reason, caplog)
        await assert_neighbors_work(neighbors)
        for command in ("status", "status all", "history Acme", "status gamma"):
            reply = await neighbors.world.type(command)
            assert "wrong on our" not in str(reply.ack.json()), command
        async with neighbors.world.second_bot() as bot:
            await wait_for_tasks(bot.tasks)
            assert bot.database.unreadable.ids == [neighbors.beta]
    assert [record.message for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(("statement", "reason"), INVALID.values(), ids=INVALID)
async def test_a_row_from_a_newer_release_does_not_affect_other_onboardings(
    neighbors: Neighbors, statement: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    await assert_left_alone(neighbors, statement, reason, caplog)


@ON_SQLITE
@pytest.mark.parametrize(("statement", "reason"), MALFORMED.values(), ids=MALFORMED)
async def test_a_corrupt_column_value_does_not_affect_other_onboardings(
    neighbors: Neighbors, statement: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    await assert_left_alone(neighbors, statement, reason, caplog)


FROZEN = "UPDATE onboarding SET status = 'paused', loss = 'frozen' WHERE id = ?"


@ON_BOTH
async def test_status_shows_the_others_and_flags_the_unreadable_one(neighbors: Neighbors) -> None:
    damage(neighbors, FROZEN)

    same_channel = str((await neighbors.world.type("status")).ack.json())
    everywhere = str((await neighbors.world.type("status all")).ack.json())

    for text in (same_channel, everywhere):
        assert "Acme Plumbing · 0 of 25" in text.replace("*", "")
        assert "*Beta Heating*: this version of the bot can't read this onboarding" in text
        assert "unknown Loss “frozen”" in text


async def test_the_home_tab_shows_the_others_and_flags_the_unreadable_one(
    neighbors: Neighbors,
) -> None:
    damage(neighbors, FROZEN)

    await neighbors.world.erin.open_home()
    await neighbors.world.idle()

    home = neighbors.world.erin.home
    assert home
    text = visible_text(home)
    assert "Beta Heating: this version of the bot can't read" in text.replace("*", "")
    assert "Gamma Roofing" in text


async def test_a_press_on_an_unreadable_onboarding_is_answered_and_logged_once(
    neighbors: Neighbors, caplog: pytest.LogCaptureFixture
) -> None:
    world = neighbors.world
    [step] = [
        message
        for message in world.channel.messages
        if message.slot == "step:1" and message.payload["onboarding_id"] == neighbors.beta
    ]
    damage(neighbors, FROZEN)

    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert (await world.ann.press(step, "choose_account:new")).ack.ok
            await world.idle()

    assert "Nothing is lost" in last_reply(world.ann)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        UNREADABLE_MESSAGE
    ]


async def test_commands_on_an_unreadable_onboarding_say_it_cannot_be_read(
    neighbors: Neighbors,
) -> None:
    damage(neighbors, FROZEN)

    for command in ("remind Beta", "credentials Beta", "pause Beta", "cancel Beta"):
        reply = await neighbors.world.type(command)
        assert "something in our records" in str(reply.ack.json()), command


async def test_posting_a_secret_of_an_unreadable_onboarding_still_warns(begun: World) -> None:
    await begun.walk_to(23)
    begun.write("UPDATE onboarding SET status = 'dormant'")
    begun.bot.database.cache = OnboardingCache()

    await begun.ann.say(begun.channel, begun.servicetitan.credentials["client_secret"])
    await begun.slack.delivered()
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.ann)


@ON_BOTH
async def test_a_repaired_onboarding_resumes_and_clears_the_warning(neighbors: Neighbors) -> None:
    world = neighbors.world
    damage(neighbors, FROZEN)
    assert len(await world.warnings()) == 1

    world.write("UPDATE onboarding SET status = 'active', loss = NULL WHERE id = ?", neighbors.beta)

    assert await world.warnings() == []
    assert world.rows(
        "SELECT revision - published_revision FROM onboarding WHERE id = ?", neighbors.beta
    ) == [(0,)]


@ON_BOTH
async def test_the_history_shows_readable_events_around_an_unknown_one(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    begun.write("UPDATE event SET kind = 'teleported' WHERE kind = 'account_chosen'")

    view = await begun.type("history")

    assert view.ack.ok
    text = visible_text(begun.view_of(begun.erin))
    assert "did something that this version of the bot can't show" in text
    assert "started the onboarding" in text


@ON_BOTH
async def test_credential_cleanup_skips_an_unreadable_onboarding(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    await begun.walk_to(23)
    await begun.type("cancel")
    assert (await begun.submit(begun.erin, begun.view_of(begun.erin), reason="They left")).ok
    begun.write("UPDATE onboarding SET destroyed_at = NULL, status = 'gone'")
    begun.bot.settings = begun.bot.settings.model_copy(update={"retain_credentials_for": 0})

    for _ in range(2):
        await begun.bot.sweep()
        await begun.idle()

    assert [record.message for record in caplog.records if record.exc_info] == []
    assert [
        record.message for record in caplog.records if record.message == UNREADABLE_MESSAGE
    ] == [UNREADABLE_MESSAGE]


async def test_doctor_names_the_unreadable_onboarding(neighbors: Neighbors) -> None:
    damage(neighbors, FROZEN)

    found = {finding.title: finding async for finding in examine(neighbors.world.settings)}

    assert neighbors.beta in found["onboardings"].text
    assert "unknown Loss “frozen”" in found["onboardings"].text
    assert not found["onboardings"].ok


async def test_a_start_resumes_lost_onboardings_despite_an_unreadable_one(
    neighbors: Neighbors,
) -> None:
    world = neighbors.world
    world.write(
        "UPDATE onboarding SET status = 'paused', loss = 'uninstalled' WHERE id = ?",
        neighbors.gamma,
    )
    damage(neighbors, FROZEN)

    async with world.second_bot() as bot:
        await wait_for_tasks(bot.tasks)

    assert world.rows("SELECT status FROM onboarding WHERE id = ?", neighbors.gamma) == [
        ("active",)
    ]
    assert len(world.rows("SELECT id FROM delivery WHERE id LIKE 'start:%'")) == 1
