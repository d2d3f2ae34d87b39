"""Every press, form and command is acknowledged in time, however long Slack's Web API takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from tests.background import wait_for_tasks
from tests.databases import AnyDatabase
from tests.integration.world import World, hold_calls, last_reply, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

MAX_SECONDS = 2.0


@contextmanager
def acknowledged_in_time() -> Iterator[None]:
    clock = asyncio.get_running_loop().time
    began = clock()
    yield
    assert clock() - began < MAX_SECONDS


def clear_user_cache(world: World) -> None:
    """Clear the bot's user cache, as in a worker that has just started."""
    directory = world.bot.use_cases.steps._services.directory
    directory._users._found.clear()
    directory._members._found.clear()


@asynccontextmanager
async def slack_hangs(world: World, method: str = "users.info") -> AsyncIterator[None]:
    """Keep Slack from answering calls to `method` until the block ends."""
    clear_user_cache(world)
    async with hold_calls(world.slack, method):
        yield


async def test_an_engineers_press_still_counts_when_slack_is_slow(begun: World) -> None:
    async with slack_hangs(begun):
        with acknowledged_in_time():
            pressed = await begun.erin.press(begun.message("step:1"), "choose_account:new")
        assert begun.current == 1
    await begun.idle()

    assert pressed.notice is None
    assert begun.current == 2
    assert begun.slots()[-1] == "step:2"


async def test_a_repeated_press_while_slack_is_slow_counts_once(begun: World) -> None:
    async with slack_hangs(begun):
        for _ in range(2):
            await begun.erin.press(begun.message("step:1"), "choose_account:new")
    await begun.idle()

    assert begun.current == 2
    assert len(begun.events("step_done")) == 1
    assert last_reply(begun.erin)


async def test_a_refusal_is_delivered_after_a_slow_role_lookup(database: AnyDatabase) -> None:
    async with running_world(database, named_engineers=True) as world:
        await world.begin()
        max_ = world.slack.add_person("Max Member")
        world.channel.members[max_.id] = max_.user
        async with slack_hangs(world):
            with acknowledged_in_time():
                pressed = await max_.press(world.message("step:1"), "choose_account:new")
            assert pressed.notice is None
        await world.idle()

        assert world.current == 1
        assert "Please ask" in last_reply(max_)


async def test_a_clients_press_takes_effect_without_asking_slack(begun: World) -> None:
    async with slack_hangs(begun):
        with acknowledged_in_time():
            await begun.ann.press(begun.message("step:1"), "choose_account:new")
        assert begun.current == 2


async def test_an_expired_trigger_asks_the_person_to_press_again(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    async with slack_hangs(begun):
        pressed = await begun.erin.press(begun.message("step:2"), "step_help")
        trigger = begun.slack.triggers[begun.last_interaction["trigger_id"]]
        trigger.expires_at = 0
    await begun.idle()

    assert pressed.notice is None
    assert "Please try again" in last_reply(begun.erin)
    assert (await begun.open(begun.erin, "step:2", "step_help")).title


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_a_secret_is_not_acknowledged_until_it_is_stored(
    database: AnyDatabase, method: str
) -> None:
    async with running_world(database, named_engineers=True) as world:
        eve = world.slack.add_person("Eve Engineer")
        world.channel.members[eve.id] = eve.user
        group = world.slack.add_usergroup(eve)
        async with world.second_bot(engineers=[group]) as bot:
            world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
            world.bot, original_bot = bot, world.bot
            await world.type("start Acme", eve)
            await world.submit(eve, world.view_of(eve))
            await world.walk_to(18)
            view = await world.open(eve, "step:18", "enter_credentials")
            values = {
                name: world.servicetitan.credentials[name] for name in ("tenant_id", "client_id")
            }

            async with slack_hangs(world, method):
                with acknowledged_in_time():
                    answer = await eve.submit(view, values)
                assert "Not saved yet" in answer.errors["tenant_id"]
            assert world.rows("SELECT count(*) FROM credential") == [(0,)]
            await wait_for_tasks(bot.lookups)
            again = await world.submit(eve, view, **values)

            assert again.ok
            assert len(world.events("credential_entered")) == 2
            world.bot = original_bot


async def test_the_start_form_stays_open_until_slack_answers(world: World) -> None:
    await world.type("start Acme Plumbing")
    view = world.view_of(world.erin)

    async with slack_hangs(world):
        with acknowledged_in_time():
            answer = await world.erin.submit(view)
        assert "Not saved yet" in next(iter(answer.errors.values()))
    await wait_for_tasks(world.bot.lookups)

    assert (await world.submit(world.erin, view)).ok
    assert len(world.events("started")) == 1


async def test_starting_does_not_wait_for_the_channel_member_list(world: World) -> None:
    await world.type("start Acme Plumbing")
    view = world.view_of(world.erin)

    async with hold_calls(world.slack, "conversations.members"):
        with acknowledged_in_time():
            assert (await world.erin.submit(view, {"client_admins": []})).ok
    await world.idle()

    assert world.rows("SELECT client_team FROM onboarding") == [(None,)]


@pytest.mark.parametrize(
    ("text", "method"),
    [
        *(("start Acme", method) for method in ("users.info", "conversations.info", "views.open")),
        *(("start Acme invite ann@acme.com", method) for method in ("users.info", "views.open")),
        *(("cancel", method) for method in ("users.info", "views.open")),
    ],
)
async def test_a_command_says_that_slack_is_slow(begun: World, text: str, method: str) -> None:
    other = begun.slack.add_channel("other", begun.erin)
    channel = begun.channel if text == "cancel" else other
    async with slack_hangs(begun, method):
        with acknowledged_in_time():
            reply = await begun.erin.command(channel, "/servicetitan", text)

    assert reply.notice is None
    assert "again" in reply.text


def age_cached_people(world: World, seconds: float) -> None:
    """Make what Slack said about people that much older."""
    found = world.bot.use_cases.steps._services.directory._users._found
    found.update({key: (at - seconds, user) for key, (at, user) in found.items()})


async def test_a_stale_cached_role_is_used_while_slack_is_slow(begun: World) -> None:
    await begun.type("status")
    age_cached_people(begun, seconds=301)

    async with hold_calls(begun.slack, "users.info"):
        with acknowledged_in_time():
            await begun.erin.press(begun.message("step:1"), "choose_account:new")
        assert begun.current == 2


async def test_an_expired_cached_role_is_not_used_while_slack_is_slow(begun: World) -> None:
    await begun.type("status")
    age_cached_people(begun, seconds=901)

    async with hold_calls(begun.slack, "users.info"):
        await begun.erin.press(begun.message("step:1"), "choose_account:new")
        assert begun.current == 1
    await begun.idle()
