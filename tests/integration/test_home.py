"""The app's Home: the engineers' board, kept up to date while someone has it open."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest

from bot.publishing.home import EVERY
from sandbox.slack import Person, View, visible_text
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, from_now, running_world

pytestmark = pytest.mark.virtual_time

PAST = datetime(2000, 1, 1, tzinfo=UTC)


async def open_home(world: World, person: Person | None = None) -> str:
    """Open the Home, and return its text."""
    person = person or world.erin
    await person.open_home()
    await world.idle()
    return home_text(person)


def home(person: Person) -> View:
    assert person.home is not None, f"{person.name} sees no Home"
    return person.home


def home_text(person: Person) -> str:
    return visible_text(home(person))


def publications(world: World) -> int:
    return len(world.slack.calls_of("views.publish"))


async def wait_for_next_update(world: World) -> None:
    """Wait until Homes may be updated again."""
    await asyncio.sleep(EVERY.total_seconds())
    await world.idle()


def backdate_publication(world: World) -> None:
    """Make it look as if another worker published the Home a while ago."""
    world.write("UPDATE home SET published_at = ?", PAST)


async def test_an_engineer_sees_all_clients(begun: World) -> None:
    beta = begun.slack.add_channel("beta", begun.erin)
    await begun.begin("Beta Heating", beta)

    text = await open_home(begun)

    assert "2 onboardings" in text
    assert "Acme Plumbing" in text
    assert "Beta Heating" in text
    assert "step 1" in text
    assert f"<@{begun.erin.id}>" in text


@ON_BOTH
async def test_opening_the_home_makes_one_slack_call_for_any_number_of_clients(
    begun: World,
) -> None:
    for number in range(12):
        channel = begun.slack.add_channel(f"client-{number}", begun.erin)
        await begun.begin(f"Client {number}", channel)
    before = len(begun.slack.calls)

    await open_home(begun)

    assert [call.method for call in begun.slack.calls[before:]] == ["views.publish"]
    assert "13 onboardings" in home_text(begun.erin)


async def test_quiet_clients_are_listed_first(begun: World) -> None:
    beta = begun.slack.add_channel("beta", begun.erin)
    await begun.begin("Beta Heating", beta)
    begun.write("UPDATE onboarding SET active_at = ? WHERE client_name = 'Beta Heating'", PAST)

    text = await open_home(begun)

    assert text.index("gone quiet") < text.index("Beta Heating") < text.index("Acme Plumbing")
    assert "No activity since" in text


async def test_an_open_home_shows_changes(begun: World) -> None:
    assert "step 1" in await open_home(begun)
    await wait_for_next_update(begun)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert "step 2" in home_text(begun.erin)


@ON_BOTH
async def test_an_open_home_shows_changes_made_by_another_worker(begun: World) -> None:
    await open_home(begun)
    backdate_publication(begun)

    async with begun.second_bot() as other:
        await begun.walk_to(2)
        other.publisher.wake(begun.onboarding)
        await wait_for_tasks(other.tasks)
        await begun.idle()

    assert "step 2" in home_text(begun.erin)


async def test_a_burst_of_changes_is_published_at_most_every_few_seconds(begun: World) -> None:
    await open_home(begun)
    before, began = publications(begun), time.monotonic()

    for number in range(1, 6):
        action = "choose_account:new" if number == 1 else "step_done"
        await begun.press(begun.ann, f"step:{number}", action)
    every = EVERY.total_seconds()
    await begun.slack.until(lambda: "step 6" in home_text(begun.erin), timeout=every + 3)

    elapsed = time.monotonic() - began
    assert 1 <= publications(begun) - before <= elapsed / every + 1


async def test_the_home_is_published_less_often_the_more_people_view_it(begun: World) -> None:
    for number in range(20):
        await open_home(begun, begun.slack.add_person(f"Engineer {number}"))
    before = publications(begun)
    begun.write("UPDATE onboarding SET finished_steps = 7")

    for seconds, expected in ((4, 0), (21, 20)):
        await wait_for_next_update(begun)
        begun.write("UPDATE home SET published_at = ?", from_now(seconds=-seconds))
        begun.bot.publisher.wake(begun.onboarding)
        await begun.idle()
        assert publications(begun) - before == expected


async def test_an_unchanged_home_is_not_published_again(begun: World) -> None:
    await open_home(begun)
    await wait_for_next_update(begun)
    before = publications(begun)

    begun.bot.publisher.wake(begun.onboarding)
    await begun.idle()

    assert publications(begun) == before


async def test_a_home_opened_over_15_minutes_ago_is_not_updated(begun: World) -> None:
    await open_home(begun)
    await wait_for_next_update(begun)
    begun.write("UPDATE home SET opened_at = ?", from_now(minutes=-16))
    before = publications(begun)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert publications(begun) == before
    assert "step 2" in await open_home(begun)


@ON_BOTH
async def test_viewers_who_stay_away_for_long_are_forgotten(begun: World) -> None:
    await open_home(begun)
    begun.write("UPDATE home SET opened_at = ?", PAST)
    max_ = begun.slack.add_person("Max Engineer")

    await open_home(begun, max_)

    assert begun.rows("SELECT user_id FROM home") == [(max_.id,)]


async def test_refresh_shows_the_current_state(begun: World) -> None:
    await open_home(begun)
    begun.write("UPDATE onboarding SET client_name = 'Acme West'")

    await begun.erin.press(home(begun.erin), "home_refresh")
    await begun.idle()

    assert "Acme West" in home_text(begun.erin)


async def test_pressing_the_thread_link_is_acknowledged(begun: World) -> None:
    await open_home(begun)

    pressed = await begun.erin.press(home(begun.erin), "home_open")

    assert pressed.ack.ok


async def test_remind_sends_one_reminder_and_confirms_it(begun: World) -> None:
    await open_home(begun)

    for _ in range(2):
        await begun.erin.press(home(begun.erin), "home_remind", value=begun.onboarding)
        await begun.idle()

    assert begun.events("reminded") == [(begun.erin.id, 1)]
    first, second = [call.arguments["view"] for call in begun.slack.calls_of("views.open")][-2:]
    assert "Reminder sent" in str(first)
    assert "already sent a reminder" in str(second)


async def test_assign_puts_another_engineer_in_charge(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    await open_home(begun)
    await begun.erin.press(home(begun.erin), "home_assign", value=begun.onboarding)
    await begun.idle()
    await wait_for_next_update(begun)

    answer = await begun.submit(begun.erin, begun.view_of(begun.erin), engineer=max_.id)

    assert answer.ok
    assert begun.rows("SELECT engineer FROM onboarding") == [(max_.id,)]
    assert f"<@{max_.id}>" in home_text(begun.erin)


async def test_only_an_engineer_can_be_put_in_charge(begun: World) -> None:
    await open_home(begun)
    await begun.erin.press(home(begun.erin), "home_assign", value=begun.onboarding)
    await begun.idle()

    answer = await begun.submit(begun.erin, begun.view_of(begun.erin), engineer=begun.ann.id)

    assert "isn't a HeavySet engineer" in answer.errors["engineer"]


async def test_a_button_of_a_completed_onboarding_says_it_is_complete(begun: World) -> None:
    await open_home(begun)
    begun.write("UPDATE onboarding SET status = 'completed'")

    await begun.erin.press(home(begun.erin), "home_remind", value=begun.onboarding)
    await begun.idle()

    assert "is complete" in str(begun.view_of(begun.erin).content)


@pytest.mark.parametrize("guest", [True, False])
async def test_guests_and_non_engineers_see_only_an_introduction(
    database: AnyDatabase, guest: bool
) -> None:
    async with running_world(database, named_engineers=True) as world:
        await world.begin()
        harry = world.slack.add_person("Harry Home", is_restricted=guest)

        text = await open_home(world, harry)

        assert "onboarding assistant" in text
        assert "Acme Plumbing" not in text
        assert world.rows("SELECT count(*) FROM home") == [(0,)]


async def test_button_presses_by_a_non_engineer_change_nothing(
    database: AnyDatabase,
) -> None:
    async with running_world(database, named_engineers=True) as world:
        await world.begin()
        await open_home(world)
        await world.erin.press(home(world.erin), "home_remind", value=world.onboarding)
        forged = world.last_interaction
        harry = world.slack.add_person("Harry Home")
        forged["user"] |= {"id": harry.id, "name": "harry", "username": "harry"}
        forged["trigger_id"] = "1.2.3"

        for action in ("home_remind", "home_assign"):
            forged["actions"][0]["action_id"] = action
            assert (await world.send(forged)).ok

        assert world.events("reminded") == [(world.erin.id, 1)]


async def test_people_from_other_organizations_see_no_home(begun: World) -> None:
    begun.slack.doubts.external_sees_home = True

    await begun.ann.open_home()
    await begun.idle()

    assert begun.ann.home is None
    assert publications(begun) == 0


async def test_opening_the_messages_tab_does_not_publish_the_home(begun: World) -> None:
    await begun.erin.open_home()
    await begun.idle()
    event = begun.last_event("app_home_opened")
    event["event"]["tab"] = "messages"
    event["event_id"] = "Ev_other"
    before = publications(begun)

    body = json.dumps(event).encode()
    assert (await begun.slack.post_signed(body, "application/json")).ok
    await begun.idle()

    assert publications(begun) == before


@pytest.mark.parametrize("status", [500, 503])
async def test_the_home_catches_up_after_a_slack_outage(begun: World, status: int) -> None:
    await open_home(begun)
    await wait_for_next_update(begun)
    begun.slack.fail_next("views.publish", status=status)

    await begun.press(begun.ann, "step:1", "choose_account:new")
    await wait_for_next_update(begun)
    await begun.press(begun.ann, "step:2", "step_done")

    assert "step 3" in home_text(begun.erin)


async def test_publishing_stops_if_the_home_tab_is_disabled(begun: World) -> None:
    await open_home(begun)
    await wait_for_next_update(begun)
    begun.slack.fail_next("views.publish", error="not_enabled")

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert begun.rows("SELECT count(*) FROM home") == [(0,)]
    assert begun.slots()[-1] == "step:2"


async def test_a_former_engineers_home_is_no_longer_updated(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    await open_home(begun, max_)
    await wait_for_next_update(begun)
    max_.user.deleted = True
    begun.bot.use_cases.home._services.directory._users._found.clear()  # as after five minutes
    before = publications(begun)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert publications(begun) == before
    assert begun.rows("SELECT count(*) FROM home") == [(0,)]


async def test_the_home_shows_questions_and_can_be_filtered(begun: World) -> None:
    await begun.ann.say(begun.channel, "help which box is it?", begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()
    assert "> which box is it?" in await open_home(begun)

    await begun.erin.press(home(begun.erin), "home_filter:finished")
    await begun.idle()
    assert "Nothing here under Finished" in home_text(begun.erin).replace("*", "")


async def test_a_finished_client_is_found_by_filter_and_by_name(begun: World) -> None:
    await begun.walk_to(25)
    await begun.press(begun.erin, "step:25", "run_verification")
    await begun.begin("Beta Heating", begun.slack.add_channel("beta", begun.erin))
    assert "Acme Plumbing" not in await open_home(begun)

    await begun.erin.press(home(begun.erin), "home_filter:finished")
    await begun.idle()

    assert "Acme Plumbing" in home_text(begun.erin)
    assert "Beta Heating" not in home_text(begun.erin)
    for text in ("status acme", "status all ACME"):
        reply = (await begun.type(text, channel=begun.engineering)).text
        assert "Acme Plumbing" in reply
        assert "Beta Heating" not in reply
